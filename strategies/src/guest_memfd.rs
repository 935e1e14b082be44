// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `guest-memfd`: a guest_memfd that is mapped into the VMM and shared from the
//! start, so that an ordinary guest runs on it.

// UNSAFETY: the ioctl's descriptor arrives as a bare number.
#![expect(unsafe_code)]

use crate::{Claims, Error, GuestRam, Mode, PageSize, Refusal, Stage, Strategy, mapping::Mapping};
use kvm_bindings::kvm_create_guest_memfd;
use kvm_ioctls::VmFd;
use results::Missing;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

/// GUEST_MEMFD_FLAG_MMAP (include/uapi/linux/kvm.h, Linux 6.18).
pub(crate) const FLAG_MMAP: u64 = 1 << 0;
/// GUEST_MEMFD_FLAG_INIT_SHARED (the same): without it the first touch of the
/// mapping is SIGBUS.
pub(crate) const FLAG_INIT_SHARED: u64 = 1 << 1;

pub(crate) static GUEST_MEMFD: Strategy = Strategy {
    name: "guest-memfd",
    about: "guest_memfd MMAP+INIT_SHARED, 4 KiB pages; direct map intact; KVM uses the user mapping",
    differs_from: Some("memfd"),
    page_size: PageSize::Base,
    parameters: &[],
    refuse: Strategy::ANY_MODE,
    claims: |_| Claims::ORDINARY,
    allocate: |vm, len, _| allocate(vm, len, FLAG_MMAP | FLAG_INIT_SHARED),
    explain,
};

fn explain(_: &Mode, refusal: &Refusal) -> Missing {
    let seen = &refusal.seen;
    let remedy = "Linux 6.18 or later with CONFIG_KVM_GUEST_MEMFD (or the lab kernel)";
    match (refusal.stage, refusal.errno) {
        (Stage::Allocate, _) => Missing::new(
            format!("no guest_memfd that can be mapped ({seen})"),
            remedy,
        ),
        (Stage::Touch, _) => Missing::new(
            format!("guest_memfd cannot be shared from the start ({seen})"),
            remedy,
        ),
        _ => Missing::new(seen.clone(), remedy),
    }
}

/// A guest_memfd of `len` bytes, mapped.
pub(crate) fn allocate(vm: &VmFd, len: u64, flags: u64) -> Result<GuestRam, Error> {
    let call = || format!("KVM_CREATE_GUEST_MEMFD(size={len:#x}, flags={flags:#x})");
    let fd = vm
        .create_guest_memfd(kvm_create_guest_memfd {
            size: len,
            flags,
            ..Default::default()
        })
        .map_err(|e| Error::new(call(), e.into()))?;
    // SAFETY: a new descriptor that nothing else owns.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    let mapping = Mapping::shared(file.as_fd(), len)?;
    Ok(GuestRam::guest_memfd(mapping, file))
}
