// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Writing a run. The invariant: after every call, successful or not,
//! `samples.jsonl` consists of whole lines as far as the disk allows.

use super::{AUDIT, CONSOLES, Error, HOST, PLAN, SAMPLES, io_error};
use crate::{Audit, Cell, Fingerprint, Header, Plan, Row};
use serde::Serialize;
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

/// An open run directory.
#[derive(Debug)]
pub struct Recorder {
    dir: PathBuf,
    samples: File,
    /// The length up to which `samples.jsonl` is whole lines.
    whole: u64,
    /// How many consoles have been kept.
    consoles: u32,
}

/// The most characters of a cell in the name of its console's file.
const CONSOLE_NAME: usize = 180;

impl Recorder {
    /// Creates `dir` and its three files.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is anything at `dir`, else [`Error::Io`].
    pub fn create(
        dir: &Path,
        header: &Header,
        plan: &Plan,
        host: &Fingerprint,
    ) -> Result<Self, Error> {
        create(dir)?;
        replace(&dir.join(PLAN), plan)?;
        replace(&dir.join(HOST), host)?;
        let path = dir.join(SAMPLES);
        let samples = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(io_error("create", &path))?;
        let mut recorder = Self {
            dir: dir.to_path_buf(),
            samples,
            whole: 0,
            consoles: 0,
        };
        recorder.line(header)?;
        Ok(recorder)
    }

    /// The run directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Appends one row.
    ///
    /// # Errors
    /// [`Error::Io`]; the rows before it stay readable.
    pub fn append(&mut self, row: &Row) -> Result<(), Error> {
        self.line(row)
    }

    /// Keeps what the console of `cell`'s guest showed in `block`, in a file of its
    /// own below [`CONSOLES`]. Its name tells the cell, and leads nowhere else
    /// whatever the cell is called.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn keep_console(&mut self, cell: &Cell, block: u32, text: &str) -> Result<(), Error> {
        let dir = self.dir.join(CONSOLES);
        fs::create_dir_all(&dir).map_err(io_error("create", &dir))?;
        self.consoles += 1;
        let path = dir.join(console_name(self.consoles, cell, block));
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(io_error("write", &path))
    }

    /// Replaces `host.json`, atomically, by one that also has what is known
    /// only at the end.
    ///
    /// # Errors
    /// [`Error::Io`]; the former `host.json` is then still there.
    pub fn complete_host(&self, host: &Fingerprint) -> Result<(), Error> {
        replace(&self.dir.join(HOST), host)
    }

    /// Writes or replaces `audit.json`, atomically, by `audits`: all that are
    /// known so far, not only the new ones.
    ///
    /// # Errors
    /// [`Error::Io`]; a former `audit.json` is then still there.
    pub fn write_audits(&self, audits: &[Audit]) -> Result<(), Error> {
        replace(&self.dir.join(AUDIT), &audits)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let path = self.dir.join(SAMPLES);
        let mut line = to_json(value, &path)?;
        line.push(b'\n');
        match self.samples.write_all(&line) {
            Ok(()) => {
                self.whole += line.len() as u64;
                Ok(())
            }
            Err(source) => {
                // A full disk takes half a line. Take it back, so that what
                // comes next is whole; if even that fails, the reader copes.
                let _ = self.samples.set_len(self.whole);
                Err(io_error("write", path)(source))
            }
        }
    }
}

/// Creates `dir`, which must not exist, and what it is in.
pub(super) fn create(dir: &Path) -> Result<(), Error> {
    if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(io_error("create", parent))?;
    }
    // create_dir, not exists-then-create: two runs may race for one name.
    fs::create_dir(dir).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => Error::Exists(dir.to_path_buf()),
        _ => io_error("create", dir)(source),
    })
}

/// A file name that is unique by its number: letters, digits and `-_=.` only, and
/// short enough for any file system.
fn console_name(number: u32, cell: &Cell, block: u32) -> String {
    let plain = |c: char| match c {
        c if c.is_ascii_alphanumeric() || "-_=.".contains(c) => c,
        _ => '-',
    };
    let what = format!("{} {cell}", cell.testbed);
    let what: String = what.chars().map(plain).take(CONSOLE_NAME).collect();
    format!("{number:04}-block{block}-{what}.txt")
}

/// Writes `value` to a neighbour of `path` and renames it into place.
pub(super) fn replace(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let mut text = to_json(value, path)?;
    text.push(b'\n');
    let neighbour = path.with_extension("json.part");
    fs::write(&neighbour, text).map_err(io_error("write", &neighbour))?;
    fs::rename(&neighbour, path).map_err(io_error("rename", path))
}

fn to_json(value: &impl Serialize, path: &Path) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|e| io_error("serialise", path)(e.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Testbed;

    #[test]
    fn a_console_cannot_leave_its_directory() {
        let cell = |workload: &str| Cell {
            testbed: Testbed::Lab,
            strategy: "memfd".into(),
            workload: workload.into(),
            params: Default::default(),
            mode: Default::default(),
        };
        let name = |workload: &str| console_name(7, &cell(workload), 1);
        assert_eq!(name("boot/linux"), "0007-block1-lab-memfd-boot-linux.txt");
        for strange in [
            "../../etc/passwd",
            "a\0b\nc",
            "\u{202e}x",
            &"x/".repeat(999),
        ] {
            let name = name(strange);
            assert!(name.len() < 255 && name.starts_with("0007-"), "{name}");
            assert!(
                name.bytes().all(|b| b.is_ascii_graphic() && b != b'/'),
                "{name}"
            );
        }
    }
}
