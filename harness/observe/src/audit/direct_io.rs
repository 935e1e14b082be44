// SPDX-License-Identifier: Apache-2.0 OR MIT
//! write(2) with O_DIRECT: the block layer pins the writer's pages (GUP) and
//! reads them as any device would.
//!
//! Not every file that accepts O_DIRECT does that: tmpfs and some others copy
//! through the user mapping, which proves nothing. Besides its name, what a file
//! does with the kernel's `[vvar]` pages tells: a copy gets them, GUP refuses them.

use super::attempt::{Attempt, PAGE, Page, SECRET};
use crate::raw;
use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, Seek},
    os::{
        fd::AsRawFd,
        unix::fs::{FileExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

/// Where a machine without any file system on a disk has a block device.
const RAM_DISK: &str = "/dev/ram0";

/// A file, or block device, that pins pages.
pub(super) struct Target {
    file: File,
    /// What to put back, where the content is not ours.
    former: Option<Box<Page>>,
}

impl Target {
    /// The first that will do, of a file without a name in a directory for
    /// temporary files and the ram disk; or why none will.
    pub(super) fn find() -> Result<Self, String> {
        let mut reasons = Vec::new();
        for dir in directories() {
            match Self::in_dir(&dir) {
                Ok(target) => return Ok(target),
                Err(reason) => reasons.push(format!("{}: {reason}", dir.display())),
            }
        }
        match Self::ram_disk() {
            Ok(target) => return Ok(target),
            Err(reason) => reasons.push(format!("{RAM_DISK}: {reason}")),
        }
        Err(nothing(&reasons))
    }

    fn in_dir(dir: &Path) -> Result<Self, String> {
        Ok(Self::pair_in(dir)?.1)
    }

    /// The same file opened without O_DIRECT, and with it.
    fn pair_in(dir: &Path) -> Result<(File, Self), String> {
        let said = |e: io::Error| e.to_string();
        let plain = tempfile::tempfile_in(dir).map_err(said)?;
        if let magic @ (libc::TMPFS_MAGIC | RAMFS) = raw::file_system(&plain).map_err(said)? {
            return Err(format!("file system {magic:#x} is memory and copies"));
        }
        // A second open of the same file, which has no name to open it by.
        let path = format!("/proc/self/fd/{}", plain.as_raw_fd());
        let mut target = Target {
            file: open(path.as_ref(), libc::O_DIRECT).map_err(said)?,
            former: None,
        };
        let vvar = vvar().ok_or("no [vvar] page to tell pinning from copying with")?;
        match target.read(vvar) {
            Attempt::Refused(_) => Ok((plain, target)),
            Attempt::Bytes(_) => Err("accepts O_DIRECT and copies all the same".into()),
            Attempt::Unable(reason) => Err(reason),
        }
    }

    fn ram_disk() -> Result<Self, String> {
        // O_EXCL refuses a device that is mounted.
        let flags = libc::O_DIRECT | libc::O_EXCL;
        let file = open(RAM_DISK.as_ref(), flags).map_err(|e| e.to_string())?;
        let mut former = Page::zeroed();
        file.read_exact_at(&mut former.0, 0)
            .map_err(|e| format!("read: {e}"))?;
        Ok(Target {
            file,
            former: Some(former),
        })
    }

    /// What arrives of the page at `address`.
    pub(super) fn read(&mut self, address: usize) -> Attempt {
        self.try_read(address).unwrap_or_else(|e| {
            Attempt::Unable(format!("O_DIRECT I/O with memory of our own: {e}"))
        })
    }

    /// Errors are those of our own pages; `address`'s are part of the answer.
    fn try_read(&mut self, address: usize) -> io::Result<Attempt> {
        let mut page = Page::zeroed();
        self.file.write_all_at(&page.0, 0)?;
        self.file.rewind()?;
        match raw::write(&self.file, address, PAGE) {
            Ok(PAGE) => {}
            Ok(n) => return Ok(Attempt::Refused(format!("wrote {n} of {PAGE} bytes"))),
            Err(e) if e.raw_os_error() == Some(libc::EFAULT) => {
                return Ok(Attempt::Refused(format!("write: {e}")));
            }
            Err(e) => return Ok(Attempt::Unable(format!("write with O_DIRECT: {e}"))),
        }
        self.file.read_exact_at(&mut page.0, 0)?;
        let mut bytes = [0; SECRET];
        bytes.copy_from_slice(&page.0[..SECRET]);
        Ok(Attempt::Bytes(bytes))
    }
}

/// A file of `len` zero bytes without a name that is read and written by device:
/// opened without O_DIRECT, and with it. With `overwrite` the RAM disk will do, all
/// of whose content is lost.
///
/// # Errors
/// Why there is none.
pub fn scratch(len: u64, overwrite: bool) -> Result<(File, File), String> {
    let mut reasons = Vec::new();
    for dir in directories() {
        match Target::pair_in(&dir) {
            Ok((plain, target)) => {
                plain.set_len(len).map_err(|e| e.to_string())?;
                let direct = target.file.try_clone().map_err(|e| e.to_string())?;
                return Ok((plain, direct));
            }
            Err(reason) => reasons.push(format!("{}: {reason}", dir.display())),
        }
    }
    if overwrite {
        let ram = |flags| open(RAM_DISK.as_ref(), flags);
        match (ram(0), ram(libc::O_DIRECT)) {
            (Ok(plain), Ok(direct)) => return Ok((plain, direct)),
            (Err(e), _) | (_, Err(e)) => reasons.push(format!("{RAM_DISK}: {e}")),
        }
    }
    Err(nothing(&reasons))
}

/// Where files for a while belong.
fn directories() -> Vec<PathBuf> {
    let mut dirs = vec![env::temp_dir(), PathBuf::from("/var/tmp")];
    dirs.extend(env::current_dir());
    dirs.dedup();
    dirs.retain(|dir| dir.is_dir());
    dirs
}

fn nothing(reasons: &[String]) -> String {
    format!(
        "nothing here pins the pages of O_DIRECT I/O ({}); set TMPDIR to a directory on a disk",
        reasons.join("; ")
    )
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(former) = &self.former {
            // Nobody is left to tell; the ram disk was not in use.
            let _ = self.file.write_all_at(&former.0, 0);
        }
    }
}

/// RAMFS_MAGIC of linux/magic.h; libc does not have it.
const RAMFS: i64 = 0x8584_58f6;

fn open(path: &Path, flags: i32) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(path)
}

