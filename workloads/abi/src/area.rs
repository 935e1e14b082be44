// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Guest-physical addresses that do not depend on the architecture. [`crate::layout`] has
//! the table of all of them.

/// A base page.
pub const PAGE: u64 = 4096;

/// The most vCPUs that the fixed areas below have room for.
pub const MAX_VCPUS: u64 = 8;

/// The command pages. Page 0 stays unused, so that a null pointer is seen.
pub const COMMAND: u64 = 0x1000;

/// The word that counts interrupts.
pub const INTERRUPTS: u64 = 0x1_c000;

/// The pages that string instructions read and write.
pub const SCRATCH: u64 = 0x2_8000;

/// How many virtual pages of [`ALIAS`] each vCPU has.
pub const ALIASES: u64 = 1024;

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

/// The first byte of memory that stays untouched until a workload touches it.
pub const ARENA: u64 = 0x100_0000;

/// The window in which an access is an MMIO exit. It lies above all memory, and
/// below what the narrowest CPU in use can address (36 bits).
pub const MMIO: u64 = 0x8_0000_0000;

/// The size of the MMIO window: one large page of the guest.
pub const MMIO_SIZE: u64 = 0x20_0000;

/// How many pages it has.
pub const MMIO_PAGES: u64 = MMIO_SIZE / PAGE;

/// The registers of the virtio device, right after the window.
pub const VIRTIO: u64 = MMIO + MMIO_SIZE;

/// The size of its registers and configuration.
pub const VIRTIO_SIZE: u64 = 0x200;

/// Bytes of the disk behind a virtio-blk device.
pub const DISK: u64 = 4 << 20;

/// How far behind its rings and headers a driver's data buffers begin.
pub const BUFFERS: u64 = 0x10_0000;

/// Memory of a kind that the host may always reach, for a driver that bounces what
/// it transfers, as Linux does by swiotlb.
pub const WINDOW: u64 = 0xa_0000_0000;

/// Its size: rings, and 32 buffers of 1 MiB.
pub const WINDOW_SIZE: u64 = 34 << 20;

/// Virtual pages without an entry, until the guest makes one.
pub const ALIAS: u64 = 0x9_0000_0000;

/// The memory of a guest of one vCPU that has no arena: enough to find out
/// whether KVM runs it at all, and little enough for a tight RLIMIT_MEMLOCK.
pub const MEMORY_BARE: u64 = 0x40_0000;

/// The least memory of a guest with an arena: the fixed areas and 16 MiB more.
pub const MEMORY_MIN: u64 = 2 * ARENA;

/// The command page of `vcpu`.
pub const fn command(vcpu: u64) -> u64 {
    COMMAND + vcpu * PAGE
}

/// The scratch page of `vcpu`.
pub const fn scratch(vcpu: u64) -> u64 {
    SCRATCH + vcpu * PAGE
}

/// The first virtual page of `vcpu`'s aliases.
pub const fn alias(vcpu: u64) -> u64 {
    ALIAS + vcpu * ALIASES * PAGE
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
