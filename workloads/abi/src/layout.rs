// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Guest-physical addresses. The guest's page tables map them to themselves.
//!
//! | from | holds |
//! |---|---|
//! | [`COMMAND`] | one command page per vCPU |
//! | [`PAGE_TABLES`] | PML4, PDPT, [`PD_COUNT`] page directories of memory, one of [`MMIO`], of [`ALIAS`] and of [`WINDOW`] |
//! | [`GDT`] | segment descriptors, for an interrupt to load |
//! | [`IDT`] | interrupt gates, which the guest fills |
//! | [`INTERRUPTS`] | how many interrupts vCPU 0 has had |
//! | [`TSS`] | the task state segment: which stack an interrupt takes |
//! | [`INTERRUPT_STACK`] | that stack |
//! | [`PVCLOCK`] | one page per vCPU for kvm-clock and its like |
//! | [`SCRATCH`] | one page per vCPU for string instructions |
//! | [`ALIAS_TABLES`] | two page tables per vCPU, which the guest writes itself |
//! | [`STACKS`] | one stack per vCPU |
//! | [`PAYLOAD`] | the payload's segments |
//! | [`SAMPLES`] | one sample buffer per vCPU |
//! | [`ARENA`] | everything up to the end: untouched until a workload touches it |
//! | [`MMIO`] | no memory: an access leaves to the VMM |
//! | [`WINDOW`] | in a machine that has one: memory that guest and host share in every strategy |
//!
//! [`ALIAS`] is a virtual address only: what it leads to, the guest decides.

use crate::arch;
pub use crate::{arch::layout::*, area::*};

// The areas lie in order and do not overlap.
const _: () = {
    assert!(COMMAND + MAX_VCPUS * PAGE <= arch::layout::FIRST);
    assert!(arch::layout::END <= STACKS);
    assert!(STACKS + MAX_VCPUS * STACK_SIZE <= PAYLOAD);
    assert!(PAYLOAD < SAMPLES && samples(1) <= MEMORY_BARE);
    assert!(SAMPLES + MAX_VCPUS * SAMPLES_SIZE <= ARENA);
    assert!(MEMORY_MAX <= MMIO && MMIO + MMIO_SIZE <= 1 << 36);
    assert!(MMIO.is_multiple_of(1 << 30) && ALIAS.is_multiple_of(1 << 30));
    assert!(WINDOW.is_multiple_of(1 << 30) && WINDOW + WINDOW_SIZE <= 1 << 36);
    assert!(vcpu_of_stack(stack_top(3) - 8) == 3);
};
