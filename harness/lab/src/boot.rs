// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One boot: files in, lines out.

use crate::{
    emulator::{Console, Emulator, Machine, Start},
    error::{Error, io_error},
    initramfs::Archive,
    interrupt,
};
use std::{
    fmt, fs,
    path::Path,
    process::{Child, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What is booted.
#[derive(Clone, Copy, Debug)]
pub struct Boot<'a> {
    /// The emulator.
    pub emulator: &'a dyn Emulator,
    /// The machine.
    pub machine: Machine,
    /// The kernel, a bzImage.
    pub kernel: &'a Path,
    /// What its command line has besides the emulator's, and after `--` the arguments of
    /// the first process.
    pub append: &'a str,
    /// Where its console goes.
    pub terminal: Terminal,
    /// How long it may take, real time; for ever without one.
    pub limit: Option<Duration>,
}

/// What this process's terminal is to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// Nothing: the console is kept.
    Kept,
    /// It shows the console. Nothing is read from it, so that Ctrl-C ends the machine.
    Shown,
    /// It is the console, and Ctrl-C is for the machine.
    Console,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Booted {
    /// What was written to the second serial port.
    pub lines: String,
    /// Everything that the kernel said; nothing if it said that on the terminal.
    pub console: String,
    /// How the machine ended.
    pub end: End,
}

/// How a machine ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Ended,
    /// The emulator gave up.
    Failed {
        /// Its exit status.
        status: ExitStatus,
        /// What it said.
        said: String,
    },
    /// It took longer than it may, and was stopped.
    Hung(Duration),
    /// Ctrl-C, and it was stopped.
    Interrupted,
    /// The emulator's end could not be waited for.
    Unknown(String),
}

impl fmt::Display for End {
    /// Reads on after "the lab".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Ended => write!(f, "ended"),
            End::Failed { status, said } if said.is_empty() => write!(f, "failed ({status})"),
            End::Failed { status, said } => write!(f, "could not go on ({status}): {said}"),
            End::Hung(limit) => write!(f, "hung: stopped after {} s", limit.as_secs()),
            End::Interrupted => write!(f, "was interrupted"),
            End::Unknown(why) => write!(f, "could not be waited for: {why}"),
        }
    }
}

impl Boot<'_> {
    /// Boots with `root` as the root file system, and waits for the end.
    ///
    /// # Errors
    /// Only what keeps the machine from being started.
    pub fn run(&self, root: Archive) -> Result<Booted, Error> {
        let dir = tempfile::tempdir().map_err(io_error("create", std::env::temp_dir()))?;
        let path = |name: &str| dir.path().join(name);
        let (initramfs, console, lines) = (path("initramfs"), path("console"), path("lines"));
        fs::write(&initramfs, root.finish()).map_err(io_error("write", &initramfs))?;
        let mut prepared = self.emulator.prepare(&Start {
            machine: self.machine,
            kernel: self.kernel,
            initramfs: &initramfs,
            append: self.append,
            console: match self.terminal {
                Terminal::Kept => Console::File(&console),
                Terminal::Shown | Terminal::Console => Console::Terminal,
            },
            lines: &lines,
        })?;
        if self.terminal != Terminal::Console {
            prepared.command.stdin(Stdio::null());
        }
        if self.terminal == Terminal::Kept {
            prepared
                .command
                .stdout(Stdio::null())
                .stderr(Stdio::piped());
        }
        let program = prepared.command.get_program().to_owned();
        let spawned = prepared.command.spawn();
        let mut child = spawned.map_err(io_error("start", program))?;
        let end = self.wait(&mut child);
        let read =
            |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        Ok(Booted {
            lines: read(&lines),
            console: read(&console),
            end,
        })
    }

    /// Waits for the end of the emulator.
    fn wait(&self, child: &mut Child) -> End {
        let begun = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) if self.emulator.ended_well(status) => return End::Ended,
                Ok(Some(status)) => {
                    let mut said = String::new();
                    if let Some(mut stderr) = child.stderr.take() {
                        let _ = std::io::Read::read_to_string(&mut stderr, &mut said);
                    }
                    let said = said.trim().to_string();
                    return End::Failed { status, said };
                }
                Ok(None) => {}
                Err(e) => return End::Unknown(e.to_string()),
            }
            if let Some(limit) = self.limit.filter(|limit| begun.elapsed() > *limit) {
                stop(child);
                return End::Hung(limit);
            }
            if interrupt::seen() {
                stop(child);
                return End::Interrupted;
            }
            // A boot takes a second or more, so that this adds a percent.
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::{Cpu, Identity, Prepared};
    use std::{os::unix::process::ExitStatusExt, process::Command};

    /// A shell script as a machine, told by variables instead of arguments. Its end is a
    /// failure of the script, as that of some emulators is.
    #[derive(Debug)]
    struct Script(Identity, &'static str);

    impl Emulator for Script {
        fn identity(&self) -> &Identity {
            &self.0
        }

        fn prepare(&self, start: &Start<'_>) -> Result<Prepared, Error> {
            let Console::File(console) = start.console else {
                return Err(Error::Emulator("a script has no terminal".into()));
            };
            let mut command = Command::new("sh");
            command
                .args(["-c", self.1])
                .env("CONSOLE", console)
                .env("LINES", start.lines)
                .env("APPEND", start.append);
            let scratch = tempfile::tempdir().map_err(io_error("create", "a directory"))?;
            fs::write(scratch.path().join("configuration"), "cpu: count=1\n")
                .map_err(io_error("write", scratch.path()))?;
            command.current_dir(scratch.path());
            Ok(Prepared {
                command,
                scratch: Some(scratch),
            })
        }

        fn ended_well(&self, status: ExitStatus) -> bool {
            status.code() == Some(1)
        }
    }

    fn boot(script: &'static str, limit: Duration, terminal: Terminal) -> Result<Booted, Error> {
        let identity = Identity {
            name: "script",
            version: "1".into(),
            cpu: Cpu {
                name: "none",
                model: "none",
            },
            cmdline: String::new(),
        };
        let boot = Boot {
            emulator: &Script(identity, script),
            machine: Machine::default(),
            kernel: Path::new("kernel"),
            append: "quiet -- work",
            terminal,
            limit: Some(limit),
        };
        boot.run(Archive::default())
    }

    #[test]
    fn an_emulator_has_its_own_files_and_its_own_way_to_end() {
        let script = "cat configuration > $CONSOLE; echo $APPEND > $LINES; exit 1";
        let booted = boot(script, Duration::from_secs(60), Terminal::Kept).unwrap();
        assert_eq!(booted.end, End::Ended);
        assert_eq!(booted.console, "cpu: count=1\n");
        assert_eq!(booted.lines, "quiet -- work\n");
        let refused = boot(script, Duration::from_secs(60), Terminal::Shown).unwrap_err();
        assert_eq!(refused.to_string(), "a script has no terminal");
    }

    #[test]
    fn an_end_says_what_it_was() {
        let end = |script, limit| boot(script, limit, Terminal::Kept).unwrap().end;
        let long = Duration::from_secs(60);
        let failed = End::Failed {
            status: ExitStatus::from_raw(3 << 8),
            said: "no memory".into(),
        };
        assert_eq!(end("echo no memory >&2; exit 3", long), failed);
        let hung = end("exec sleep 1000", Duration::from_millis(50));
        assert_eq!(hung.to_string(), "hung: stopped after 0 s");
    }
}
