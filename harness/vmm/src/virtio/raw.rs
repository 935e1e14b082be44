// SPDX-License-Identifier: Apache-2.0 OR MIT
//! pread and pwrite between a file and guest memory, without a copy in between.

// UNSAFETY: the kernel is handed addresses of guest memory.
#![expect(unsafe_code)]

use std::{fs::File, io, os::fd::AsRawFd};
use vm_memory::VolatileSlice;

/// Fills `slice` from `file` at `offset`.
///
/// # Errors
/// What the kernel says: EFAULT where it must pin the pages (O_DIRECT) and may not.
pub(super) fn read_at(file: &File, slice: &VolatileSlice<'_>, offset: u64) -> io::Result<()> {
    whole(slice.len(), |done| {
        let at = slice.ptr_guard_mut().as_ptr().wrapping_add(done);
        // SAFETY: `done` bytes into a slice of guest memory, the rest of which is
        // `len - done` bytes; guest memory is mapped as long as the slice lives
        // and nothing holds a reference into it.
        unsafe {
            libc::pread(
                file.as_raw_fd(),
                at.cast(),
                slice.len() - done,
                (offset + done as u64) as libc::off_t,
            )
        }
    })
}

/// Writes `slice` to `file` at `offset`.
///
/// # Errors
/// As [`read_at`].
pub(super) fn write_at(file: &File, slice: &VolatileSlice<'_>, offset: u64) -> io::Result<()> {
    whole(slice.len(), |done| {
        let at = slice.ptr_guard().as_ptr().wrapping_add(done);
        // SAFETY: as above; only read.
        unsafe {
            libc::pwrite(
                file.as_raw_fd(),
                at.cast(),
                slice.len() - done,
                (offset + done as u64) as libc::off_t,
            )
        }
    })
}

/// Repeats `call`, which is told how much was done, until all of `len` is.
fn whole(len: usize, call: impl Fn(usize) -> isize) -> io::Result<()> {
    let mut done = 0;
    while done < len {
        match call(done) {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n if n > 0 => done += n as usize,
            _ => match io::Error::last_os_error() {
                e if e.kind() == io::ErrorKind::Interrupted => {}
                e => return Err(e),
            },
        }
    }
    Ok(())
}
