// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `memfd` and `memfd-thp`: the same file, with and without huge pages, transparent
//! ones or those of hugetlbfs. The pair shows what page size alone does.

// UNSAFETY: memfd_create takes a C string and returns a raw descriptor.
#![expect(unsafe_code)]

use crate::{
    Claims, Error, GuestRam, PageSize, Refusal, Stage, Strategy,
    mapping::Mapping,
    parameter::{Setting, setting},
    strategy,
};
use results::Missing;
use std::{
    fs::File,
    os::fd::{AsFd, FromRawFd, OwnedFd},
};

pub(crate) static MEMFD: Strategy = Strategy {
    name: "memfd",
    about: "memfd, 4 KiB pages; direct map intact; KVM uses the user mapping (baseline)",
    differs_from: None,
    page_size: PageSize::Base,
    parameters: &[],
    refuse: Strategy::ANY_MODE,
    claims: |_| Claims::ORDINARY,
    allocate: |_, len, _| shared(len),
    explain: strategy::plain,
};

pub(crate) static MEMFD_THP: Strategy = Strategy {
    name: "memfd-thp",
    about: "memfd, huge pages (2 MiB); direct map intact; KVM uses the user mapping",
    differs_from: Some("memfd"),
    page_size: PageSize::Huge,
    parameters: &[Pages::PARAMETER],
    refuse: Strategy::ANY_MODE,
    claims: |_| Claims::ORDINARY,
    allocate: |_, len, mode| match mode.get() {
        Pages::Hugetlb => reserved(len),
        Pages::Thp => allocate(len, libc::MADV_HUGEPAGE, "MADV_HUGEPAGE"),
    },
    explain: |mode, refusal| match (refusal.stage, mode.get()) {
        (Stage::Allocate, Pages::Hugetlb) => none_reserved(refusal),
        (Stage::PageSize | Stage::Allocate, _) => no_huge_pages(refusal),
        _ => strategy::plain(mode, refusal),
    },
};

setting! {
    /// Where huge pages come from.
    Pages, "pages", "where huge pages come from", {
        Thp = "thp", "transparent huge pages";
        Hugetlb = "hugetlb", "pages reserved beforehand, of hugetlbfs";
    }
}

fn none_reserved(refusal: &Refusal) -> Missing {
    Missing::new(
        format!("no huge pages are reserved ({})", refusal.seen),
        "as root: sysctl vm.nr_hugepages=N, a page for each 2 MiB of guest memory; the kernel needs CONFIG_HUGETLBFS",
    )
}

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
    let (mapping, file) = create(len, 0)?;
    mapping.advise(advice, advice_name)?;
    Ok(GuestRam::mapped(mapping, file))
}

/// Memory of huge pages that were reserved beforehand.
fn reserved(len: u64) -> Result<GuestRam, Error> {
    let flags = libc::MFD_HUGETLB | libc::MFD_HUGE_2MB;
    let (mapping, file) = create(len, flags).map_err(|e| Error {
        call: format!("{}, of a memfd with MFD_HUGETLB", e.call),
        ..e
    })?;
    Ok(GuestRam::reserved(mapping, file, 2 << 20))
}

/// A memfd of `len` bytes with further `flags`, mapped.
fn create(len: u64, flags: u32) -> Result<(Mapping, File), Error> {
    let flags = libc::MFD_CLOEXEC | flags;
    // SAFETY: a C string that lives on, and flags the call knows.
    let fd = unsafe { libc::memfd_create(c"unmapbench".as_ptr(), flags) };
    if fd < 0 {
        return Err(Error::last(format!("memfd_create(flags={flags:#x})")));
    }
    // SAFETY: a new descriptor that nothing else owns.
    let file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    file.set_len(len)
        .map_err(|e| Error::new(format!("ftruncate(memfd, {len:#x})"), e))?;
    let mapping = Mapping::shared(file.as_fd(), len)?;
    Ok((mapping, file))
}
