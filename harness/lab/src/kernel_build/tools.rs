// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a kernel build needs of the machine: programs, a header, disk space.
//! Root on Debian gets what is missing; everybody else is told all of it at
//! once.

use super::{
    Error,
    runner::{Runner, output_of},
};
use std::{
    env,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

/// Something to be installed, and Debian's package of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tool {
    /// A program on the path.
    Program(&'static str, &'static str),
    /// A header that the compiler finds.
    Header(&'static str, &'static str),
}

/// Everything that building Linux on x86-64 takes.
pub(super) const KERNEL: &[Tool] = &[
    Tool::Program("make", "make"),
    Tool::Program("gcc", "gcc"),
    Tool::Program("ld", "binutils"),
    Tool::Program("flex", "flex"),
    Tool::Program("bison", "bison"),
    Tool::Program("bc", "bc"),
    Tool::Program("patch", "patch"),
    Tool::Program("tar", "tar"),
    Tool::Program("xz", "xz-utils"),
    Tool::Program("gzip", "gzip"),
    Tool::Program("lz4", "lz4"),
    Tool::Header("stdio.h", "libc6-dev"),
    Tool::Header("gelf.h", "libelf-dev"),
];

/// Makes sure that `tools` are there, by installing them if that is possible.
///
/// # Errors
/// The tools that are missing, and the packages to install.
pub(super) fn ensure(
    tools: &[Tool],
    runner: &mut Runner,
    say: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    let lacking = missing(tools);
    if lacking.is_empty() {
        return Ok(());
    }
    if on_path("apt-get") && is_root() {
        let packages: Vec<_> = lacking.iter().map(|t| t.package()).collect();
        say(&format!("installing {} by apt-get", packages.join(" ")));
        let mut update = apt_get();
        update.arg("update");
        // Without lists, which containers ship without, nothing is found; and
        // a list that cannot be updated is no reason not to try.
        let _ = runner.run("apt-get update", &mut update, say);
        let mut install = apt_get();
        install
            .args(["install", "--yes", "--no-install-recommends"])
            .args(&packages);
        match runner.run("apt-get install", &mut install, say) {
            // What is missing says more than how apt-get failed.
            Ok(()) | Err(Error::Command { .. }) => {}
            Err(e) => return Err(e),
        }
    }
    match missing(tools) {
        none if none.is_empty() => Ok(()),
        lacking => Err(lacks(&lacking)),
    }
}

/// The error that names them all.
fn lacks(lacking: &[Tool]) -> Error {
    let list = |of: fn(&Tool) -> &'static str, separator| {
        let names: Vec<_> = lacking.iter().map(of).collect();
        names.join(separator)
    };
    Error::Tools {
        missing: list(Tool::name, ", "),
        packages: list(Tool::package, " "),
    }
}

fn missing(tools: &[Tool]) -> Vec<Tool> {
    tools.iter().filter(|t| !t.is_there()).copied().collect()
}

impl Tool {
    fn name(&self) -> &'static str {
        let (Tool::Program(name, _) | Tool::Header(name, _)) = self;
        name
    }

    fn package(&self) -> &'static str {
        let (Tool::Program(_, package) | Tool::Header(_, package)) = self;
        package
    }

    fn is_there(&self) -> bool {
        match self {
            Tool::Program(name, _) => on_path(name),
            Tool::Header(name, _) => compiler_finds(name),
        }
    }
}

/// What compiles and links: part of a kernel's identity. None without one.
pub(super) fn compiler() -> Option<String> {
    let first = |program: &str| {
        let said = output_of(Command::new(program).arg("--version")).ok()?;
        said.lines().next().map(str::to_string)
    };
    Some(format!("{}; {}", first("gcc")?, first("ld")?))
}

/// Refuses to begin on a disk that has fewer than `bytes` free.
pub(super) fn ensure_room(dir: &Path, bytes: u64) -> Result<(), Error> {
    let Ok(said) = output_of(Command::new("df").arg("-Pk").arg(dir)) else {
        // Then the build finds out.
        return Ok(());
    };
    let free = said
        .lines()
        .nth(1)
        .and_then(|l| l.split_whitespace().nth(3));
    let free = free.and_then(|kib| kib.parse::<u64>().ok());
    match free.map(|kib| kib.saturating_mul(1024)) {
        Some(free) if free < bytes => Err(Error::DiskFull {
            path: dir.into(),
            detail: format!("{} MB free of {} MB", free / 1_000_000, bytes / 1_000_000),
        }),
        _ => Ok(()),
    }
}

/// Whether a program of this name can be started.
pub(super) fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| {
        let meta = dir.join(program).metadata();
        meta.is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    })
}

fn compiler_finds(header: &str) -> bool {
    let mut gcc = Command::new("gcc");
    gcc.args(["-E", "-x", "c", "-include", header, "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    gcc.status().is_ok_and(|s| s.success())
}

fn is_root() -> bool {
    output_of(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(["-o", "DPkg::Lock::Timeout=120"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let tools = [
            Tool::Program("ls", "coreutils"),
            Tool::Program("no-such-program", "one"),
            Tool::Header("no/such/header.h", "two"),
        ];
        let error = lacks(&missing(&tools)).to_string();
        assert!(
            error.contains("no-such-program, no/such/header.h"),
            "{error}"
        );
        assert!(error.contains("apt-get install one two"), "{error}");
    }

    #[test]
    fn a_disk_with_too_little_room_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        ensure_room(dir.path(), 1).unwrap();
        let error = ensure_room(dir.path(), u64::MAX).unwrap_err().to_string();
        assert!(error.contains("UNMAPBENCH_CACHE"), "{error}");
    }
}
