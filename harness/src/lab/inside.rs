// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What runs inside the lab, as its first process: mounts what the kernel
//! offers, carries out the jobs that came along, writes each answer to the
//! second serial port, and ends the machine.

use crate::{
    cell::{Answer, Job},
    execute::Process,
    host,
};
use rustix::{
    mount::{MountFlags, mount},
    system::{RebootCommand, reboot},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

/// How long one cell may take, in the machine's own time. The hypervisor on the
/// other side has a limit of its own, in real time.
const CELL_LIMIT: Duration = Duration::from_secs(600);

/// What comes along as /jobs.json.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Errand {
    /// Carried out in this order.
    pub(super) jobs: Vec<Job>,
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
    let _ = host::allow_huge_memfd();
    let errand: Errand = serde_json::from_reader(File::open("/jobs.json")?)?;
    let mut port = OpenOptions::new().write(true).open("/dev/ttyS1")?;
    let process = Process::new(PathBuf::from("/init"), CELL_LIMIT);
    for (job, what) in errand.jobs.iter().enumerate() {
        let answer = process.answer(what);
        let mut line = serde_json::to_vec(&Line { job, answer })?;
        line.push(b'\n');
        port.write_all(&line)?;
    }
    port.flush()
}
