// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A process per cell: what kills it becomes a row.

use super::Executor;
use crate::job::{Answer, Job};
use results::Outcome;
use std::{
    io::{self, Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};
use strategies::{Refusal, Stage};

/// How long a cell process may take. Longer than the guest may take for each
/// of its answers, so that the process can still say what happened.
const LIMIT: Duration = Duration::from_secs(150);

/// Starts `program cell` for each job.
#[derive(Debug)]
pub struct Process {
    program: PathBuf,
    limit: Duration,
}

impl Process {
    /// Cell processes of this very program.
    ///
    /// # Errors
    /// If the program cannot tell where it is.
    pub fn of_this_program() -> io::Result<Self> {
        Ok(Self::new(std::env::current_exe()?, LIMIT))
    }

    /// Cell processes of `program`, each given at most `limit`.
    pub fn new(program: PathBuf, limit: Duration) -> Self {
        Process { program, limit }
    }

    fn run(&self, job: &Job) -> io::Result<(ExitStatus, Vec<u8>, String)> {
        let mut child = Command::new(&self.program)
            .arg("cell")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C is for the run, which ends after the
            // cell in flight.
            .process_group(0)
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // A child that died already tells more by its status.
            let _ = serde_json::to_writer(&mut input, job);
            let _ = input.flush();
        }
        let output = drain(child.stdout.take());
        let errors = drain(child.stderr.take());
        let Ok(output) = output.recv_timeout(self.limit) else {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!(
                    "gave no answer within {} s and was killed",
                    self.limit.as_secs()
                ),
            ));
        };
        let status = wait(&mut child)?;
        let errors = errors
            .recv_timeout(Duration::from_secs(1))
            .unwrap_or_default();
        Ok((
            status,
            output,
            String::from_utf8_lossy(&errors).into_owned(),
        ))
    }
}

impl Executor for Process {
    fn carry_out(&self, jobs: &[Job]) -> Vec<Answer> {
        jobs.iter().map(|job| self.answer(job)).collect()
    }
}

impl Process {
    /// The answer to one job.
    pub fn answer(&self, job: &Job) -> Answer {
        match self.run(job) {
            Err(e) => Answer::Outcome(Outcome::failed(format!("cell process: {e}"))),
            Ok((status, output, errors)) => match serde_json::from_slice(&output) {
                Ok(answer) if status.success() => answer,
                _ => Answer::Outcome(died(job, status, &errors)),
            },
        }
    }
}

/// Reads everything on a thread of its own, so that a full pipe blocks nobody.
fn drain(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut all = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut all);
        }
        let _ = send.send(all);
    });
    receive
}

fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    loop {
        match child.wait() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => return other,
        }
    }
}

/// What it means that a cell process ended without an answer. In a probe, a
/// SIGBUS is the kernel refusing the first touch of the strategy's memory.
fn died(job: &Job, status: ExitStatus, errors: &str) -> Outcome {
    let how = match status.signal() {
        Some(signal) => format!("killed by {}", signal_name(signal)),
        None => format!("ended with {status} and no answer"),
    };
    if let (Job::Probe { .. }, Some(libc::SIGBUS), Ok(arm)) = (job, status.signal(), job.arm()) {
        let missing = arm.explain(&Refusal {
            stage: Stage::Touch,
            errno: None,
            seen: format!("first touch: {how}"),
        });
        return missing.into();
    }
    let errors = errors.trim();
    Outcome::Failed {
        error: format!("the cell process was {how}"),
        detail: (!errors.is_empty()).then(|| errors.to_string()),
    }
}

fn signal_name(signal: i32) -> String {
    match signal {
        libc::SIGBUS => "SIGBUS".into(),
        libc::SIGSEGV => "SIGSEGV".into(),
        libc::SIGKILL => "SIGKILL (by the kernel for lack of memory, or by hand)".into(),
        libc::SIGABRT => "SIGABRT".into(),
        libc::SIGTERM => "SIGTERM".into(),
        other => format!("signal {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A cell process that is a shell script.
    fn answer_of(script: &str, limit: Duration) -> Answer {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cell.sh");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let job = Job::Probe {
            strategy: "guest-memfd".into(),
        };
        Process::new(path, limit).answer(&job)
    }

    #[test]
    fn every_death_is_an_answer() {
        let check = |script: &str, expected: &str| {
            let text = format!("{:?}", answer_of(script, Duration::from_secs(20)));
            assert!(text.contains(expected), "{script}: {text} lacks {expected}");
        };
        check("echo '\"available\"'", "Available");
        check(
            "kill -BUS $$",
            "cannot be shared from the start (first touch: killed by SIGBUS)",
        );
        check("kill -SEGV $$", "the cell process was killed by SIGSEGV");
        check("echo no >&2; exit 3", "detail: Some(\"no\")");
        check("echo nonsense", "no answer");
    }

    #[test]
    fn a_process_that_hangs_is_killed() {
        let text = format!(
            "{:?}",
            answer_of("exec sleep 1000", Duration::from_millis(50))
        );
        assert!(text.contains("was killed"), "{text}");
    }

    #[test]
    fn a_program_that_is_not_there_is_an_answer() {
        let job = Job::Probe {
            strategy: "anon".into(),
        };
        let answer = Process::new("/nonexistent".into(), LIMIT).answer(&job);
        assert!(format!("{answer:?}").contains("cell process"));
    }
}
