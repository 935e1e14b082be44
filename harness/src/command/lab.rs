// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench lab shell` and `unmapbench lab-init`.

use crate::{
    cli::ShellArgs,
    execute::{self, INIT},
    exit::{Exit, Failure},
    lab_kernel,
};
use ::lab::{
    Error, Machine,
    emulator::{Clock, Qemu},
    image::Image,
    shell::Shell,
};

/// `unmapbench lab shell`.
pub(super) fn shell(args: &ShellArgs) -> anyhow::Result<Exit> {
    let qemu = Qemu::find().map_err(|e| Failure::Unfit(e.to_string()))?;
    let kernel = match &args.kernel {
        Some(path) => Image::open(path).map_err(Failure::usage)?.path,
        None => lab_kernel::ours()?.bzimage,
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
