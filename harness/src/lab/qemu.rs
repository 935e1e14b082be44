// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The emulator and the machine that it is told to be.
//!
//! What makes it repeatable: `-icount shift=0,sleep=off` (the clock is the count
//! of instructions; idle time is skipped to the next timer), a clock that starts
//! at a fixed date and runs with the machine, a fixed seed, no random-number
//! instructions, and one thread for all CPUs, which icount asks for.

use super::error::Error;
use std::{path::Path, process::Command};

const PROGRAM: &str = "qemu-system-x86_64";

/// The oldest version that was tried: `-icount` with SVM and NPT works there.
const OLDEST: (u32, u32) = (7, 2);

/// The model has SVM and no feature that QEMU invents numbers for. XSAVE is off
/// because a guest under TCG finds its sizes inconsistent.
const CPU: &str = "EPYC-v3,+svm,-rdrand,-rdseed,-xsave";

/// The kernel's command line. Without `kvm.tsc_tolerance_ppm`, KVM reads an
/// early estimate of the TSC frequency that is 0.15 % off and finds no scaling.
const CMDLINE: &str = "console=ttyS0 norandmaps nokaslr tsc=reliable kvm.tsc_tolerance_ppm=20000 \
                       oops=panic panic=-1 loglevel=5 rdinit=/init";

/// Memory of the lab, MiB: the largest guest of the quick profile and room.
const MEMORY_MIB: u32 = 3072;

/// A QEMU that can be the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qemu {
    /// What it says that it is: `10.0.2 (Debian 1:10.0.2+ds-2)`. Part of every
    /// record's identity: another version has other counts.
    pub version: String,
}

/// What QEMU is to read and write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files<'a> {
    pub(super) kernel: &'a Path,
    pub(super) initramfs: &'a Path,
    /// The console, from the first line of the kernel on.
    pub(super) console: &'a Path,
    /// The second serial port.
    pub(super) answers: &'a Path,
}

impl Qemu {
    /// Finds QEMU.
    ///
    /// # Errors
    /// [`Error::NoQemu`] or [`Error::Qemu`].
    pub fn find() -> Result<Self, Error> {
        let output = Command::new(PROGRAM).arg("--version").output();
        let output = output.map_err(|_| Error::NoQemu)?;
        Self::parse(&String::from_utf8_lossy(&output.stdout))
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let line = text.lines().next().unwrap_or_default();
        let strange = || Error::Qemu(format!("it calls itself {line:?}"));
        let version = line
            .strip_prefix("QEMU emulator version ")
            .ok_or_else(strange)?;
        let mut numbers = version
            .split(|c: char| !c.is_ascii_digit())
            .map(str::parse::<u32>);
        let mut number = || numbers.next().and_then(Result::ok).ok_or_else(strange);
        let found = (number()?, number()?);
        if found < OLDEST {
            return Err(Error::Qemu(format!(
                "version {}.{} is too old",
                found.0, found.1
            )));
        }
        Ok(Qemu {
            version: version.trim().to_string(),
        })
    }

    /// The command that boots `files` on `cpus` CPUs; `init` are the arguments
    /// of /init.
    pub(super) fn command(&self, files: Files<'_>, cpus: u64, init: &str) -> Command {
        let mut qemu = Command::new(PROGRAM);
        let file = |path: &Path| format!("file:{}", path.display());
        qemu.args([
            "-machine",
            "q35",
            "-accel",
            "tcg,thread=single",
            "-cpu",
            CPU,
        ])
        .args(["-icount", "shift=0,sleep=off", "-seed", "1"])
        .args(["-rtc", "base=2026-01-01T00:00:00,clock=vm"])
        .args(["-smp", &cpus.to_string(), "-m", &MEMORY_MIB.to_string()])
        .args([
            "-nodefaults",
            "-display",
            "none",
            "-monitor",
            "none",
            "-no-reboot",
        ])
        .args([
            "-serial",
            &file(files.console),
            "-serial",
            &file(files.answers),
        ])
        .arg("-kernel")
        .arg(files.kernel)
        .arg("-initrd")
        .arg(files.initramfs)
        .args(["-append", &format!("{CMDLINE} -- {init}")]);
        qemu
    }

    /// The machine and the command line, for a record.
    pub fn facts(&self) -> [(&'static str, String); 4] {
        [
            ("lab.qemu", self.version.clone()),
            ("lab.cpu", CPU.to_string()),
            ("lab.memory", format!("{MEMORY_MIB} MiB")),
            ("lab.cmdline", CMDLINE.to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_old_ones_refused() {
        let check = |text: &str, expected: Result<&str, &str>| match (Qemu::parse(text), expected) {
            (Ok(q), Ok(version)) => assert_eq!(q.version, version),
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
