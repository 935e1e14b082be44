// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The disk behind a block device, and what a kernel's refusal to use it means.

use super::Stop;
use abi::{layout, pattern};
use observe::audit;
use std::{io, os::unix::fs::FileExt};
use strategies::Missing;
use vmm::{
    Machine,
    virtio::{self, Disk, FileDisk, RamDisk, UringDisk},
};
use workloads::virtio::{Backend, Bounce};

/// What a disk of `words` 64-bit words holds that holds the pattern of `seed`.
pub(in crate::cell) fn content(seed: u64, words: u64) -> Vec<u8> {
    let words = 0..words;
    words.flat_map(|i| pattern(seed, i).to_le_bytes()).collect()
}

/// A disk with this content. In the lab (`overwrite`) a RAM disk may be what is behind
/// it.
pub(super) fn make(
    backend: Backend,
    bounce: Bounce,
    content: Vec<u8>,
    machine: &Machine,
    overwrite: bool,
) -> Result<Box<dyn Disk>, Stop> {
    let bounce = match bounce {
        // What the guest bounces, the VMM finds where it may be read.
        Bounce::None | Bounce::Swiotlb => virtio::Bounce::None,
        Bounce::PerRequest => virtio::Bounce::PerRequest,
        Bounce::Pool => virtio::Bounce::Pool,
    };
    let said = |e: io::Error| Stop::Unproved(format!("making the disk: {e}"));
    let (plain, file) = match backend {
        Backend::Ram => return Ok(Box::new(RamDisk::new(content))),
        Backend::File => {
            let file = tempfile::tempfile().map_err(said)?;
            (file.try_clone().map_err(said)?, file)
        }
        Backend::Direct | Backend::Uring | Backend::UringFixed => {
            audit::scratch(layout::DISK, overwrite).map_err(|reason| {
                Stop::Missing(Missing::new(
                    reason,
                    "a directory for temporary files on a disk (TMPDIR)",
                ))
            })?
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

/// Why there is no ring, or none with this memory.
fn no_ring(error: &io::Error) -> Stop {
    match error.raw_os_error() {
        Some(libc::EFAULT) => refused(error),
        errno => Stop::Missing(
            Missing::new(
                format!("io_uring cannot be used ({error})"),
                "a kernel with CONFIG_IO_URING, kernel.io_uring_disabled=0 and memory to lock",
            )
            .with_errno(errno),
        ),
    }
}

/// What an error of the disk means.
pub(super) fn refused(error: &io::Error) -> Stop {
    match error.raw_os_error() {
        errno @ Some(libc::EFAULT) => Stop::Missing(
            Missing::new(
                format!("the kernel does not pin this memory for O_DIRECT ({error})"),
                "a bounce buffer (bounce=pool), or a backend that copies",
            )
            .with_errno(errno),
        ),
        _ => Stop::Unproved(format!("the disk failed: {error}")),
    }
}
