// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A disk in a file, read and written by io_uring, with guest memory registered or
//! not.

// UNSAFETY: the kernel is handed addresses of guest memory, and works on them while
// this thread waits.
#![expect(unsafe_code)]

use super::disk::{Disk, inspect};
use crate::{Memory, Region};
use io_uring::{IoUring, opcode, squeue, types::Fd};
use std::{fs::File, io, mem, os::fd::AsRawFd};
use vm_memory::{GuestMemoryBackend, GuestMemoryRegion, VolatileSlice};

/// The disk.
pub struct UringDisk {
    /// Nothing once a request was lost in it.
    ring: Option<Ring>,
    file: File,
    len: u64,
    registered: bool,
}

/// A ring, and the memory that requests in it may name. Fields are dropped in order.
struct Ring {
    queues: IoUring,
    memory: Memory,
    /// Submits what there is and waits for a completion.
    wait: fn(&IoUring) -> io::Result<usize>,
}

impl std::fmt::Debug for UringDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UringDisk")
            .field("file", &self.file)
            .finish()
    }
}

impl UringDisk {
    /// The disk in the first `len` bytes of `file`, for a guest with this memory.
    ///
    /// # Errors
    /// What the kernel says: it has no io_uring or forbids it.
    pub fn new(file: File, len: u64, memory: &Memory) -> io::Result<Self> {
        let ring = Ring {
            queues: IoUring::new(8)?,
            memory: memory.clone(),
            wait: |queues| queues.submit_and_wait(1),
        };
        Ok(UringDisk {
            ring: Some(ring),
            file,
            len,
            registered: false,
        })
    }

    /// The same disk, of whose memory the kernel pins all once, and requests name it by
    /// its number.
    ///
    /// # Errors
    /// What the kernel says: it does not pin that memory (EFAULT).
    pub fn registered(mut self) -> io::Result<Self> {
        let ring = self.ring.as_ref().ok_or_else(lost)?;
        // What is transferred lies in the memory that guest and host share, which is the
        // last, or in the only one.
        let region = ring.memory.iter().last();
        let region = region.ok_or(io::ErrorKind::InvalidInput)?;
        let whole = region.as_volatile_slice().map_err(io::Error::other)?;
        let whole = libc::iovec {
            iov_base: whole.ptr_guard_mut().as_ptr().cast(),
            iov_len: whole.len(),
        };
        // SAFETY: the range is guest memory, which the ring owns a share of. The kernel
        // pins its pages until the ring, which is dropped first, is closed.
        unsafe { ring.queues.submitter().register_buffers(&[whole]) }?;
        self.registered = true;
        Ok(self)
    }

