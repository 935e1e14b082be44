// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench lab build`

use crate::{
    exit::{Exit, Failure},
    interrupt,
    lab::{
        Geometry, Modelling, Qemu,
        build::{self, Error, LabBuildArgs, Options},
    },
};

/// Builds the kernel and prints where it is; what goes on is on standard error.
pub(super) fn run(args: LabBuildArgs) -> anyhow::Result<Exit> {
    interrupt::watch();
    let options = Options::from(&args);
    let kernel = match build::build(&options, &mut |line| eprintln!("{line}")) {
        Ok(kernel) => kernel,
        Err(e @ Error::Interrupted(_)) => {
            eprintln!("unmapbench: {e}");
            return Ok(Exit::Interrupted);
        }
        // Nothing in the command line is wrong: this machine lacks something.
        Err(e @ (Error::Tools { .. } | Error::NoMirror | Error::Fetch(_) | Error::Gone { .. })) => {
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
    let model = Modelling::get(&own, geometry, &mut |line| eprintln!("{line}"))?;
    Ok(format!("in QEMU {}", model.qemu().version))
}
