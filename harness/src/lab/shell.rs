// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A boot for a person, or for a program of theirs: a prompt or a command on the
//! lab's console, with directories of theirs inside.

use super::{
    elf::{needs_interpreter, this_program},
    error::{Error, io_error},
    initramfs,
    inside::{Ended, Errand},
    qemu::{Console, Files, Machine, Qemu},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
};

/// What the lab's root has already.
const TAKEN: &[&str] = &[
    "bin",
    "dev",
    "errand.json",
    "init",
    "proc",
    "sys",
    "tmp",
    "..",
];

/// What is booted, and for what.
#[derive(Clone, Debug)]
pub struct Shell<'a> {
    /// The emulator.
    pub qemu: &'a Qemu,
    /// The kernel.
    pub kernel: &'a Path,
    /// The machine.
    pub machine: Machine,
    /// Directories that come along, each as /name.
    pub with: &'a [PathBuf],
    /// More of the kernel's command line.
    pub append: &'a str,
    /// A program and its arguments; empty for a prompt.
    pub command: &'a [String],
}

impl Shell<'_> {
    /// Boots, runs the command on this process's terminal, and says with which
    /// code it ended.
    ///
    /// # Errors
    /// What is missing, or [`Error::Lost`] if the machine ended first.
    pub fn run(&self) -> Result<u8, Error> {
        let program = this_program()?;
        let mut archive = initramfs::root(&program, &Errand::Shell(self.command.to_vec()));
        archive.directory("bin");
        archive.program("bin/busybox", &busybox()?);
        for dir in self.with {
            let name = dir.canonicalize().map_err(io_error("open", dir))?;
            let name = name.file_name().and_then(|n| n.to_str());
            let name = name.filter(|n| !TAKEN.contains(n));
            initramfs::tree(
                &mut archive,
                name.ok_or_else(|| Error::With(dir.clone()))?,
                dir,
            )?;
        }
        let scratch = tempfile::tempdir().map_err(io_error("create", env::temp_dir()))?;
        let (initramfs, answers) = (
            scratch.path().join("initramfs"),
            scratch.path().join("answers"),
        );
        fs::write(&initramfs, archive.finish()).map_err(io_error("write", &initramfs))?;
        let files = Files {
            kernel: self.kernel,
            initramfs: &initramfs,
            console: Console::Terminal,
            answers: &answers,
        };
        let mut qemu = self.qemu.command(files, self.machine, self.append);
        if !self.command.is_empty() {
            // A command reads nothing, and Ctrl-C ends it with the machine.
            qemu.stdin(Stdio::null());
        }
        let status = qemu.status().map_err(|_| Error::NoQemu)?;
        let said = fs::read_to_string(&answers).unwrap_or_default();
        match serde_json::from_str::<Ended>(said.trim()) {
            Ok(ended) => Ok(ended.code),
            Err(_) if status.success() => Err(Error::Lost("ended".into())),
            Err(_) => Err(Error::Lost(format!("failed ({status})"))),
        }
    }
}

fn busybox() -> Result<Vec<u8>, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter_map(|dir| fs::read(dir.join("busybox")).ok())
        .find(|program| !needs_interpreter(program))
        .ok_or(Error::NoBusybox)
}
