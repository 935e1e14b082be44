// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Entries of the guest's own page tables (Intel SDM vol. 3A, table 4-20).

/// Present, writable, user.
const PRESENT: u64 = 0b111;
/// The processor, or KVM in its place, has walked over this entry.
const ACCESSED: u64 = 1 << 5;

/// An entry that leads to the page at `address`, and has not been walked over.
#[inline(always)]
pub const fn entry(address: u64) -> u64 {
    address | PRESENT
}

/// Whether a walk has passed `entry`.
#[inline(always)]
pub const fn was_walked(entry: u64) -> bool {
    entry & ACCESSED != 0
}
