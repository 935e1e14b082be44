// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The root file system of the lab, as a cpio archive of the "newc" kind
//! (Documentation/driver-api/early-userspace/buffer-format.rst): this program
//! as /init, its errand, and empty directories to mount on.
//!
//! The same contents give the same bytes: no times, no owners, no order of a
//! directory listing.

use super::{
    error::{Error, io_error},
    inside::Errand,
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const FILE: u32 = 0o100_644;
const CONSOLE: u32 = 0o020_600;

/// An archive that grows entry by entry.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    /// The lab's root: `init` as /init, its errand beside it.
    pub(crate) fn of(init: &[u8], errand: &Errand) -> Self {
        let mut archive = Archive::default();
        for directory in ["dev", "proc", "sys", "tmp"] {
            archive.directory(directory);
        }
        // The kernel opens it for /init before devtmpfs is mounted.
        archive.entry("dev/console", CONSOLE, (5, 1), &[]);
        archive.program("init", init);
        let errand = serde_json::to_vec(errand).unwrap_or_default();
        archive.entry(Errand::FILE.trim_start_matches('/'), FILE, (0, 0), &errand);
        archive
    }

    /// Adds an empty directory; those above it must be there.
    pub(crate) fn directory(&mut self, name: &str) {
        self.entry(name, DIRECTORY, (0, 0), &[]);
    }

    /// Adds a program.
    pub(crate) fn program(&mut self, name: &str, bytes: &[u8]) {
        self.entry(name, PROGRAM, (0, 0), bytes);
    }

    /// Adds everything below `dir` as /`name`; links are followed.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) fn tree(&mut self, name: &str, dir: &Path) -> Result<(), Error> {
        self.directory(name);
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
                self.tree(&name, &path)?;
                continue;
            }
            let bytes = fs::read(&path).map_err(io_error("read", &path))?;
            match meta.permissions().mode() & 0o111 {
                0 => self.entry(&name, FILE, (0, 0), &bytes),
                _ => self.program(&name, &bytes),
            }
        }
        Ok(())
    }

    /// The archive, complete.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        self.bytes
    }

    fn entry(&mut self, name: &str, mode: u32, device: (u32, u32), data: &[u8]) {
        self.entries += 1;
        let links = 1 + u32::from(mode == DIRECTORY);
        let fields = [
            self.entries,
            mode,
            0,
            0,
            links,
            0,
            data.len() as u32,
            0,
            0,
            device.0,
            device.1,
            name.len() as u32 + 1,
            0,
        ];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(name.bytes().chain([0]));
        self.pad();
        self.bytes.extend(data);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    fn archive(init: &[u8]) -> Vec<u8> {
        let mut archive = Archive::of(init, &Errand::Jobs(Vec::new()));
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        fs::write(dir.path().join("b/c"), "x").unwrap();
        fs::write(dir.path().join("a"), "y").unwrap();
        archive.tree("with", dir.path()).unwrap();
        archive.finish()
    }

    #[test]
    fn the_same_contents_give_the_same_bytes() {
        assert_eq!(archive(b"abc"), archive(b"abc"));
    }

    /// Read back by cpio(1) where there is one, which knows the format from
    /// somebody else.
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
