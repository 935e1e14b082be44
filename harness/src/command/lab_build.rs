// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench lab build`

use crate::{
    cli::LabBuildArgs,
    exit::{Exit, Failure},
    lab_kernel,
};
use ::lab::{
    Emulator,
    emulator::Qemu,
    interrupt,
    kernel_build::{Error, Options, Variant},
    tlb::{Geometry, Modelling},
};
use std::path::Path;

/// Builds the kernel and prints where it is; what goes on is on standard error.
pub(super) fn run(args: LabBuildArgs) -> anyhow::Result<Exit> {
    interrupt::watch();
    let options = options(&args);
    let kernel = match lab_kernel::build(&options, &mut |line| eprintln!("{line}")) {
        Ok(kernel) => kernel,
        Err(e @ Error::Interrupted(_)) => {
            eprintln!("unmapbench: {e}");
            return Ok(Exit::Interrupted);
        }
        // Nothing in the command line is wrong: this machine lacks something.
        Err(e @ (Error::Tools { .. } | Error::Fetch(_) | Error::Gone { .. })) => {
            return Err(Failure::Unfit(e.to_string()).into());
        }
        Err(e) => return Err(Failure::usage(e).into()),
    };
    // The lab is whole without it.
    match model() {
        Ok(what) => eprintln!("TLB model: {what}"),
        Err(why) => eprintln!("unmapbench: the TLB model is unavailable: {why}"),
    }
    if args.json {
        super::print_json(&kernel)?;
        return Ok(Exit::Fine);
    }
    let series = match kernel.series.as_str() {
        "none" => "without our patches".into(),
        hash => format!("with series {hash}"),
    };
    super::print(&format!(
        "Linux {}, {series}\n  bzImage  {}\n  vmlinux  {}\n  config   {}\n",
        kernel.release,
        kernel.bzimage.display(),
        kernel.vmlinux.display(),
        kernel.config.display(),
    ))?;
    Ok(Exit::Fine)
}

/// Gets what the TLB model takes.
fn model() -> Result<String, String> {
    let own = Qemu::find().map_err(|e| e.to_string())?;
    let geometry = Geometry::find(None)?;
    let model = Modelling::get(
        &own,
        Path::new(lab_kernel::TLB_MODEL),
        geometry,
        &mut |line| eprintln!("{line}"),
    )?;
    Ok(format!("in QEMU {}", model.identity().version))
}

fn options(args: &LabBuildArgs) -> Options {
    Options {
        version: args.kernel_version.clone(),
        source: args.kernel_src.clone(),
        variant: match args.stock {
            true => Variant::Stock,
            false => Variant::Series,
        },
        debug: args.debug,
    }
}
