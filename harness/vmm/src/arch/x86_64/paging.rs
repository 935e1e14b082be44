// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The guest's own page tables: every address of memory, of the MMIO window, of the
//! memory that is shared and of the interrupt controllers maps to itself, in 2 MiB pages,
//! accessible from CPL3. The pages of [`layout::ALIAS`] have page tables without entries,
//! which the guest fills.
//!
//! They are the same for every strategy: the page size that strategies differ
//! in is the host's.

use crate::{Error, Memory};
use abi::layout::{
    self, ALIAS, ALIAS_TABLES, IOAPIC, LAPIC, MMIO, MMIO_SIZE, PAGE, PAGE_TABLES, WINDOW,
    WINDOW_SIZE,
};
use vm_memory::{Bytes, GuestAddress};

/// What a page of a page directory maps.
pub(super) const LARGE: u64 = 2 << 20;
/// What a page directory maps.
pub(super) const GIB: u64 = 1 << 30;

// Intel SDM vol. 3A table 4-18.
const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const ACCESSED: u64 = 1 << 5;
const DIRTY: u64 = 1 << 6;
const SIZE_2M: u64 = 1 << 7;

/// A writer of entries.
pub(super) struct Tables<'m> {
    memory: &'m Memory,
    table: u64,
    page: u64,
}

impl<'m> Tables<'m> {
    /// For the kernel of a guest.
    pub(super) fn kernel(memory: &'m Memory) -> Self {
        let table = PRESENT | WRITABLE;
        Tables {
            memory,
            table,
            page: table | SIZE_2M,
        }
    }

    /// For CPL3 too. Accessed and dirty bits are set beforehand, so that no walk has to
    /// write them.
    pub(super) fn user(memory: &'m Memory) -> Self {
        let table = PRESENT | WRITABLE | USER | ACCESSED;
        Tables {
            memory,
            table,
            page: table | DIRTY | SIZE_2M,
        }
    }

    /// Makes the entry at `at` point to the next table.
    ///
    /// # Errors
    /// [`Error::Load`] if the entry is not in memory.
    pub(super) fn table(&self, at: u64, next: u64) -> Result<(), Error> {
        self.put(at, next | self.table)
    }

    /// Makes the entry at `at` map 2 MiB from `address` on.
    ///
    /// # Errors
    /// As [`Tables::table`].
    pub(super) fn page(&self, at: u64, address: u64) -> Result<(), Error> {
        self.put(at, address | self.page)
    }

    fn put(&self, at: u64, entry: u64) -> Result<(), Error> {
        self.memory
            .write_obj(entry, GuestAddress(at))
            .map_err(|e| Error::Load(format!("page table entry at {at:#x}: {e}")))
    }
}

/// Writes page tables for `size` bytes of memory.
///
/// # Errors
/// [`Error::Load`] if the memory is smaller than the layout.
pub(super) fn write(memory: &Memory, size: u64) -> Result<(), Error> {
    let tables = Tables::user(memory);
    let (pml4, pdpt, pds) = (PAGE_TABLES, PAGE_TABLES + PAGE, PAGE_TABLES + 2 * PAGE);
    let mmio = pds + layout::PD_COUNT * PAGE;
    let (aliases, shared) = (mmio + PAGE, mmio + 2 * PAGE);
    tables.table(pml4, pdpt)?;
    for i in 0..layout::PD_COUNT {
        tables.table(pdpt + i * 8, pds + i * PAGE)?;
    }
    tables.table(pdpt + MMIO / GIB * 8, mmio)?;
    tables.table(pdpt + WINDOW / GIB * 8, shared)?;
    tables.table(pdpt + ALIAS / GIB * 8, aliases)?;
    let memory = (0..size).step_by(LARGE as usize);
    for address in memory.chain([IOAPIC, LAPIC]) {
        // The directories are contiguous, so one index covers them all.
        tables.page(pds + address / LARGE * 8, address)?;
    }
    // And the virtio device's registers after it.
    for i in 0..MMIO_SIZE / LARGE + 1 {
        tables.page(mmio + i * 8, MMIO + i * LARGE)?;
    }
    // Without such memory, an access there leaves to the VMM like any other.
    for i in 0..WINDOW_SIZE / LARGE {
        tables.page(shared + i * 8, WINDOW + i * LARGE)?;
    }
    for i in 0..layout::MAX_VCPUS * layout::ALIASES * PAGE / LARGE {
        tables.table(aliases + i * 8, ALIAS_TABLES + i * PAGE)?;
    }
    Ok(())
}
