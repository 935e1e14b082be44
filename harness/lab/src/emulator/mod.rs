// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Emulators: what the rest of the lab may know of one.
//!
//! An emulator has an identity, turns a [`Start`] into a command to run, and knows which
//! exit status means that its machine came to its own end. Whether it is told by a command
//! line or by a configuration file, and which other files it needs, is its own business:
//! what it writes for one boot lives in [`Prepared::scratch`].

mod qemu;

pub use qemu::Qemu;

use crate::Error;
use std::{
    fmt,
    path::Path,
    process::{Command, ExitStatus},
};
use tempfile::TempDir;

/// A program that is a machine.
pub trait Emulator: fmt::Debug + Sync {
    /// What decides its counts.
    fn identity(&self) -> &Identity;

    /// The command that boots `start` and ends with the machine.
    ///
    /// # Errors
    /// If it cannot be that machine, or its files cannot be written.
    fn prepare(&self, start: &Start<'_>) -> Result<Prepared, Error>;

    /// Whether `status` is that of a machine that ended by itself. Some emulators have
    /// no other way to end than by a failure of their own.
    fn ended_well(&self, status: ExitStatus) -> bool {
        status.success()
    }
}

/// What decides an emulator's counts: two of the same identity count alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What it is called, in lower case: `lab.<name>` is the fact of a record that holds
    /// its version.
    pub name: &'static str,
    /// What it says that it is, with the distribution's revision, and with the hash of
    /// the patches in it if it was built with any: `10.0.2 (Debian 1:10.0.2+ds-2)`.
    pub version: String,
    /// The processor that it is told to be.
    pub cpu: Cpu,
    /// The kernel's command line without what a caller adds.
    pub cmdline: String,
}

impl Identity {
    /// For a record: names and values.
    pub fn facts(&self) -> [(String, String); 3] {
        [
            (format!("lab.{}", self.name), self.version.clone()),
            ("lab.cpu".into(), self.cpu.model.into()),
            ("lab.cmdline".into(), self.cmdline.clone()),
        ]
    }
}

/// A processor that an emulator can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// What it stands for: `svm` fetches every instruction that it emulates by itself.
    pub name: &'static str,
    /// How the emulator is told.
    pub model: &'static str,
}

/// The machine that is asked for. What is not said here is the same in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// CPUs.
    pub cpus: u64,
    /// Memory, MiB.
    pub memory_mib: u32,
    /// What its clock counts.
    pub clock: Clock,
}

/// What the machine's clock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Instructions: repeatable to the last digit.
    Instructions,
    /// Real time: faster, for tests that count nothing.
    Real,
}

impl Default for Machine {
    fn default() -> Self {
        Machine {
            cpus: 1,
            // The largest guest of the quick profile, and room.
            memory_mib: 3072,
            clock: Clock::Instructions,
        }
    }
}

/// Where the console goes.
#[derive(Clone, Copy, Debug)]
pub enum Console<'a> {
    /// Into a file, from the first line of the kernel on.
    File(&'a Path),
    /// To and from this process's terminal.
    Terminal,
}

/// What is to be booted.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The machine.
    pub machine: Machine,
    /// A bzImage.
    pub kernel: &'a Path,
    /// Its initial root file system.
    pub initramfs: &'a Path,
    /// What the kernel's command line has besides [`Identity::cmdline`]: the kernel's own
    /// parameters, and after `--` the arguments of the first process.
    pub append: &'a str,
    /// The first serial port.
    pub console: Console<'a>,
    /// The file that the second serial port writes to.
    pub lines: &'a Path,
}

/// A boot that can begin.
#[derive(Debug)]
pub struct Prepared {
    /// What to run.
    pub command: Command,
    /// What the emulator wrote for this boot; to be kept until the command has ended.
    pub scratch: Option<TempDir>,
}
