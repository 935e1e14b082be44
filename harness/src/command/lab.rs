// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Making a lab out of what the command line names and the cache holds.

use super::Staffed;
use crate::{
    cli::{LabArgs, ShellArgs},
    execute::{self, INIT, Lab},
    exit::{Exit, Failure},
    lab_kernel,
    plan::Bed,
};
use ::lab::{
    Error, Machine,
    emulator::{Clock, Qemu},
    image::Image,
    kernel_build::{Kernel, Options},
    shell::Shell,
    tlb::{Geometry, Modelling},
};
use results::Testbed;
use std::path::Path;

/// The model of TLBs, where it was built (`harness/build.rs`).
pub(super) const TLB_MODEL: &str = env!("UNMAPBENCH_TLB_MODEL");

/// A lab for each kernel that is named; of ours if none is.
pub(super) fn executors(args: &LabArgs) -> Result<Vec<Staffed>, Failure> {
    let kernels = &args.kernel;
    let named = args.tlb_model.as_deref();
    let geometry =
        Geometry::find(named).map_err(|e| Failure::Usage(format!("--tlb-model: {e}")))?;
    let unfit = |e: Error| Failure::Unfit(e.to_string());
    let qemu = Qemu::find().map_err(unfit)?;
    let modelling = Modelling::find(&qemu, Path::new(TLB_MODEL), geometry);
    let model = |lab: Lab| lab.modelling(modelling.clone(), named.is_some());
    let mut all: Vec<Staffed> = Vec::new();
    if kernels.is_empty() {
        let kernel = ours()?;
        let name = format!("{} series {}", kernel.release, kernel.series);
        let base = base(&kernel);
        let lab = Lab::new(qemu, kernel.bzimage, name).map_err(unfit)?;
        let lab = lab.based_on(base);
        all.push((Bed::of(Testbed::Lab), Box::new(model(lab))));
        return Ok(all);
    }
    for (i, path) in kernels.iter().enumerate() {
        let image = Image::open(path).map_err(Failure::usage)?;
        let release = image.version.split(' ').next().unwrap_or_default();
        let bed = Bed {
            testbed: Testbed::Lab,
            // Two images may have the same release.
            kernel: Some(format!("{}:{release}", i + 1)),
        };
        let lab = Lab::new(qemu.clone(), image.path, image.version).map_err(unfit)?;
        all.push((bed, Box::new(model(lab))));
    }
    Ok(all)
}

/// The Linux that the series was applied to: its version, which is the tag that it was
/// made from upstream, and the file that it came in.
fn base(kernel: &Kernel) -> String {
    let version = kernel.release.split('-').next().unwrap_or_default();
    let source = kernel.source.file_name().unwrap_or_default();
    format!("v{version} ({})", source.to_string_lossy())
}

/// The kernel that `lab build` made.
fn ours() -> Result<Kernel, Failure> {
    let found = lab_kernel::cached(&Options::default()).map_err(Failure::usage)?;
    found.ok_or_else(|| {
        Failure::Unfit("the lab's kernel is not built yet: run `unmapbench lab build`".into())
    })
}

/// `unmapbench lab shell`.
pub(super) fn shell(args: &ShellArgs) -> anyhow::Result<Exit> {
    let qemu = Qemu::find().map_err(|e| Failure::Unfit(e.to_string()))?;
    let kernel = match &args.kernel {
        Some(path) => Image::open(path).map_err(Failure::usage)?.path,
        None => ours()?.bzimage,
    };
    let shell = Shell {
        emulator: &qemu,
        kernel: &kernel,
        machine: Machine {
            cpus: args.cpus,
            memory_mib: args.memory,
            clock: match args.real_time {
                true => Clock::Real,
                false => Clock::Instructions,
            },
        },
        with: &args.with,
        append: &args.append,
        init: INIT,
        command: &args.command,
    };
    match shell.run() {
        Ok(code) => Ok(Exit::Command(code)),
        Err(e @ (Error::NoEmulator { .. } | Error::NoBusybox)) => {
            Err(Failure::Unfit(e.to_string()).into())
        }
        Err(e) => Err(Failure::usage(e).into()),
    }
}

/// `unmapbench lab-init`.
pub(super) fn init() -> anyhow::Result<Exit> {
    execute::run_inside()?;
    Ok(Exit::Fine)
}
