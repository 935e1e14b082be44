// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The guest's own page tables: every address of memory, of the MMIO window, of the
//! memory that is shared and of the interrupt controllers maps to itself, in 2 MiB pages, accessible from
//! CPL3. The pages of [`layout::ALIAS`] have page tables without entries, which
//! the guest fills.
//!
//! They are the same for every strategy: the page size that strategies differ
//! in is the host's.

use crate::{Error, Memory};
use abi::layout::{
    self, ALIAS, ALIAS_TABLES, IOAPIC, LAPIC, MMIO, MMIO_SIZE, PAGE, PAGE_TABLES, WINDOW,
    WINDOW_SIZE,
};
use vm_memory::{Bytes, GuestAddress};

const LARGE: u64 = 2 << 20;
const GIB: u64 = 1 << 30;

// Intel SDM vol. 3A table 4-18: present, writable, user, accessed, dirty. The
// last two are set beforehand so that no walk has to write them.
const TABLE: u64 = 0b10_0111;
const LEAF: u64 = 0b1110_0111; // and the page-size bit

/// Writes page tables for `size` bytes of memory.
///
/// # Errors
/// [`Error::Load`] if the memory is smaller than the layout.
pub(crate) fn write(memory: &Memory, size: u64) -> Result<(), Error> {
    let put = |address: u64, entry: u64| {
        memory
            .write_obj(entry, GuestAddress(address))
            .map_err(|e| Error::Load(format!("page table entry at {address:#x}: {e}")))
    };
    let (pml4, pdpt, pds) = (PAGE_TABLES, PAGE_TABLES + PAGE, PAGE_TABLES + 2 * PAGE);
    let (window, aliases) = (
        pds + layout::PD_COUNT * PAGE,
        pds + (layout::PD_COUNT + 1) * PAGE,
    );
    put(pml4, pdpt | TABLE)?;
    for i in 0..layout::PD_COUNT {
        put(pdpt + i * 8, (pds + i * PAGE) | TABLE)?;
    }
    let shared = pds + (layout::PD_COUNT + 2) * PAGE;
    put(pdpt + MMIO / GIB * 8, window | TABLE)?;
    put(pdpt + WINDOW / GIB * 8, shared | TABLE)?;
    put(pdpt + ALIAS / GIB * 8, aliases | TABLE)?;
    let memory = (0..size).step_by(LARGE as usize);
    for address in memory.chain([IOAPIC, LAPIC]) {
        // The directories are contiguous, so one index covers them all.
        put(pds + address / LARGE * 8, address | LEAF)?;
    }
    // And the virtio device's registers after it.
    for i in 0..MMIO_SIZE / LARGE + 1 {
        put(window + i * 8, (MMIO + i * LARGE) | LEAF)?;
    }
    // Without such memory, an access there leaves to the VMM like any other.
    for i in 0..WINDOW_SIZE / LARGE {
        put(shared + i * 8, (WINDOW + i * LARGE) | LEAF)?;
    }
    for i in 0..layout::MAX_VCPUS * layout::ALIASES * PAGE / LARGE {
        put(aliases + i * 8, (ALIAS_TABLES + i * PAGE) | TABLE)?;
    }
    Ok(())
}
