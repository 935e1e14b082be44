// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Initial root file systems: a cpio archive of the "newc" kind
//! (Documentation/driver-api/early-userspace/buffer-format.rst).
//!
//! The same contents give the same bytes: no times, no owners, no order of a
//! directory listing.

use crate::{
    error::{Error, io_error},
    init::Task,
};
use cpio::newc::{Builder, ModeFileType, trailer};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// An archive that grows entry by entry.
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    /// Adds an empty directory; those above it must be there.
    pub fn directory(&mut self, name: &str) {
        let entry = Builder::new(name).nlink(2).mode(0o755);
        self.add(entry.set_mode_file_type(ModeFileType::Directory), &[]);
    }

    /// Adds a program.
    pub fn program(&mut self, name: &str, bytes: &[u8]) {
        let entry = Builder::new(name).nlink(1).mode(0o755);
        self.add(entry.set_mode_file_type(ModeFileType::Regular), bytes);
    }

    /// Adds a file that is no program.
    pub fn file(&mut self, name: &str, bytes: &[u8]) {
        let entry = Builder::new(name).nlink(1).mode(0o644);
        self.add(entry.set_mode_file_type(ModeFileType::Regular), bytes);
    }

    /// Adds a character device, by its two numbers.
    pub fn device(&mut self, name: &str, major: u32, minor: u32) {
        let entry = Builder::new(name).nlink(1).mode(0o600);
        let entry = entry.rdev_major(major).rdev_minor(minor);
        self.add(entry.set_mode_file_type(ModeFileType::Char), &[]);
    }

    /// The archive, complete.
    pub fn finish(self) -> Vec<u8> {
        written(trailer(self.bytes))
    }

    fn add(&mut self, entry: Builder, data: &[u8]) {
        self.entries += 1;
        let out = std::mem::take(&mut self.bytes);
        let mut writer = entry.ino(self.entries).write(out, data.len() as u32);
        written(writer.write_all(data));
        self.bytes = written(writer.finish());
    }
}

/// Memory takes everything.
fn written<T>(result: io::Result<T>) -> T {
    result.unwrap_or_else(|e| unreachable!("a vector refused bytes: {e}"))
}

/// The lab's root: `init` as /init, its task beside it, and empty directories to mount on.
pub fn root(init: &[u8], task: &Task) -> Archive {
    let mut archive = Archive::default();
    for directory in ["dev", "proc", "sys", "tmp"] {
        archive.directory(directory);
    }
    // The kernel opens it for /init before devtmpfs is mounted.
    archive.device("dev/console", 5, 1);
    archive.program("init", init);
    let task = serde_json::to_vec(task).unwrap_or_default();
    archive.file(Task::FILE.trim_start_matches('/'), &task);
    archive
}

/// Adds everything below `dir` as /`name`; links are followed.
///
/// # Errors
/// What cannot be read.
pub fn tree(archive: &mut Archive, name: &str, dir: &Path) -> Result<(), Error> {
    archive.directory(name);
    let listing = fs::read_dir(dir).map_err(io_error("list", dir))?;
    let mut paths = Vec::new();
    for entry in listing {
        paths.push(entry.map_err(io_error("list", dir))?.path());
    }
    paths.sort();
    for path in paths {
        let leaf = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{name}/{leaf}");
        let meta = fs::metadata(&path).map_err(io_error("look at", &path))?;
        if meta.is_dir() {
            tree(archive, &name, &path)?;
            continue;
        }
        let bytes = fs::read(&path).map_err(io_error("read", &path))?;
        match meta.permissions().mode() & 0o111 {
            0 => archive.file(&name, &bytes),
            _ => archive.program(&name, &bytes),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    fn archive(init: &[u8]) -> Vec<u8> {
        let mut archive = root(init, &Task::Work(String::new()));
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        fs::write(dir.path().join("b/c"), "x").unwrap();
        fs::write(dir.path().join("a"), "y").unwrap();
        tree(&mut archive, "with", dir.path()).unwrap();
        archive.finish()
    }

    #[test]
    fn the_same_contents_give_the_same_bytes() {
        assert_eq!(archive(b"abc"), archive(b"abc"));
    }

    /// Read back by cpio(1) where there is one, which is another implementation of
    /// the format.
    #[test]
    fn cpio_lists_what_was_put_in() {
        let child = Command::new("cpio")
            .args(["-tv", "--quiet"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: there is no cpio");
            return;
        };
        child
            .stdin
            .take()
            .unwrap()
            .write_all(&archive(b"abcde"))
            .unwrap();
        let listing = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let line = |name: &str| {
            listing
                .lines()
                .find(|l| l.ends_with(name))
                .unwrap()
                .to_string()
        };
        assert!(
            line(" init").starts_with("-rwxr-xr-x") && line(" init").contains(" 5 "),
            "{listing}"
        );
        assert!(line(" dev/console").starts_with("crw-------"), "{listing}");
        assert!(line(" proc").starts_with("drwxr-xr-x"), "{listing}");
        assert!(line(" with/b").starts_with("drwxr-xr-x"), "{listing}");
        assert!(line(" with/b/c").starts_with("-rw-r--r--"), "{listing}");
    }
}
