// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One boot of the lab: jobs in, answers out. Whatever kills the machine becomes
//! the answer to the job that it was at, with the console's last lines.

use super::{
    error::{Error, io_error},
    initramfs,
    inside::{Errand, Line},
    qemu::{Console, Files, Machine, Qemu},
    tlb::Modelling,
};
use crate::{
    cell::{Answer, Job},
    guest, interrupt,
};
use results::Outcome;
use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a boot may take, real time, and each of its cells. The longest, a Linux
/// guest with all its memory populated, takes 20 s on a busy machine.
const LIMIT: Duration = Duration::from_secs(900);
const LIMIT_PER_CELL: Duration = Duration::from_secs(60);

/// How much of the console is kept with a failure, lines.
const TAIL: usize = 30;

/// What is booted.
#[derive(Clone, Copy, Debug)]
pub struct Boot<'a> {
    /// The emulator.
    pub qemu: &'a Qemu,
    /// The kernel.
    pub kernel: &'a Path,
    /// This program, linked statically.
    pub program: &'a [u8],
    /// How many CPUs the lab has.
    pub cpus: u64,
    /// What models its TLBs, if that is asked for; its QEMU is the emulator then.
    pub model: Option<&'a Modelling>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Booted {
    /// An answer for each job, in order.
    pub answers: Vec<Answer>,
    /// Everything that the kernel said.
    pub console: String,
}

impl Boot<'_> {
    /// Boots, carries out `jobs`, and waits for the end.
    ///
    /// # Errors
    /// Only what keeps the machine from being started.
    pub fn run(&self, jobs: &[Job]) -> Result<Booted, Error> {
        let dir = tempfile::tempdir().map_err(io_error("create", std::env::temp_dir()))?;
        let path = |name: &str| dir.path().join(name);
        let (initramfs, console, answers) = (path("initramfs"), path("console"), path("answers"));
        let mut inside = jobs.to_vec();
        let luggage = guest::pack(&mut inside).map_err(|(path, source)| Error::Io {
            action: "read",
            path,
            source,
        })?;
        let mut archive = initramfs::root(self.program, &Errand::Jobs(inside));
        luggage.add_to(&mut archive);
        fs::write(&initramfs, archive.finish()).map_err(io_error("write", &initramfs))?;
        let files = Files {
            kernel: self.kernel,
            initramfs: &initramfs,
            console: Console::File(&console),
            answers: &answers,
        };
        let machine = Machine {
            cpus: self.cpus,
            ..Machine::default()
        };
        let qemu = self.model.map_or(self.qemu, Modelling::qemu);
        let mut command = qemu.command(files, machine, "");
        let ram = match self.model {
            None => None,
            Some(model) => {
                let dir = Modelling::directory();
                let dir = dir.map_err(io_error("create", std::env::temp_dir()))?;
                model.arrange(&mut command, dir.path(), machine.memory_mib);
                Some(dir)
            }
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|_| Error::NoQemu)?;
        let how = wait(&mut child, LIMIT + LIMIT_PER_CELL * jobs.len() as u32);
        drop(ram);
        let read =
            |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        let console = read(&console);
        Ok(Booted {
            answers: sort(jobs.len(), &read(&answers), &how, &console),
            console,
        })
    }
}

/// Waits for the end of QEMU; how it ended, in words.
fn wait(child: &mut Child, limit: Duration) -> String {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return "ended".into(),
            Ok(Some(status)) => {
                let mut said = String::new();
                if let Some(mut stderr) = child.stderr.take() {
                    let _ = std::io::Read::read_to_string(&mut stderr, &mut said);
                }
                return format!("could not go on ({status}): {}", said.trim());
            }
            Ok(None) if begun.elapsed() > limit => {
                stop(child);
                return format!("hung: stopped after {} s", limit.as_secs());
            }
            Ok(None) if interrupt::seen() => {
                stop(child);
                return "was interrupted".into();
            }
            // A boot takes a second or more, so that this adds a percent.
            Ok(None) => thread::sleep(Duration::from_millis(10)),
            Err(e) => return format!("could not be waited for: {e}"),
        }
    }
}

fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// The answers in the order of the jobs. The first job without one was the one
/// at which the machine died; those after it were not begun.
fn sort(jobs: usize, text: &str, how: &str, console: &str) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = vec![None; jobs];
    for line in text.lines() {
        if let Ok(Line { job, answer }) = serde_json::from_str::<Line>(line)
            && let Some(place) = answers.get_mut(job)
        {
            *place = Some(answer);
        }
    }
    let mut died = false;
    let fill = |answer: Option<Answer>| {
        answer.unwrap_or_else(|| {
            let error = match std::mem::replace(&mut died, true) {
                false if console.trim().is_empty() => format!(
                    "the lab {how} before this cell answered, and its console stayed empty: \
                     a kernel for it needs CONFIG_SERIAL_8250_CONSOLE=y and CONFIG_BLK_DEV_INITRD=y"
                ),
                false => format!("the lab {how} before this cell answered"),
                true => "the lab was gone before this cell began".into(),
            };
            Answer::Outcome(Outcome::Failed {
                error,
                detail: Some(tail(console)),
            })
        })
    };
    answers.into_iter().map(fill).collect()
}

fn tail(console: &str) -> String {
    let lines: Vec<_> = console.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_the_answer_of_the_job_it_struck() {
        let first = serde_json::to_string(&Line {
            job: 0,
            answer: Answer::Available,
        })
        .unwrap();
        let text = format!("{first}\r\n{{\"job\":1,\"ans");
        let answers = sort(3, &text, "ended", "line 1\nKernel panic - not syncing");
        assert_eq!(answers[0], Answer::Available);
        let said = |i: usize| format!("{:?}", answers[i]);
        assert!(
            said(1).contains("ended before this cell answered") && said(1).contains("Kernel panic")
        );
        assert!(said(2).contains("gone before this cell began"));
    }

    #[test]
    fn a_silent_kernel_is_told_what_it_lacks() {
        let answers = sort(1, "", "ended", "\r\n");
        assert!(format!("{answers:?}").contains("CONFIG_SERIAL_8250_CONSOLE"));
    }

    #[test]
    fn strange_answers_are_passed_over() {
        let text = "noise\n{\"job\":99,\"answer\":\"available\"}\n";
        assert_eq!(sort(1, text, "ended", "").len(), 1);
    }
}
