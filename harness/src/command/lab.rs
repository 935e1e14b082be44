// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Making a lab out of what the command line names and the cache holds.

use super::Staffed;
use crate::{
    cli::{LabArgs, ShellArgs},
    exit::{Exit, Failure},
    lab::{
        self, Clock, Geometry, Image, Lab, Machine, Modelling, Qemu, Shell,
        build::{self, Kernel, Options},
    },
    plan::Bed,
};
use results::Testbed;

/// A lab for each kernel that is named; of ours if none is.
pub(super) fn executors(args: &LabArgs) -> Result<Vec<Staffed>, Failure> {
    let kernels = &args.kernel;
    let named = args.tlb_model.as_deref();
    let geometry =
        Geometry::find(named).map_err(|e| Failure::Usage(format!("--tlb-model: {e}")))?;
    let unfit = |e: lab::Error| Failure::Unfit(e.to_string());
    let qemu = Qemu::find().map_err(unfit)?;
    let modelling = Modelling::find(&qemu, geometry);
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
    let found = build::cached(&Options::default()).map_err(Failure::usage)?;
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
        qemu: &qemu,
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
        command: &args.command,
    };
    match shell.run() {
        Ok(code) => Ok(Exit::Command(code)),
        Err(e @ (lab::Error::NoQemu | lab::Error::NoBusybox)) => {
            Err(Failure::Unfit(e.to_string()).into())
        }
        Err(e) => Err(Failure::usage(e).into()),
    }
}

/// `unmapbench lab-init`.
pub(super) fn init() -> anyhow::Result<Exit> {
    lab::run_inside()?;
    Ok(Exit::Fine)
}