    /// Carries out `entry`, which is about all of `slice`.
    fn carry_out(&mut self, entry: &squeue::Entry, slice: &VolatileSlice<'_>) -> io::Result<()> {
        let ring = self.ring.as_mut().ok_or_else(lost)?;
        if !ring.memory.iter().any(|region| holds(region, slice)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: the entry's range lies in memory that the ring owns a share of, by the
        // line above. The share is given up only when the completion was seen: a ring in
        // which it was not is never dropped, below.
        unsafe { ring.queues.submission().push(entry) }.map_err(io::Error::other)?;
        match ring.completion() {
            Ok(n) if n < 0 => Err(io::Error::from_raw_os_error(-n)),
            Ok(n) if n as usize == slice.len() => Ok(()),
            Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(e) => {
                mem::forget(self.ring.take());
                Err(e)
            }
        }
    }
}

impl Ring {
    /// Waits for the completion of the only request; its result.
    ///
    /// # Errors
    /// What the kernel says. The request may or may not have been submitted, and the
    /// kernel may still work on its memory.
    fn completion(&mut self) -> io::Result<i32> {
        loop {
            match (self.wait)(&self.queues) {
                // The watchdog's signal: the request goes on, and so does the wait.
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => {
                    other?;
                }
            }
            if let Some(done) = self.queues.completion().next() {
                return Ok(done.result());
            }
        }
    }
}

/// Whether `slice` lies within `region`.
fn holds(region: &Region, slice: &VolatileSlice<'_>) -> bool {
    let Ok(whole) = region.as_volatile_slice() else {
        return false;
    };
    let at = |slice: &VolatileSlice<'_>| slice.ptr_guard().as_ptr().addr();
    let offset = at(slice).checked_sub(at(&whole));
    offset.is_some_and(|offset| offset <= whole.len() && slice.len() <= whole.len() - offset)
}

fn lost() -> io::Error {
    io::Error::other("an earlier request was lost")
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
            true => opcode::ReadFixed::new(fd, at, len, 0)
                .offset(offset)
                .build(),
            false => opcode::Read::new(fd, at, len).offset(offset).build(),
        };
        self.carry_out(&entry, slice)
    }

    fn write(&mut self, offset: u64, slice: &VolatileSlice<'_>) -> io::Result<()> {
        let fd = Fd(self.file.as_raw_fd());
        let guard = slice.ptr_guard();
        let (at, len) = (guard.as_ptr(), slice.len() as u32);
        let entry = match self.registered {
            true => opcode::WriteFixed::new(fd, at, len, 0)
                .offset(offset)
                .build(),
            false => opcode::Write::new(fd, at, len).offset(offset).build(),
        };
        self.carry_out(&entry, slice)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;
    use std::{
        os::fd::OwnedFd,
        sync::{Arc, Weak},
    };
    use strategies::GuestRam;
    use vm_memory::GuestAddress;

    const LEN: usize = 4096;

    fn memory() -> (Memory, Weak<GuestRam>) {
        let ram = Arc::new(strategies::shared(4 * LEN as u64).unwrap());
        let watched = Arc::downgrade(&ram);
        (memory::view([(0, ram)]).unwrap(), watched)
    }

    /// A disk whose file never has any data; nothing where io_uring is not available
    /// and not required.
    fn disk(memory: &Memory) -> Option<(UringDisk, io::PipeWriter)> {
        let (read, write) = io::pipe().unwrap();
        match UringDisk::new(OwnedFd::from(read).into(), LEN as u64, memory) {
            Ok(disk) => Some((disk, write)),
            Err(e) if std::env::var_os("UNMAPBENCH_REQUIRE_KVM").is_none() => {
                eprintln!("skipped: {e}");
                None
            }
            Err(e) => panic!("{e}"),
        }
    }

    /// The kernel may still write to where a request that was given up wanted its data.
    #[test]
    fn a_lost_request_keeps_its_memory() {
        let (memory, watched) = memory();
        let Some((mut disk, _write)) = disk(&memory) else {
            return;
        };
        disk.ring.as_mut().unwrap().wait = |queues| {
            assert_eq!(queues.submit().unwrap(), 1);
            Err(io::Error::from_raw_os_error(libc::EBUSY))
        };
        let slice = memory.get_slice(GuestAddress(0), LEN).unwrap();
        let error = disk.read(0, &slice).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EBUSY));
        let error = disk.read(0, &slice).unwrap_err().to_string();
        assert!(error.contains("an earlier request was lost"), "{error}");
        drop((disk, memory));
        assert!(watched.upgrade().is_some(), "memory in use was released");
    }

    #[test]
    fn memory_that_is_not_the_guests_is_refused() {
        let (memory, watched) = memory();
        let (other, _) = self::memory();
        let Some((mut disk, _write)) = disk(&memory) else {
            return;
        };
        let elsewhere = other.get_slice(GuestAddress(0), LEN).unwrap();
        for done in [disk.read(0, &elsewhere), disk.write(0, &elsewhere)] {
            assert_eq!(done.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        drop((disk, memory));
        assert!(watched.upgrade().is_none());
    }
}
