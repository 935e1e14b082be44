// SPDX-License-Identifier: Apache-2.0 OR MIT
//! QEMU with TCG, and the machine that it is told to be.
//!
//! What makes it repeatable: `-icount shift=0,sleep=off` (the clock is the count
//! of instructions; idle time is skipped to the next timer), a clock that starts
//! at a fixed date and runs with the machine, a fixed seed, no random-number
//! instructions, and one thread for all CPUs, which icount asks for.

use super::{Clock, Console, Cpu, Emulator, Identity, Prepared, Start};
use crate::Error;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

const PROGRAM: &str = "qemu-system-x86_64";

/// The oldest version that was tried: `-icount` with SVM and NPT works there.
const OLDEST: (u32, u32) = (7, 2);

/// The processors that it can be; the first is used. SVM is all that TCG emulates of
/// virtualisation, without decode assists and without the saved next RIP. No model has a
/// feature that QEMU invents numbers for. XSAVE is off because a guest under TCG finds its
/// sizes inconsistent; `check=off` keeps QEMU from listing what of an EPYC it cannot
/// emulate.
const CPUS: [Cpu; 1] = [Cpu {
    name: "svm",
    model: "EPYC-v3,+svm,-rdrand,-rdseed,-xsave,check=off",
}];

/// The kernel's command line. Without `kvm.tsc_tolerance_ppm`, KVM reads an
/// early estimate of the TSC frequency that is 0.15 % off and finds no scaling. The RAM
/// disk, which takes memory only where it is written to, must hold a guest's kernel.
const CMDLINE: &str = "console=ttyS0 norandmaps nokaslr tsc=reliable kvm.tsc_tolerance_ppm=20000 \
                       brd.rd_size=65536 oops=panic panic=-1 loglevel=5 rdinit=/init";

/// A QEMU that can be the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qemu {
    identity: Identity,
    /// The first two numbers of its version.
    numbers: (u32, u32),
    /// Where it was unpacked, if it is not the machine's own.
    home: Option<PathBuf>,
}

impl Qemu {
    /// Finds QEMU.
    ///
    /// # Errors
    /// [`Error::NoEmulator`] or [`Error::Emulator`].
    pub fn find() -> Result<Self, Error> {
        Self::ask(None)
    }

    /// The QEMU whose packages were unpacked into `home`. What it needs besides is the
    /// machine's own.
    ///
    /// # Errors
    /// As [`Qemu::find`].
    pub fn at(home: &Path) -> Result<Self, Error> {
        Self::ask(Some(home))
    }

    fn ask(home: Option<&Path>) -> Result<Self, Error> {
        let output = program(home).arg("--version").output();
        let output = output.map_err(|_| missing())?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(unusable(said.trim()));
        }
        Ok(Qemu {
            home: home.map(Path::to_path_buf),
            ..Self::parse(&String::from_utf8_lossy(&output.stdout))?
        })
    }

    /// Whether it is of this version or a later one.
    pub(crate) fn at_least(&self, version: (u32, u32)) -> bool {
        self.numbers >= version
    }

    /// Whether it was built with plugins.
    pub(crate) fn takes_plugins(&self) -> bool {
        let output = program(self.home.as_deref()).arg("--help").output();
        output.is_ok_and(|o| {
            let said = String::from_utf8_lossy(&o.stdout).into_owned();
            said.lines().any(|line| line.starts_with("-plugin "))
        })
    }

    /// The one that calls itself `text`, on the path.
    ///
    /// # Errors
    /// [`Error::Emulator`] if it is too old or no QEMU.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let line = text.lines().next().unwrap_or_default();
        let strange = || unusable(&format!("it calls itself {line:?}"));
        let version = line
            .strip_prefix("QEMU emulator version ")
            .ok_or_else(strange)?;
        let mut numbers = version
            .split(|c: char| !c.is_ascii_digit())
            .map(str::parse::<u32>);
        let mut number = || numbers.next().and_then(Result::ok).ok_or_else(strange);
        let found = (number()?, number()?);
        if found < OLDEST {
            return Err(unusable(&format!(
                "version {}.{} is too old",
                found.0, found.1
            )));
        }
        Ok(Qemu {
            identity: Identity {
                name: "qemu",
                version: version.trim().to_string(),
                cpu: CPUS[0],
                cmdline: CMDLINE.to_string(),
            },
            numbers: found,
            home: None,
        })
    }
}

impl Emulator for Qemu {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn prepare(&self, start: &Start<'_>) -> Result<Prepared, Error> {
        let mut qemu = program(self.home.as_deref());
        let file = |path: &Path| format!("file:{}", path.display());
        if start.machine.clock == Clock::Instructions {
            qemu.args(["-icount", "shift=0,sleep=off"]);
        }
        let console = match start.console {
            Console::File(path) => file(path),
            Console::Terminal => {
                // Ctrl-C is for the person in the lab.
                qemu.args(["-chardev", "stdio,id=terminal,signal=off"]);
                "chardev:terminal".to_string()
            }
        };
        qemu.args(["-machine", "q35", "-accel", "tcg,thread=single"])
            .args(["-cpu", self.identity.cpu.model])
            .args(["-seed", "1", "-rtc", "base=2026-01-01T00:00:00,clock=vm"])
            .args(["-smp", &start.machine.cpus.to_string()])
            .args(["-m", &start.machine.memory_mib.to_string()])
            .args(["-nodefaults", "-display", "none", "-monitor", "none"])
            .arg("-no-reboot")
            .args(["-serial", &console, "-serial", &file(start.lines)])
            .arg("-kernel")
            .arg(start.kernel)
            .arg("-initrd")
            .arg(start.initramfs)
            .args(["-append", &format!("{CMDLINE} {}", start.append)]);
        Ok(Prepared {
            command: qemu,
            scratch: None,
        })
    }
}

fn missing() -> Error {
    Error::NoEmulator {
        program: PROGRAM,
        package: "qemu-system-x86",
    }
}

fn unusable(what: &str) -> Error {
    Error::Emulator(format!(
        "{PROGRAM}: {what}; the lab needs QEMU 7.2 or later with TCG"
    ))
}

/// QEMU itself: the machine's own, or the one in `home` with its libraries and firmware.
fn program(home: Option<&Path>) -> Command {
    let Some(home) = home else {
        return Command::new(PROGRAM);
    };
    let mut qemu = Command::new(home.join("usr/bin").join(PROGRAM));
    let libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
    let libraries = libraries.map(|dir| home.join(dir).display().to_string());
    qemu.env("LD_LIBRARY_PATH", libraries.join(":"));
    for data in ["usr/share/qemu", "usr/share/seabios"] {
        qemu.arg("-L").arg(home.join(data));
    }
    qemu
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_old_ones_refused() {
        let check = |text: &str, expected: Result<&str, &str>| match (Qemu::parse(text), expected) {
            (Ok(q), Ok(version)) => assert_eq!(q.identity.version, version),
            (Err(e), Err(part)) => assert!(e.to_string().contains(part), "{e}"),
            (found, _) => panic!("{text}: {found:?}"),
        };
        check(
            "QEMU emulator version 7.2.17 (Debian 1:7.2+dfsg-7)\nCopyright",
            Ok("7.2.17 (Debian 1:7.2+dfsg-7)"),
        );
        check("QEMU emulator version 10.0.2\n", Ok("10.0.2"));
        check("QEMU emulator version 6.1.0\n", Err("6.1 is too old"));
        check("QEMU emulator version x\n", Err("calls itself"));
        check("", Err("calls itself"));
    }
}
