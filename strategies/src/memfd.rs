// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `memfd` and `memfd-thp`: the same file, with and without huge pages. The
//! pair shows what page size alone does.

// UNSAFETY: memfd_create takes a C string and returns a raw descriptor.
#![expect(unsafe_code)]

use crate::{
    Counted, Error, GuestRam, Missing, PageSize, Refusal, Stage, Strategy, mapping::Mapping,
};
use std::{
    fs::File,
    os::fd::{AsFd, FromRawFd, OwnedFd},
};

pub(crate) static MEMFD: Strategy = Strategy {
    name: "memfd",
    about: "memfd, 4 KiB pages; direct map intact; KVM uses the user mapping (baseline)",
    isolating: false,
    page_size: PageSize::Base,
    counted: Counted::NOTHING,
    parameters: &[],
    allocate: |_, len, _| shared(len),
    explain: Missing::plain,
};

pub(crate) static MEMFD_THP: Strategy = Strategy {
    name: "memfd-thp",
    about: "memfd, transparent huge pages; direct map intact; KVM uses the user mapping",
    isolating: false,
    page_size: PageSize::Huge,
    counted: Counted::NOTHING,
    parameters: &[],
    allocate: |_, len, _| allocate(len, libc::MADV_HUGEPAGE, "MADV_HUGEPAGE"),
    explain: |refusal| match refusal.stage {
        Stage::PageSize | Stage::Allocate => no_huge_pages(refusal),
        _ => Missing::plain(refusal),
    },
};

fn no_huge_pages(refusal: &Refusal) -> Missing {
    Missing::new(
        format!("huge pages for memfd are off ({})", refusal.seen),
        "as root: echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled",
    )
}

/// Memory that a VM has beside its strategy's: an ordinary memfd of 4 KiB pages, which
/// the host may reach as it likes.
///
/// # Errors
/// What the kernel says.
pub fn shared(len: u64) -> Result<GuestRam, Error> {
    allocate(len, libc::MADV_NOHUGEPAGE, "MADV_NOHUGEPAGE")
}

fn allocate(len: u64, advice: i32, advice_name: &str) -> Result<GuestRam, Error> {
    // SAFETY: a C string that lives on, and a flag the call knows.
    let fd = unsafe { libc::memfd_create(c"unmapbench".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(Error::last("memfd_create(flags=MFD_CLOEXEC)"));
    }
    // SAFETY: a new descriptor that nothing else owns.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    let file = File::from(file);
    file.set_len(len)
        .map_err(|e| Error::new(format!("ftruncate(memfd, {len:#x})"), e))?;
    let mapping = Mapping::shared(file.as_fd(), len)?;
    mapping.advise(advice, advice_name)?;
    Ok(GuestRam::mapped(mapping, file))
}
