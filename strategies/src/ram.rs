// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The memory that a strategy hands out, and what a VMM does with it besides
//! giving it to KVM: populate it, give parts of it back.

use crate::{Error, mapping::Mapping};
use std::{
    fs::File,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::FileExt,
    },
};

/// Guest memory: a mapping in this process and, unless it is anonymous, the file
/// behind it. Dropping it releases both.
#[derive(Debug)]
pub struct GuestRam {
    mapping: Mapping,
    file: Option<File>,
    for_kvm: bool,
    granule: u64,
}

impl GuestRam {
    /// Memory without a file.
    pub(crate) fn anonymous(mapping: Mapping) -> Self {
        GuestRam {
            mapping,
            file: None,
            for_kvm: false,
            granule: 4096,
        }
    }

    /// Memory that KVM reaches through the mapping of `file`.
    pub(crate) fn mapped(mapping: Mapping, file: File) -> Self {
        GuestRam {
            mapping,
            file: Some(file),
            for_kvm: false,
            granule: 4096,
        }
    }

    /// The same of huge pages of `granule` bytes that were reserved beforehand.
    pub(crate) fn reserved(mapping: Mapping, file: File, granule: u64) -> Self {
        GuestRam {
            granule,
            ..GuestRam::mapped(mapping, file)
        }
    }

    /// Memory that KVM reaches through `file`, mapped here as well.
    pub(crate) fn guest_memfd(mapping: Mapping, file: OwnedFd) -> Self {
        GuestRam {
            mapping,
            file: Some(file.into()),
            for_kvm: true,
            granule: 4096,
        }
    }

    /// Where it is mapped in this process. Aligned to 2 MiB.
    pub fn host_address(&self) -> *mut u8 {
        self.mapping.address()
    }

    /// Bytes of the smallest piece of it that can be allocated or freed: a base page, unless
    /// its pages were reserved as huge ones.
    pub fn granule(&self) -> u64 {
        self.granule
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.mapping.len()
    }

    /// Whether it has no bytes; it always has some.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file to put into the memslot: `Some` asks for a memslot of
    /// KVM_SET_USER_MEMORY_REGION2 with KVM_MEM_GUEST_MEMFD.
    pub fn guest_memfd_file(&self) -> Option<BorrowedFd<'_>> {
        let file = self.file.as_ref().filter(|_| self.for_kvm);
        file.map(|f| f.as_fd())
    }

    /// The word at `offset`.
    ///
    /// # Panics
    /// If `offset` lies beyond the memory or is no multiple of 8.
    pub fn word(&self, offset: u64) -> u64 {
        self.mapping.word(offset)
    }

    /// Writes `value` to the word at `offset`.
    ///
    /// # Panics
    /// As [`GuestRam::word`].
    pub fn set_word(&self, offset: u64, value: u64) {
        self.mapping.set_word(offset, value);
    }

    /// Populates `len` bytes from `offset` by `madvise(MADV_POPULATE_WRITE)`, as a
    /// VMM does that wants all memory at once.
    ///
    /// # Errors
    /// What the kernel says: it has no such advice before Linux 5.14, and pins
    /// pages to do it, which it refuses where there is no direct map.
    pub fn populate(&self, offset: u64, len: u64) -> Result<(), Error> {
        self.mapping.advise_range(
            offset,
            len,
            libc::MADV_POPULATE_WRITE,
            "MADV_POPULATE_WRITE",
        )
    }

    /// Writes `bytes` at `offset` through the file, as a VMM does that loads a
    /// kernel without mapping the guest's memory.
    ///
    /// # Errors
    /// What the kernel says; there may be no file at all.
    pub fn write_file(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let call = || format!("pwrite(len={:#x})", bytes.len());
        let none = || Error::new(call(), no_file());
        let file = self.file.as_ref().ok_or_else(none)?;
        file.write_all_at(bytes, offset)
            .map_err(|e| Error::new(call(), e))
    }

    /// Gives `len` bytes from `offset` back to the kernel, as a balloon does: by a
    /// hole in the file, and where there is none by `madvise(MADV_DONTNEED)`. The
    /// next touch finds zeroes.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn punch_hole(&self, offset: u64, len: u64) -> Result<(), Error> {
        match &self.file {
            Some(file) => crate::mapping::punch_hole(file.as_fd(), offset, len),
            None => self
                .mapping
                .advise_range(offset, len, libc::MADV_DONTNEED, "MADV_DONTNEED"),
        }
    }

    /// Another mapping of the same memory, for a thread that fills pages which
    /// this one has not mapped yet.
    ///
    /// # Errors
    /// What the kernel says; there may be no file at all.
    pub fn second_view(&self) -> Result<SecondView, Error> {
        let none = || Error::new("a second mapping", no_file());
        let file = self.file.as_ref().ok_or_else(none)?;
        Ok(SecondView(Mapping::shared(
            file.as_fd(),
            self.len() as u64,
        )?))
    }
}

fn no_file() -> std::io::Error {
    std::io::Error::new(
        std::io::ErrorKind::Unsupported,
        "there is no file behind this memory",
    )
}

/// Another mapping of guest memory.
#[derive(Debug)]
pub struct SecondView(Mapping);

impl SecondView {
    /// Writes zero to the first word of the page at `offset`, so that it exists.
    ///
    /// # Panics
    /// If `offset` lies beyond the memory or is no multiple of 8.
    pub fn touch(&self, offset: u64) {
        self.0.set_word(offset, 0);
    }
}
