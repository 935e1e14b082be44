// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Drivers of virtio devices over MMIO (virtio 1.2, split virtqueues): what they
//! have in common.
//!
//! Rings, headers and buffers lie where the request says. Where that is not the
//! arena, the data of a request is copied from and to the arena, as Linux does by
//! swiotlb when a device may not reach a guest's memory.

// UNSAFETY: see the parent module.
#![expect(unsafe_code)]

pub(super) mod block;
pub(super) mod net;

mod queue;
mod registers;
mod wait;

use crate::{asm, memory::Words};
use abi::{Args, layout};
use queue::{Part, Queue};
use registers::Registers;
use wait::Completion;

/// The most requests at once.
pub(super) const DEPTH_MAX: u64 = 32;

// Where things lie behind the rings, from the request's `place` on.
const HEADERS: u64 = 0x8000;
const STATUSES: u64 = 0x9000;

/// The data of a request: where the guest has it, and where the device finds it.
#[derive(Clone, Copy)]
struct Data {
    own: Words,
    shared: Words,
}

impl Data {
    /// Room number `number` for `bytes` bytes.
    ///
    /// # Safety
    /// The arena and the memory from `place` on are ours.
    unsafe fn at(args: Args, number: u64) -> Self {
        let bytes = args.stride.next_multiple_of(8);
        let at = |base: u64| base + layout::BUFFERS + number * bytes.next_multiple_of(64);
        // SAFETY: by the contract above.
        let [own, shared] =
            [layout::ARENA, args.place].map(|base| unsafe { Words::new(at(base), bytes / 8) });
        Data { own, shared }
    }

    fn bounces(&self) -> bool {
        self.own.address() != self.shared.address()
    }

    /// Gives the device what the guest wrote.
    #[inline(always)]
    fn push(&self) {
        if self.bounces() {
            // SAFETY: both are as long, by `at`.
            unsafe {
                asm::copy(
                    self.shared.address(),
                    self.own.address(),
                    2 * self.own.len(),
                )
            };
        }
    }

    /// Takes what the device wrote.
    #[inline(always)]
    fn pull(&self) {
        if self.bounces() {
            // SAFETY: as above.
            unsafe {
                asm::copy(
                    self.own.address(),
                    self.shared.address(),
                    2 * self.own.len(),
                )
            };
        }
    }
}
