// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A disk in a file, read and written by io_uring, with guest memory registered or
//! not.

// UNSAFETY: the kernel is handed addresses of guest memory, and works on them while
// this thread waits.
#![expect(unsafe_code)]

use super::disk::{Disk, inspect};
use crate::Memory;
use io_uring::{IoUring, opcode, squeue, types::Fd};
use std::{fs::File, io, os::fd::AsRawFd};
use vm_memory::{GuestMemoryBackend, GuestMemoryRegion, VolatileSlice};

/// The disk.
pub struct UringDisk {
    ring: IoUring,
    file: File,
    len: u64,
    /// Kept as long as the ring has its addresses.
    registered: Option<Memory>,
}

impl std::fmt::Debug for UringDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UringDisk")
            .field("file", &self.file)
            .finish()
    }
}

impl UringDisk {
    /// The disk in the first `len` bytes of `file`. With `memory` the kernel pins
    /// all of that once, and requests name it by its number.
    ///
    /// # Errors
    /// What the kernel says: it has no io_uring or forbids it, or it does not pin
    /// that memory (EFAULT).
    pub fn new(file: File, len: u64, memory: Option<&Memory>) -> io::Result<Self> {
        let ring = IoUring::new(8)?;
        if let Some(memory) = memory {
            // What is transferred lies in the memory that guest and host share, which
            // is the last, or in the only one.
            let region = memory.iter().last();
            let region = region.ok_or(io::ErrorKind::InvalidInput)?;
            let whole = libc::iovec {
                iov_base: region
                    .as_volatile_slice()
                    .map_err(io::Error::other)?
                    .ptr_guard_mut()
                    .as_ptr()
                    .cast(),
                iov_len: region.len() as usize,
            };
            // SAFETY: the range is guest memory, which `registered` keeps known and
            // whose owner outlives every device of its machine; the ring, which
            // unregisters it, is dropped with this value.
            unsafe { ring.submitter().register_buffers(&[whole]) }?;
        }
        Ok(UringDisk {
            ring,
            file,
            len,
            registered: memory.cloned(),
        })
    }

    /// Submits `entry` and waits for it.
    fn carry_out(&mut self, entry: &squeue::Entry, len: usize) -> io::Result<()> {
        // SAFETY: the addresses in the entry are those of a slice that the caller
        // holds until this function has seen the completion.
        unsafe { self.ring.submission().push(entry) }.map_err(io::Error::other)?;
        loop {
            match self.ring.submit_and_wait(1) {
                // The watchdog's signal: the request goes on, and so does the wait.
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => {
                    other?;
                }
            }
            let Some(done) = self.ring.completion().next() else {
                continue;
            };
            return match done.result() {
                n if n < 0 => Err(io::Error::from_raw_os_error(-n)),
                n if n as usize == len => Ok(()),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        }
    }
}

impl Disk for UringDisk {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&mut self, offset: u64, slice: &VolatileSlice<'_>) -> io::Result<()> {
        let fd = Fd(self.file.as_raw_fd());
        let guard = slice.ptr_guard_mut();
        let (at, len) = (guard.as_ptr(), slice.len() as u32);
        let entry = match self.registered {
            Some(_) => opcode::ReadFixed::new(fd, at, len, 0)
                .offset(offset)
                .build(),
            None => opcode::Read::new(fd, at, len).offset(offset).build(),
        };
        self.carry_out(&entry, slice.len())
    }

    fn write(&mut self, offset: u64, slice: &VolatileSlice<'_>) -> io::Result<()> {
        let fd = Fd(self.file.as_raw_fd());
        let guard = slice.ptr_guard();
        let (at, len) = (guard.as_ptr(), slice.len() as u32);
        let entry = match self.registered {
            Some(_) => opcode::WriteFixed::new(fd, at, len, 0)
                .offset(offset)
                .build(),
            None => opcode::Write::new(fd, at, len).offset(offset).build(),
        };
        self.carry_out(&entry, slice.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn copied(&self) -> u64 {
        0
    }

    fn inspect(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        inspect(&self.file, offset, bytes)
    }
}
