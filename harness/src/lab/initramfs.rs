// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The root file system of the lab, as a cpio archive of the "newc" kind
//! (Documentation/driver-api/early-userspace/buffer-format.rst): this program
//! as /init, its jobs, and empty directories to mount on.
//!
//! The same contents give the same bytes: no times, no owners, no order of a
//! directory listing.

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
    /// The lab's root: `init` as /init, `jobs` as /jobs.json.
    pub(crate) fn of(init: &[u8], jobs: &[u8]) -> Vec<u8> {
        let mut archive = Archive::default();
        for directory in ["dev", "proc", "sys", "tmp"] {
            archive.entry(directory, DIRECTORY, (0, 0), &[]);
        }
        // The kernel opens it for /init before devtmpfs is mounted.
        archive.entry("dev/console", CONSOLE, (5, 1), &[]);
        archive.entry("init", PROGRAM, (0, 0), init);
        archive.entry("jobs.json", FILE, (0, 0), jobs);
        archive.entry("TRAILER!!!", 0, (0, 0), &[]);
        archive.bytes
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

    #[test]
    fn the_same_contents_give_the_same_bytes() {
        assert_eq!(Archive::of(b"abc", b"[]"), Archive::of(b"abc", b"[]"));
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
            .write_all(&Archive::of(b"abcde", b"[]"))
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
    }
}
