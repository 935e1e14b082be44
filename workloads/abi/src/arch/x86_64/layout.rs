// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Guest-physical addresses that are x86-64's own. [`crate::layout`] has the table of
//! all of them.

use crate::area::{ALIAS, INTERRUPTS, MAX_VCPUS, PAGE, SCRATCH, alias};

/// The first of the areas here.
pub(crate) const FIRST: u64 = PAGE_TABLES;

/// Where they end.
pub(crate) const END: u64 = alias_entry(alias(MAX_VCPUS));

/// The page tables.
pub const PAGE_TABLES: u64 = 0x1_0000;

/// Page directories of memory, each of which maps 1 GiB.
pub const PD_COUNT: u64 = 4;

/// The global descriptor table: nothing but the segments that are loaded anyway.
pub const GDT: u64 = 0x1_a000;

/// The interrupt descriptor table.
pub const IDT: u64 = 0x1_b000;

/// The task state segment.
pub const TSS: u64 = 0x1_d000;

/// The stack of interrupts, lowest address: the compiler may use what lies below the
/// stack pointer of what was interrupted (the red zone of the x86-64 ABI).
pub const INTERRUPT_STACK: u64 = 0x1_e000;

/// The kvm-clock pages.
pub const PVCLOCK: u64 = 0x2_0000;

/// The page tables of [`ALIAS`].
pub const ALIAS_TABLES: u64 = 0x3_0000;

/// The IOAPIC's registers, in a machine that has one.
pub const IOAPIC: u64 = 0xfec0_0000;

/// The local APIC's registers, in a machine that has them.
pub const LAPIC: u64 = 0xfee0_0000;

/// The input of the IOAPIC to which the virtio device's interrupt goes: one of those
/// that the PICs, which are never set up, do not have as well.
pub const VIRTIO_GSI: u32 = 16;

/// The most memory of a guest with interrupt controllers, which begin above it.
pub const MEMORY_MAX_IRQCHIP: u64 = 0xc000_0000;

/// The most memory of a guest: what the page directories map.
pub const MEMORY_MAX: u64 = PD_COUNT << 30;

/// The kvm-clock page of `vcpu`.
pub const fn pvclock(vcpu: u64) -> u64 {
    PVCLOCK + vcpu * PAGE
}

/// Where the page-table entry of virtual page `address` of [`ALIAS`] is.
pub const fn alias_entry(address: u64) -> u64 {
    ALIAS_TABLES + (address - ALIAS) / PAGE * 8
}

// The areas lie in order and do not overlap; INTERRUPTS and SCRATCH lie among them.
const _: () = {
    assert!(PAGE_TABLES + (5 + PD_COUNT) * PAGE <= GDT);
    assert!(GDT + PAGE <= IDT && IDT + PAGE <= INTERRUPTS);
    assert!(INTERRUPTS + PAGE <= TSS && TSS + PAGE <= INTERRUPT_STACK);
    assert!(INTERRUPT_STACK + PAGE <= PVCLOCK);
    assert!(PVCLOCK + MAX_VCPUS * PAGE <= SCRATCH);
    assert!(SCRATCH + MAX_VCPUS * PAGE <= ALIAS_TABLES);
    assert!(MEMORY_MAX_IRQCHIP <= IOAPIC && LAPIC < MEMORY_MAX);
};
