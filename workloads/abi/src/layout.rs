// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Guest-physical addresses. The guest's page tables map them to themselves.
//!
//! | from | holds |
//! |---|---|
//! | [`COMMAND`] | one command page per vCPU |
//! | [`PAGE_TABLES`] | PML4, one PDPT, up to [`PD_COUNT`] page directories of 2 MiB pages |
//! | [`PVCLOCK`] | one page per vCPU for kvm-clock |
//! | [`STACKS`] | one stack per vCPU |
//! | [`PAYLOAD`] | the payload's segments |
//! | [`SAMPLES`] | one sample buffer per vCPU |
//! | [`ARENA`] | everything up to the end: untouched until a workload touches it |
//! | [`MMIO`] | no memory: an access leaves to the VMM |

/// A base page.
pub const PAGE: u64 = 4096;

/// The most vCPUs that the fixed areas below have room for.
pub const MAX_VCPUS: u64 = 8;

/// The command pages. Page 0 stays unused, so that a null pointer is seen.
pub const COMMAND: u64 = 0x1000;

/// The page tables.
pub const PAGE_TABLES: u64 = 0x1_0000;

/// Page directories, each of which maps 1 GiB.
pub const PD_COUNT: u64 = 4;

/// The kvm-clock pages.
pub const PVCLOCK: u64 = 0x2_0000;

/// The stacks, lowest address.
pub const STACKS: u64 = 0x4_0000;

/// The size of one stack.
pub const STACK_SIZE: u64 = 0x8000;

/// Where the payload is linked to. `payload.ld` has the same number.
pub const PAYLOAD: u64 = 0x10_0000;

/// The sample buffers.
pub const SAMPLES: u64 = 0x20_0000;

/// The size of one sample buffer.
pub const SAMPLES_SIZE: u64 = 0x10_0000;

/// How many samples fit one buffer.
pub const SAMPLES_MAX: u64 = SAMPLES_SIZE / 8;

/// The first byte that no one touches before a workload does.
pub const ARENA: u64 = 0x100_0000;

/// The window in which an access is an MMIO exit: above the largest memory,
/// below the addresses of the local APIC and IOAPIC.
pub const MMIO: u64 = 0xd000_0000;

/// The size of the MMIO window: one large page of the guest.
pub const MMIO_SIZE: u64 = 0x20_0000;

/// The memory of a guest of one vCPU that has no arena: enough to find out
/// whether KVM runs it at all, and little enough for a tight RLIMIT_MEMLOCK.
pub const MEMORY_BARE: u64 = 0x40_0000;

/// The least memory of a guest with an arena: the fixed areas and 16 MiB more.
pub const MEMORY_MIN: u64 = 2 * ARENA;

/// The most memory of a guest: what lies below the MMIO window.
pub const MEMORY_MAX: u64 = 0xc000_0000;

/// The command page of `vcpu`.
pub const fn command(vcpu: u64) -> u64 {
    COMMAND + vcpu * PAGE
}

/// The kvm-clock page of `vcpu`.
pub const fn pvclock(vcpu: u64) -> u64 {
    PVCLOCK + vcpu * PAGE
}

/// The initial stack pointer of `vcpu`.
pub const fn stack_top(vcpu: u64) -> u64 {
    STACKS + (vcpu + 1) * STACK_SIZE
}

/// The sample buffer of `vcpu`.
pub const fn samples(vcpu: u64) -> u64 {
    SAMPLES + vcpu * SAMPLES_SIZE
}

/// Which vCPU runs on the stack that holds `address`.
pub const fn vcpu_of_stack(address: u64) -> u64 {
    (address - STACKS) / STACK_SIZE
}

// The areas lie in order and do not overlap.
const _: () = {
    assert!(COMMAND + MAX_VCPUS * PAGE <= PAGE_TABLES);
    assert!(PAGE_TABLES + (2 + PD_COUNT) * PAGE <= PVCLOCK);
    assert!(PVCLOCK + MAX_VCPUS * PAGE <= STACKS);
    assert!(STACKS + MAX_VCPUS * STACK_SIZE <= PAYLOAD);
    assert!(PAYLOAD < SAMPLES && samples(1) <= MEMORY_BARE);
    assert!(SAMPLES + MAX_VCPUS * SAMPLES_SIZE <= ARENA);
    assert!(MEMORY_MAX <= MMIO && MMIO + MMIO_SIZE <= PD_COUNT << 30);
    assert!(vcpu_of_stack(stack_top(3) - 8) == 3);
};
