// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The disk behind a block device, and what a kernel's refusal to use it means.

use crate::{BadParameter, CellError, Parameters};
use abi::{layout, pattern};
use observe::audit;
use std::{io, os::unix::fs::FileExt};
use vmm::{
    Machine,
    virtio::{self, Disk, FileDisk, RamDisk, UringDisk},
};

/// Where the data of a block device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backend {
    /// In the VMM's memory: a request is a copy.
    Ram,
    /// In a file, by pread and pwrite through the page cache.
    File,
    /// In a file opened with O_DIRECT, which pins the memory it reads and writes.
    Direct,
    /// The same by io_uring.
    Uring,
    /// The same by io_uring, with all guest memory registered, and so pinned, once.
    UringFixed,
}

impl Backend {
    pub(super) fn of(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let backends = [
            ("ram", Backend::Ram),
            ("file", Backend::File),
            ("direct", Backend::Direct),
            ("uring", Backend::Uring),
            ("uring-fixed", Backend::UringFixed),
        ];
        params.word("backend", &backends)
    }
}

/// How data crosses between a backend and guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bounce {
    /// The backend reads and writes guest memory.
    None,
    /// By a buffer of the VMM, made for each request.
    PerRequest,
    /// By a buffer of the VMM that is kept.
    Pool,
    /// By memory that guest and host share; the guest copies, as Linux does by swiotlb.
    Swiotlb,
}

impl Bounce {
    pub(super) fn of(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let bounces = [
            ("none", Bounce::None),
            ("per-request", Bounce::PerRequest),
            ("pool", Bounce::Pool),
            ("swiotlb", Bounce::Swiotlb),
        ];
        params.word("bounce", &bounces)
    }
}

/// What a disk of `words` 64-bit words holds that holds the pattern of `seed`.
pub(in crate::model) fn content(seed: u64, words: u64) -> Vec<u8> {
    let words = 0..words;
    words.flat_map(|i| pattern(seed, i).to_le_bytes()).collect()
}

/// A disk with this content. In the lab (`overwrite`) a RAM disk may be what is behind it.
pub(super) fn make(
    backend: Backend,
    bounce: Bounce,
    content: Vec<u8>,
    machine: &Machine,
    overwrite: bool,
) -> Result<Box<dyn Disk>, CellError> {
    let bounce = match bounce {
        // What the guest bounces, the VMM finds where it may be read.
        Bounce::None | Bounce::Swiotlb => virtio::Bounce::None,
        Bounce::PerRequest => virtio::Bounce::PerRequest,
        Bounce::Pool => virtio::Bounce::Pool,
    };
    let said = |e: io::Error| CellError::from(format!("making the disk: {e}"));
    let (plain, file) = match backend {
        Backend::Ram => return Ok(Box::new(RamDisk::new(content))),
        Backend::File => {
            let file = tempfile::tempfile().map_err(said)?;
            (file.try_clone().map_err(said)?, file)
        }
        Backend::Direct | Backend::Uring | Backend::UringFixed => {
            audit::scratch(layout::DISK, overwrite).map_err(no_directory)?
        }
    };
    plain.write_all_at(&content, 0).map_err(said)?;
    plain.sync_data().map_err(said)?;
    let uring = |file| UringDisk::new(file, layout::DISK, machine.memory());
    Ok(match backend {
        Backend::Uring => Box::new(uring(file).map_err(|e| no_ring(&e))?),
        Backend::UringFixed => {
            let disk = uring(file).and_then(UringDisk::registered);
            Box::new(disk.map_err(|e| no_ring(&e))?)
        }
        _ => Box::new(FileDisk::new(file, layout::DISK, bounce)),
    })
}

/// Why there is no file that O_DIRECT opens.
pub(in crate::model) fn no_directory(reason: String) -> CellError {
    CellError::missing(reason, "a directory for temporary files on a disk (TMPDIR)")
}

/// Why there is no ring, or none with this memory.
fn no_ring(error: &io::Error) -> CellError {
    match error.raw_os_error() {
        Some(libc::EFAULT) => refused(error),
        errno => CellError::missing(
            format!("io_uring is not available ({error})"),
            "a kernel with CONFIG_IO_URING, kernel.io_uring_disabled=0 and memory to lock",
        )
        .with_errno(errno),
    }
}

/// What an error of the disk means.
pub(super) fn refused(error: &io::Error) -> CellError {
    match error.raw_os_error() {
        errno @ Some(libc::EFAULT) => CellError::missing(
            format!("the kernel does not pin this memory for O_DIRECT ({error})"),
            "a bounce buffer (bounce=pool), or a backend that copies",
        )
        .with_errno(errno),
        _ => format!("the disk failed: {error}").into(),
    }
}
