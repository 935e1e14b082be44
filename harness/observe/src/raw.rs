// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The system calls that take an address for which there is no reference.
//!
//! Guest memory must not be behind a slice, and memory that may be hidden must
//! not be touched by this program on behalf of a reader. So nothing here
//! dereferences the address: it goes to the kernel as a number, and the kernel
//! answers EFAULT where it cannot or will not read.
// UNSAFETY: no safe wrapper passes an address that is not a reference's to
// write(2), process_vm_readv(2) or madvise(2).
#![expect(unsafe_code)]

use std::{
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd},
};
use vm_memory::MmapRegion;

/// write(2) of `len` bytes at `address` of this process to `fd`, at its cursor.
pub(crate) fn write(fd: impl AsFd, address: usize, len: usize) -> io::Result<usize> {
    let from = std::ptr::without_provenance::<libc::c_void>(address);
    // SAFETY: the kernel only reads at `from`, checks every byte of it itself and
    // answers EFAULT; the descriptor is borrowed and so open.
    let n = unsafe { libc::write(fd.as_fd().as_raw_fd(), from, len) };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// process_vm_readv(2) from `address` of this very process into `into`; how many
/// bytes it read.
pub(crate) fn process_vm_readv(address: usize, into: &mut [u8]) -> io::Result<usize> {
    let local = libc::iovec {
        iov_base: into.as_mut_ptr().cast(),
        iov_len: into.len(),
    };
    let remote = libc::iovec {
        iov_base: std::ptr::without_provenance_mut(address),
        iov_len: into.len(),
    };
    // SAFETY: the kernel writes to `local` alone, which is a live and exclusive
    // borrow of that length; `remote` it only reads, with checks of its own.
    let n = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// The magic number of the file system that holds `file`, from fstatfs(2).
pub(crate) fn file_system(file: &File) -> io::Result<i64> {
    let mut answer = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: `answer` is writable and as large as the call expects.
    match unsafe { libc::fstatfs(file.as_raw_fd(), answer.as_mut_ptr()) } {
        // SAFETY: on success the kernel has filled it.
        0 => Ok(unsafe { answer.assume_init() }.f_type),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Asks the kernel to back `memory` by no huge page.
pub(crate) fn no_huge_pages(memory: &MmapRegion) -> io::Result<()> {
    let start = memory.as_ptr().cast();
    // SAFETY: the range is that of a mapping which is borrowed and so there, and this
    // advice changes no content.
    let done = unsafe { libc::madvise(start, memory.size(), libc::MADV_NOHUGEPAGE) };
    match done {
        0 => Ok(()),
        // A kernel without huge pages does not know the advice.
        _ if io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
