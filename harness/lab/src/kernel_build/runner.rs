// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs the programs of a build, one after the other, into one log.
//!
//! Their standard input is the lock file: empty to read, and a lock that lasts
//! until the last of them has ended. A build that was killed and whose make
//! still runs is thus not joined by a second make in the same directory.

use super::Error;
use crate::interrupt;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How often a long step is heard of.
const REPORT: Duration = Duration::from_secs(15);
/// How many lines of a failed step are said.
const TAIL: usize = 12;
/// The log, and what every program of a build gets.
pub(super) struct Runner {
    log: PathBuf,
    out: File,
    lock: File,
    cache: PathBuf,
}

impl Runner {
    /// Appends to `log`; programs inherit `lock`.
    pub(super) fn new(log: PathBuf, lock: &File, cache: &Path) -> Result<Self, Error> {
        super::cache::create_parent(&log)?;
        let open = File::options().create(true).append(true).open(&log);
        let out = open.map_err(Error::io("open", &log))?;
        let lock = lock
            .try_clone()
            .map_err(Error::io("keep the lock of", &log))?;
        Ok(Runner {
            log,
            out,
            lock,
            cache: cache.into(),
        })
    }

    /// Where everything is logged.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Runs `command` to its end; `what` names it in messages.
    ///
    /// # Errors
    /// If it fails: the log's last lines are said, the error has the one that
    /// says most.
    pub(super) fn run(
        &mut self,
        what: &str,
        command: &mut Command,
        say: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        let log = self.log.clone();
        let in_log = || Error::io("write", &log);
        writeln!(self.out, "== {what}").map_err(in_log())?;
        let from = self.out.seek(SeekFrom::End(0)).map_err(in_log())?;
        let program = PathBuf::from(command.get_program());
        let mut child = command
            .stdin(self.lock.try_clone().map_err(in_log())?)
            .stdout(self.out.try_clone().map_err(in_log())?)
            .stderr(self.out.try_clone().map_err(in_log())?)
            // So that what it started can be ended with it.
            .process_group(0)
            .spawn()
            .map_err(Error::io("start", &program))?;
        let status = self.wait(&mut child, what, from, say)?;
        match status.success() {
            true => Ok(()),
            false => Err(self.failure(what, status, from, say)),
        }
    }

    fn wait(
        &self,
        child: &mut Child,
        what: &str,
        from: u64,
        say: &mut dyn FnMut(&str),
    ) -> Result<ExitStatus, Error> {
        let begin = Instant::now();
        let mut objects = Objects::new(&self.log, from);
        let mut next = REPORT;
        let mut pause = Duration::from_millis(2);
        loop {
            if let Some(status) = child.try_wait().map_err(Error::io("wait for", &self.log))? {
                return Ok(status);
            }
            if interrupt::seen() {
                let _ = kill_process_group(Pid::from_child(child), Signal::TERM);
                let _ = child.wait();
                return Err(Error::Interrupted(what.into()));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(200));
            if begin.elapsed() >= next {
                next += REPORT;
                let built = match objects.count() {
                    0 => String::new(),
                    n => format!(", {n} objects built"),
                };
                say(&format!("{what}: {}{built}", elapsed(begin.elapsed())));
            }
        }
    }

    fn failure(
        &self,
        what: &str,
        status: ExitStatus,
        from: u64,
        say: &mut dyn FnMut(&str),
    ) -> Error {
        let output = read_from(&self.log, from);
        if let Some(line) = disk_full(&output) {
            return Error::DiskFull {
                path: self.cache.clone(),
                detail: line.into(),
            };
        }
        let lines: Vec<_> = output.lines().collect();
        for line in &lines[lines.len().saturating_sub(TAIL)..] {
            say(&format!("| {line}"));
        }
        Error::Command {
            what: what.into(),
            how: match (status.code(), status.signal()) {
                (Some(code), _) => format!("failed with exit status {code}"),
                (None, Some(signal)) => format!("was killed by signal {signal}"),
                (None, None) => "failed".into(),
            },
            line: telling(&lines).into(),
            log: self.log.clone(),
        }
    }
}

/// The standard output of a short command that must succeed, in English.
pub(super) fn output_of(command: &mut Command) -> Result<String, Error> {
    let program = PathBuf::from(command.get_program());
    let output = command
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(Error::io("start", &program))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines: Vec<_> = text.lines().collect();
        let cause = std::io::Error::other(telling(&lines).to_string());
        return Err(Error::io("run", &program)(cause));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The line that says that the disk is full, if there is one.
pub(super) fn disk_full(output: &str) -> Option<&str> {
    let full = ["No space left on device", "Disk quota exceeded"];
    let line = output.lines().find(|l| full.iter().any(|f| l.contains(f)));
    line.map(str::trim)
}

/// A duration as a person says it.
pub(super) fn elapsed(time: Duration) -> String {
    match time.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s => format!("{} min {} s", s / 60, s % 60),
    }
}

