// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The first process of a machine: mounts what the kernel offers, carries out the task
//! that came along, writes lines to the second serial port, and ends the machine.

use observe::kernel;
use rustix::{
    mount::{MountFlags, mount},
    system::{RebootCommand, reboot},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::process::ExitStatusExt,
    process::Command,
};

/// What a machine is booted for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Task {
    /// The caller's own work, in the caller's own words.
    Work(String),
    /// A command, or without one a prompt.
    Command(Vec<String>),
}

impl Task {
    /// Where it is.
    pub const FILE: &str = "/task.json";
}

/// How the command of [`Task::Command`] ended, as a line.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// Its exit code; 128 and the signal if one killed it.
    pub(crate) code: u8,
}

/// The second serial port.
#[derive(Debug)]
pub struct Lines(File);

impl Lines {
    /// Writes `line` as JSON.
    ///
    /// # Errors
    /// If the port does not take it.
    pub fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        self.0.write_all(&line)
    }
}

/// Carries out the task and ends the machine; `work` is what to do with the text of
/// [`Task::Work`]. Returns only if this process is not the first one, or the machine would
/// not end.
///
/// # Errors
/// The call that failed. In the lab, the console alone shows it.
pub fn run(work: impl FnOnce(&str, &mut Lines) -> io::Result<()>) -> io::Result<()> {
    if std::process::id() != 1 {
        return Err(io::Error::other(
            "this command is the lab's first process; people do not start it",
        ));
    }
    let done = carry_out(work);
    if let Err(e) = &done {
        eprintln!("lab: {e}");
    }
    // The emulator ends where a machine would start again.
    reboot(RebootCommand::Restart)?;
    done
}

fn carry_out(work: impl FnOnce(&str, &mut Lines) -> io::Result<()>) -> io::Result<()> {
    for (kind, place) in [
        ("devtmpfs", "/dev"),
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("tmpfs", "/tmp"),
    ] {
        mount(kind, place, kind, MountFlags::empty(), None)?;
    }
    // Huge pages for memfd on request, as scripts/compare does on a host. A
    // kernel without them has a missing row for it.
    let _ = kernel::allow_huge_memfd();
    let task: Task = serde_json::from_reader(File::open(Task::FILE)?)?;
    let mut lines = Lines(OpenOptions::new().write(true).open("/dev/ttyS1")?);
    match task {
        Task::Work(text) => work(&text, &mut lines)?,
        Task::Command(command) => {
            let code = shell(&command)?;
            lines.write(&Ended { code })?;
        }
    }
    lines.0.flush()
}

/// Runs `command`, or a prompt, with everything mounted that tests of a kernel
/// look for.
fn shell(command: &[String]) -> io::Result<u8> {
    // Kernels without them are none the worse.
    let _ = mount(
        "debugfs",
        kernel::DEBUGFS,
        "debugfs",
        MountFlags::empty(),
        None,
    );
    let busybox = |args: &[&str]| {
        let mut command = Command::new("/bin/busybox");
        command.args(args);
        command
    };
    busybox(&["--install", "-s", "/bin"]).status()?;
    let mut command = match command.split_first() {
        None => busybox(&["setsid", "cttyhack", "sh"]),
        Some((program, args)) => {
            // The program is looked for where the child will look for it.
            let mut command = busybox(&["env", program]);
            command.args(args);
            command
        }
    };
    command.env_clear();
    let env = [("PATH", "/bin"), ("HOME", "/"), ("TERM", "linux")];
    let status = command.envs(env).status()?;
    let signal = || status.signal().map_or(1, |s| 128 + s);
    Ok(u8::try_from(status.code().unwrap_or_else(signal)).unwrap_or(u8::MAX))
}
