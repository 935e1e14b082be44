// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What becomes of a strategy's memory: a memslot for KVM, and a view through
//! which the VMM reads and writes it. Both keep the memory that they are of.

// UNSAFETY: both are made from a raw address.
#![expect(unsafe_code)]

use crate::Error;
use kvm_bindings::{
    KVM_MEM_GUEST_MEMFD, kvm_userspace_memory_region, kvm_userspace_memory_region2,
};
use kvm_ioctls::VmFd;
use std::{os::fd::AsRawFd, sync::Arc};
use strategies::GuestRam;
use vm_memory::{
    Address, GuestAddress, GuestMemoryError, GuestMemoryRegion, GuestMemoryRegionBytes,
    GuestRegionCollection, GuestUsize, MemoryRegionAddress, VolatileMemoryError, VolatileSlice,
    bitmap::BS,
};

/// Guest memory as loaders, devices and tests see it. Clones see the same memory, which
/// stays mapped as long as one of them is there, whatever became of the machine.
pub type Memory = GuestRegionCollection<Region>;

/// A piece of guest memory from a guest-physical address on.
#[derive(Debug)]
pub struct Region {
    ram: Arc<GuestRam>,
    start: GuestAddress,
}

impl GuestMemoryRegion for Region {
    type B = ();

    fn len(&self) -> GuestUsize {
        self.ram.len() as GuestUsize
    }

    fn start_addr(&self) -> GuestAddress {
        self.start
    }

    fn bitmap(&self) -> BS<'_, Self::B> {}

    /// Where the byte at `offset` is mapped; vhost tells the kernel of its rings by that.
    fn get_host_address(&self, offset: MemoryRegionAddress) -> Result<*mut u8, GuestMemoryError> {
        let offset = self.check_address(offset);
        let offset = offset.ok_or(GuestMemoryError::InvalidBackendAddress)?;
        Ok(self
            .ram
            .host_address()
            .wrapping_add(offset.raw_value() as usize))
    }

    fn get_slice(
        &self,
        offset: MemoryRegionAddress,
        count: usize,
    ) -> Result<VolatileSlice<'_, BS<'_, Self::B>>, GuestMemoryError> {
        let offset = offset.raw_value() as usize;
        let end = offset.checked_add(count);
        if end.is_none_or(|end| end > self.ram.len()) {
            return Err(VolatileMemoryError::OutOfBounds { addr: offset }.into());
        }
        let begin = self.ram.host_address().wrapping_add(offset);
        // SAFETY: `count` bytes from `begin` lie within the mapping, by the lines above.
        // Only the drop of `ram` unmaps it, and the slice borrows `self`, which owns a
        // share of it. Nothing holds a reference into it.
        Ok(unsafe { VolatileSlice::new(begin, count) })
    }
}

impl GuestMemoryRegionBytes for Region {}

/// A view of pieces of memory, each from a guest-physical address on, in ascending order.
///
/// # Errors
/// [`Error::Load`] if vm-memory does not take a range.
pub(crate) fn view(
    pieces: impl IntoIterator<Item = (u64, Arc<GuestRam>)>,
) -> Result<Memory, Error> {
    let failed = |e: String| Error::Load(e);
    let mut regions = Vec::new();
    for (start, ram) in pieces {
        if start.checked_add(ram.len() as u64).is_none() {
            return Err(failed("the memory ends beyond the address space".into()));
        }
        let start = GuestAddress(start);
        regions.push(Region { ram, start });
    }
    Memory::from_regions(regions).map_err(|e| failed(e.to_string()))
}

/// Releases memory that was a machine's.
///
/// # Panics
/// If a view of it is left, because the time that this takes would be none.
pub(crate) fn release(ram: Arc<GuestRam>) {
    let last = Arc::into_inner(ram);
    assert!(
        last.is_some(),
        "a view of the guest's memory outlives its machine"
    );
}

/// Makes memslot `slot` of `ram`, from guest-physical address `from` on. What runs the
/// guest, the machine and each vCPU, owns a share of `ram`.
///
/// # Errors
/// [`Error::Memslot`].
pub(crate) fn set_memslot(
    vm: &VmFd,
    slot: u32,
    from: u64,
    ram: &Arc<GuestRam>,
) -> Result<(), Error> {
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
            // SAFETY: the range is mapped by `ram`, which lives as long as a vCPU that
            // can run in it: each owns a share.
            let set = unsafe { vm.set_user_memory_region(region) };
            set.map_err(|e| refused(format!("KVM_SET_USER_MEMORY_REGION(size={len:#x})"), e))
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
            let set = unsafe { vm.set_user_memory_region2(region) };
            let flags = "KVM_MEM_GUEST_MEMFD";
            let call = || format!("KVM_SET_USER_MEMORY_REGION2(size={len:#x}, flags={flags})");
            set.map_err(|e| refused(call(), e))
        }
    }
}

fn refused(call: String, source: kvm_ioctls::Error) -> Error {
    let source = source.into();
    Error::Memslot { call, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vm_memory::{Bytes, GuestMemoryBackend};

    const LEN: u64 = 0x4000;

    fn ram() -> Arc<GuestRam> {
        Arc::new(strategies::shared(LEN).unwrap())
    }

    #[test]
    fn memory_lives_as_long_as_its_last_view() {
        let ram = ram();
        let watched = Arc::downgrade(&ram);
        let memory = view([(0, ram)]).unwrap();
        let kept = memory.clone();
        memory.write_obj(7_u64, GuestAddress(0x1000)).unwrap();
        drop(memory);
        assert_eq!(kept.read_obj::<u64>(GuestAddress(0x1000)).unwrap(), 7);
        drop(kept);
        assert!(watched.upgrade().is_none());
    }

    #[test]
    fn a_view_ends_where_its_memory_does() {
        let memory = view([(0, ram()), (2 * LEN, ram())]).unwrap();
        for (at, len, within) in [
            (0, LEN, true),
            (LEN - 8, 8, true),
            (LEN - 8, 9, false),
            (LEN, 1, false),
            (2 * LEN, LEN, true),
            (3 * LEN, 0, false),
            (u64::MAX, 1, false),
        ] {
            let slice = memory.get_slice(GuestAddress(at), len as usize);
            assert_eq!(slice.is_ok(), within, "{len:#x} at {at:#x}");
        }
        let region = memory.iter().next().unwrap();
        let beyond = region.get_slice(MemoryRegionAddress(8), usize::MAX - 4);
        assert!(beyond.is_err());
    }

    /// As vhost asks for it.
    #[test]
    fn a_view_says_where_its_bytes_are_mapped() {
        let ram = ram();
        let memory = view([(0, ram.clone())]).unwrap();
        let address = memory.get_host_address(GuestAddress(0x1008)).unwrap();
        assert_eq!(address, ram.host_address().wrapping_add(0x1008));
        assert!(memory.get_host_address(GuestAddress(LEN)).is_err());
    }

    #[test]
    fn pieces_that_overlap_or_wrap_are_refused() {
        for pieces in [[0, LEN - 1], [LEN, 0], [0, u64::MAX - 1]] {
            let built = view(pieces.map(|at| (at, ram())));
            assert!(matches!(built, Err(Error::Load(_))), "{pieces:x?}");
        }
    }

    #[test]
    #[should_panic(expected = "outlives its machine")]
    fn memory_in_use_is_not_released() {
        let ram = ram();
        let _kept = view([(0, ram.clone())]).unwrap();
        release(ram);
    }
}