/// The line of a failure's output that says most: the first error, which the
/// later ones follow from, else the last line.
fn telling<'a>(lines: &[&'a str]) -> &'a str {
    let first = |mark: &str| lines.iter().find(|l| l.contains(mark));
    first("error:")
        .or_else(|| lines.iter().find(|l| l.starts_with("E: ")))
        .or_else(|| first("***"))
        .or_else(|| lines.iter().rev().find(|l| !l.trim().is_empty()))
        .map_or("it said nothing", |l| l.trim())
}

fn read_from(log: &Path, from: u64) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
    String::from_utf8_lossy(&bytes[from..]).into_owned()
}

/// Counts the objects that make says it built, reading each byte once.
struct Objects {
    log: Option<File>,
    unfinished: String,
    count: usize,
}

impl Objects {
    fn new(log: &Path, from: u64) -> Self {
        let open = File::open(log).and_then(|mut f| f.seek(SeekFrom::Start(from)).map(|_| f));
        Objects {
            // A log that cannot be read costs the count, not the build.
            log: open.ok(),
            unfinished: String::new(),
            count: 0,
        }
    }

    fn count(&mut self) -> usize {
        let mut bytes = Vec::new();
        if let Some(log) = &mut self.log {
            let _ = log.read_to_end(&mut bytes);
        }
        self.unfinished += &String::from_utf8_lossy(&bytes);
        if let Some(end) = self.unfinished.rfind('\n') {
            let rest = self.unfinished.split_off(end + 1);
            let lines = std::mem::replace(&mut self.unfinished, rest);
            self.count += lines.lines().filter(|l| is_object(l)).count();
        }
        self.count
    }
}

/// `  CC      kernel/fork.o`
fn is_object(line: &str) -> bool {
    line.starts_with("  ") && line.ends_with(".o")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runner(dir: &Path) -> Runner {
        let lock = File::create(dir.join("lock")).unwrap();
        Runner::new(dir.join("log"), &lock, dir).unwrap()
    }

    #[test]
    fn a_failure_has_its_line_and_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let mut said = Vec::new();
        let mut runner = runner(dir.path());
        let mut ls = Command::new("ls");
        let error = runner
            .run(
                "listing",
                ls.arg("/no/such/place").env("LC_ALL", "C"),
                &mut |l| said.push(l.to_string()),
            )
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("listing failed with exit status 2: "),
            "{error}"
        );
        assert!(error.contains("No such file"), "{error}");
        assert!(
            error.contains(&dir.path().join("log").display().to_string()),
            "{error}"
        );
        assert!(
            said.iter()
                .any(|l| l.starts_with("| ") && l.contains("No such file"))
        );
    }

    #[test]
    fn a_full_disk_is_named_as_such() {
        let dir = tempfile::tempdir().unwrap();
        let mut dd = Command::new("dd");
        dd.args(["if=/dev/zero", "of=/dev/full", "bs=1", "count=1"]);
        let error = runner(dir.path())
            .run("writing", dd.env("LC_ALL", "C"), &mut |_| {})
            .unwrap_err();
        assert!(matches!(error, Error::DiskFull { .. }), "{error}");
        assert!(error.to_string().contains("UNMAPBENCH_CACHE"), "{error}");
    }

    #[test]
    fn the_first_error_says_most() {
        #[track_caller]
        fn check(output: &str, expected: &str) {
            assert_eq!(telling(&output.lines().collect::<Vec<_>>()), expected);
        }
        check(
            "a.c:1: error: no\nmake: *** [x] Error 1\n",
            "a.c:1: error: no",
        );
        check("Err: x\nE: no such thing\nbye\n", "E: no such thing");
        check("x\nmake: *** no rule\n\n", "make: *** no rule");
        check("x\nlast\n\n", "last");
        check("", "it said nothing");
    }

    #[test]
    fn objects_are_counted_across_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = File::create(&path).unwrap();
        writeln!(log, "== make\n  CC      before.o").unwrap();
        let from = log.stream_position().unwrap();
        let mut objects = Objects::new(&path, from);
        write!(log, "  CC      a.o\n  GEN     b.h\n  LD [M]  c.o\n  CC ").unwrap();
        assert_eq!(objects.count(), 2);
        writeln!(log, "     d.o").unwrap();
        assert_eq!(objects.count(), 3);
    }

    #[test]
    fn time_is_said_in_words() {
        assert_eq!(elapsed(Duration::from_secs(59)), "59 s");
        assert_eq!(elapsed(Duration::from_secs(61)), "1 min 1 s");
    }
}
