// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What runs inside the lab, as its first process: mounts what the kernel
//! offers, carries out the errand that came along, writes each answer to the
//! second serial port, and ends the machine.

use crate::{
    cell::{Answer, Job},
    execute::Process,
};
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
    path::PathBuf,
    process::Command,
    time::Duration,
};

/// How long one cell may take, in the machine's own time. The hypervisor on the
/// other side has a limit of its own, in real time.
const CELL_LIMIT: Duration = Duration::from_secs(600);

/// What the machine was booted for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Errand {
    /// Cells, in this order.
    Jobs(Vec<Job>),
    /// A command, or without one a prompt.
    Shell(Vec<String>),
}

impl Errand {
    /// Where it is.
    pub(super) const FILE: &str = "/errand.json";
}

/// How the command of [`Errand::Shell`] ended, as a line on the second serial
/// port.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Ended {
    /// Its exit code; 128 and the signal if one killed it.
    pub(super) code: u8,
}

/// One line on the second serial port.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Line {
    /// The job's place among the jobs.
    pub(super) job: usize,
    /// Its answer.
    pub(super) answer: Answer,
}

/// Carries out the errand and ends the machine. Returns only if this process is
/// not the first one, or the machine would not end.
///
/// # Errors
/// The call that failed. In the lab, nobody but the console sees it.
pub fn run() -> io::Result<()> {
    if std::process::id() != 1 {
        return Err(io::Error::other(
            "this command is the lab's first process; people do not start it",
        ));
    }
    let done = errand();
    if let Err(e) = &done {
        eprintln!("lab: {e}");
    }
    // -no-reboot turns this into the end of QEMU.
    reboot(RebootCommand::Restart)?;
    done
}

fn errand() -> io::Result<()> {
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
    let errand: Errand = serde_json::from_reader(File::open(Errand::FILE)?)?;
    let mut port = OpenOptions::new().write(true).open("/dev/ttyS1")?;
    match errand {
        Errand::Jobs(jobs) => {
            let process = Process::new(PathBuf::from("/init"), CELL_LIMIT);
            for (job, what) in jobs.iter().enumerate() {
                let answer = process.answer(what);
                say(&mut port, &Line { job, answer })?;
            }
        }
        Errand::Shell(command) => {
            let code = shell(&command)?;
            say(&mut port, &Ended { code })?;
        }
    }
    port.flush()
}

fn say(port: &mut File, line: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(line)?;
    line.push(b'\n');
    port.write_all(&line)
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
