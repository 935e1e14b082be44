// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What becomes of a strategy's memory: a memslot for KVM, and a view through
//! which the VMM reads and writes it.

// UNSAFETY: both are made from a raw address.
#![expect(unsafe_code)]

use crate::{Error, call::Named};
use kvm_bindings::{
    KVM_MEM_GUEST_MEMFD, kvm_userspace_memory_region, kvm_userspace_memory_region2,
};
use kvm_ioctls::VmFd;
use std::os::fd::AsRawFd;
use strategies::GuestRam;
use vm_memory::{GuestAddress, GuestMemoryMmap, GuestRegionMmap, MmapRegion};

/// Makes memslot `slot` of `ram`, from guest-physical address `from` on.
///
/// # Errors
/// [`Error::Call`].
pub(crate) fn set_memslot(vm: &VmFd, slot: u32, from: u64, ram: &GuestRam) -> Result<(), Error> {
    let (address, len) = (
        ram.host_address().expose_provenance() as u64,
        ram.len() as u64,
    );
    match ram.guest_memfd_file() {
        None => {
            let region = kvm_userspace_memory_region {
                slot,
                flags: 0,
                guest_phys_addr: from,
                memory_size: len,
                userspace_addr: address,
            };
            // SAFETY: the range is mapped by `ram`, which the machine drops
            // after the VM.
            unsafe { vm.set_user_memory_region(region) }
                .call(|| format!("KVM_SET_USER_MEMORY_REGION(size={len:#x})"))
        }
        Some(file) => {
            let region = kvm_userspace_memory_region2 {
                slot,
                flags: KVM_MEM_GUEST_MEMFD,
                guest_phys_addr: from,
                memory_size: len,
                userspace_addr: address,
                guest_memfd_offset: 0,
                guest_memfd: file.as_raw_fd() as u32,
                ..Default::default()
            };
            // SAFETY: as above.
            unsafe { vm.set_user_memory_region2(region) }.call(|| {
                format!("KVM_SET_USER_MEMORY_REGION2(size={len:#x}, flags=KVM_MEM_GUEST_MEMFD)")
            })
        }
    }
}

/// A view that does not own them of pieces of memory, each from a guest-physical
/// address on.
///
/// # Errors
/// [`Error::Load`] if vm-memory does not take a range.
pub(crate) fn map<'a>(
    pieces: impl IntoIterator<Item = (u64, &'a GuestRam)>,
) -> Result<GuestMemoryMmap, Error> {
    let failed = |e: String| Error::Load(e);
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    let mut regions = Vec::new();
    for (from, ram) in pieces {
        // SAFETY: the range is mapped by `ram`, which the machine keeps as long as
        // this view and drops after it. vm-memory accesses it volatilely.
        let region =
            unsafe { MmapRegion::build_raw(ram.host_address(), ram.len(), prot, libc::MAP_SHARED) }
                .map_err(|e| failed(e.to_string()))?;
        let region = GuestRegionMmap::new(region, GuestAddress(from))
            .ok_or_else(|| failed("the memory ends beyond the address space".into()))?;
        regions.push(region);
    }
    GuestMemoryMmap::from_regions(regions).map_err(|e| failed(e.to_string()))
}