/// The first of the kernel's pages of clock data in this process. They are
/// VM_IO: mm/gup.c refuses them, an ordinary copy does not.
fn vvar() -> Option<usize> {
    vvar_in(&fs::read_to_string("/proc/self/maps").ok()?)
}

fn vvar_in(maps: &str) -> Option<usize> {
    let line = maps.lines().find(|l| l.ends_with("[vvar]"))?;
    usize::from_str_radix(line.split('-').next()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_page_is_found() {
        let maps = "55c66fe18000-55c66fe39000 rw-p 00000000 00:00 0   [heap]\n\
                    7f8bcaf12000-7f8bcaf14000 r--p 00000000 00:00 0   [vvar_vclock]\n\
                    7f8bcaf0e000-7f8bcaf12000 r--p 00000000 00:00 0   [vvar]\n";
        assert_eq!(vvar_in(maps), Some(0x7f8b_caf0_e000));
        assert_eq!(vvar_in("zz-0 r--p [vvar]"), None);
        assert_eq!(vvar_in(""), None);
        assert!(vvar().is_some());
    }

    #[test]
    fn memory_file_systems_are_refused() {
        let shm = Path::new("/dev/shm");
        if !shm.is_dir() {
            eprintln!("skipped: no /dev/shm here");
            return;
        }
        let Err(reason) = Target::in_dir(shm) else {
            panic!("tmpfs pins nothing");
        };
        assert!(reason.contains("copies"), "{reason}");
    }

    /// The second test of a file, of what it does, also finds tmpfs out.
    #[test]
    fn a_file_that_copies_is_found_out_by_the_clock_page() {
        let (Ok(file), Some(vvar)) = (tempfile::tempfile_in("/dev/shm"), vvar()) else {
            eprintln!("skipped: no /dev/shm or no [vvar] here");
            return;
        };
        let mut target = Target { file, former: None };
        let attempt = target.read(vvar);
        assert!(matches!(attempt, Attempt::Bytes(_)), "{attempt:?}");
    }
}
