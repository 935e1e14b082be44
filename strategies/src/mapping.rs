// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The owner of a memory mapping: the only place that maps and unmaps.

// UNSAFETY: mmap, munmap and madvise take and return raw addresses.
#![expect(unsafe_code)]

use crate::Error;
use std::{
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
    sync::atomic::{AtomicU64, Ordering},
};

/// Every mapping begins at a multiple of this, whatever its page size, so that
/// alignment is no difference between two strategies.
const ALIGN: usize = 2 << 20;

/// A readable and writable mapping that this value owns.
#[derive(Debug)]
pub(crate) struct Mapping {
    address: *mut u8,
    len: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and the value
// gives out its address only.
unsafe impl Send for Mapping {}

// SAFETY: what a shared value does from several threads is to read and write words,
// atomically, and to call the kernel.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `len` bytes of private anonymous memory.
    pub(crate) fn anonymous(len: u64) -> Result<Self, Error> {
        Self::map(len, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)
    }

    /// Maps the first `len` bytes of `file`, shared.
    pub(crate) fn shared(file: BorrowedFd<'_>, len: u64) -> Result<Self, Error> {
        Self::map(len, libc::MAP_SHARED, file.as_raw_fd())
    }

    fn map(len: u64, flags: i32, fd: i32) -> Result<Self, Error> {
        let call = || format!("mmap(len={len:#x}, flags={flags:#x})");
        let invalid = || Error::new(call(), std::io::ErrorKind::InvalidInput.into());
        let len = usize::try_from(len)
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(invalid)?;
        let space = len.checked_add(ALIGN).ok_or_else(invalid)?;

        // Reserve more than is needed, place the mapping at the aligned address
        // within, and give back what lies on either side.
        let reserve = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let base = unsafe { libc::mmap(ptr::null_mut(), space, libc::PROT_NONE, reserve, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(Error::last(call()));
        }
        let base = base.cast::<u8>();
        let before = base.align_offset(ALIGN);
        let address = base.wrapping_add(before);
        // SAFETY: `before < ALIGN`, so address..address+len lies within the
        // reservation above, which nothing else knows of.
        let mapped = unsafe {
            let prot = libc::PROT_READ | libc::PROT_WRITE;
            libc::mmap(address.cast(), len, prot, flags | libc::MAP_FIXED, fd, 0)
        };
        let failed = (mapped == libc::MAP_FAILED).then(|| Error::last(call()));
        let end = address.wrapping_add(len);
        let after = space - before - len;
        // SAFETY: the two ends of the reservation, which nothing else knows of.
        // A length of 0 is refused by the kernel and does no harm.
        unsafe {
            libc::munmap(base.cast(), before);
            libc::munmap(end.cast(), after);
        }
        let mapping = Mapping { address, len };
        match failed {
            Some(error) => Err(error),
            None => Ok(mapping),
        }
    }

    /// Gives the kernel an advice on the whole mapping.
    pub(crate) fn advise(&self, advice: i32, name: &str) -> Result<(), Error> {
        self.advise_range(0, self.len as u64, advice, name)
    }

    /// Gives the kernel an advice on `len` bytes from `offset`.
    pub(crate) fn advise_range(
        &self,
        offset: u64,
        len: u64,
        advice: i32,
        name: &str,
    ) -> Result<(), Error> {
        let call = || format!("madvise({name}, len={len:#x})");
        let within = offset
            .checked_add(len)
            .is_some_and(|end| end <= self.len as u64);
        if !within {
            return Err(Error::new(call(), std::io::ErrorKind::InvalidInput.into()));
        }
        let address = self.address.wrapping_add(offset as usize);
        // SAFETY: the range is ours, by the line above; nothing in this process
        // holds a reference into it, so that an advice which drops or fills its
        // pages (MADV_DONTNEED, MADV_POPULATE_WRITE) changes memory that is only
        // ever accessed volatilely.
        match unsafe { libc::madvise(address.cast(), len as usize, advice) } {
            0 => Ok(()),
            _ => Err(Error::last(call())),
        }
    }

    /// Sets the word at `offset`.
    ///
    /// # Panics
    /// If `offset` lies beyond the mapping or is no multiple of 8.
    pub(crate) fn set_word(&self, offset: u64, value: u64) {
        self.word_at(offset).store(value, Ordering::Relaxed);
    }

    /// The word at `offset`.
    ///
    /// # Panics
    /// As [`Mapping::set_word`].
    pub(crate) fn word(&self, offset: u64) -> u64 {
        self.word_at(offset).load(Ordering::Relaxed)
    }

    /// A word within the mapping.
    fn word_at(&self, offset: u64) -> &AtomicU64 {
        let end = offset.checked_add(8);
        let fits = offset.is_multiple_of(8) && end.is_some_and(|end| end <= self.len as u64);
        assert!(fits, "word at {offset:#x} of {:#x} bytes", self.len);
        let word = self.address.wrapping_add(offset as usize).cast();
        // SAFETY: within the mapping, which lives as long as `self`, and aligned, by the
        // lines above. Others in this process reach it atomically or volatilely.
        unsafe { AtomicU64::from_ptr(word) }
    }

    pub(crate) fn address(&self) -> *mut u8 {
        self.address
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `map` and owned since; users of the address
        // borrow this value or own a share of it.
        unsafe { libc::munmap(self.address.cast(), self.len) };
    }
}

/// Makes `len` bytes from `offset` a hole in `file`, whose size stays.
pub(crate) fn punch_hole(file: BorrowedFd<'_>, offset: u64, len: u64) -> Result<(), Error> {
    let call = || format!("fallocate(PUNCH_HOLE, len={len:#x})");
    let number = |n: u64| {
        i64::try_from(n).map_err(|_| Error::new(call(), std::io::ErrorKind::InvalidInput.into()))
    };
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: a descriptor that lives through the call, and numbers.
    match unsafe { libc::fallocate(file.as_raw_fd(), mode, number(offset)?, number(len)?) } {
        0 => Ok(()),
        _ => Err(Error::last(call())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_aligned() {
        for len in [4096, 2 << 20, (64 << 20) + 4096] {
            let mapping = Mapping::anonymous(len).unwrap();
            assert_eq!(mapping.address().addr() % ALIGN, 0);
            assert_eq!(mapping.len() as u64, len);
        }
    }

    /// Neither a mapping is left nor what was reserved on either side of it: each would
    /// come to 2 GiB, far more than other tests of this process map meanwhile.
    #[test]
    fn mappings_are_released() {
        let before = address_space_kib();
        for _ in 0..1024 {
            Mapping::anonymous(2 << 20).unwrap();
        }
        let grown = address_space_kib().saturating_sub(before);
        assert!(grown < 1 << 20, "1024 mappings left {grown} KiB behind");
    }

    fn address_space_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let size = status.lines().find_map(|l| l.strip_prefix("VmSize:"));
        let kib = size.unwrap().split_whitespace().next().unwrap();
        kib.parse().unwrap()
    }

    #[test]
    fn words_lie_within_the_mapping() {
        let mapping = Mapping::anonymous(4096).unwrap();
        mapping.set_word(4088, 7);
        assert_eq!((mapping.word(4088), mapping.word(0)), (7, 0));
        for outside in [4, 4096, u64::MAX - 7] {
            let read = || mapping.word(outside);
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
            assert!(panicked.is_err(), "{outside:#x}");
        }
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for len in [0, u64::MAX, 1 << 60] {
            let error = Mapping::anonymous(len).unwrap_err().to_string();
            assert!(error.contains("mmap(len="), "{error}");
        }
    }
}
