// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A boot for a person, or for a program of theirs: a prompt or a command on the
//! lab's console, with directories of theirs inside.

use crate::{
    boot::{Boot, Terminal},
    emulator::{Emulator, Machine},
    error::{Error, io_error},
    init::{Ended, Task},
    initramfs,
    program::{needs_interpreter, this_program},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// What the lab's root has already.
const TAKEN: &[&str] = &[
    "bin",
    "dev",
    "init",
    "proc",
    "sys",
    "task.json",
    "tmp",
    "..",
];

/// What is booted, and for what.
#[derive(Clone, Debug)]
pub struct Shell<'a> {
    /// The emulator.
    pub emulator: &'a dyn Emulator,
    /// The kernel.
    pub kernel: &'a Path,
    /// The machine.
    pub machine: Machine,
    /// Directories that come along, each as /name.
    pub with: &'a [PathBuf],
    /// More of the kernel's command line.
    pub append: &'a str,
    /// The argument that makes this program the lab's first process.
    pub init: &'a str,
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
        let mut archive = initramfs::root(&program, &Task::Command(self.command.to_vec()));
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
        let boot = Boot {
            emulator: self.emulator,
            machine: self.machine,
            kernel: self.kernel,
            append: &format!("{} -- {}", self.append, self.init),
            // A command reads nothing.
            terminal: match self.command.is_empty() {
                true => Terminal::Console,
                false => Terminal::Shown,
            },
            limit: None,
        };
        let booted = boot.run(archive)?;
        match serde_json::from_str::<Ended>(booted.lines.trim()) {
            Ok(ended) => Ok(ended.code),
            Err(_) => Err(Error::Lost(booted.end.to_string())),
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
