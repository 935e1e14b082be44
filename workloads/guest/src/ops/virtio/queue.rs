// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The driver's side of a split virtqueue (virtio 1.2, 2.7).

// UNSAFETY: see the parent module.
#![expect(unsafe_code)]

use crate::memory::Words;

const NEXT: u64 = 1;
const WRITE: u64 = 2;

/// VIRTQ_AVAIL_F_NO_INTERRUPT and VIRTQ_USED_F_NO_NOTIFY: the other side does not
/// want to be told.
const QUIET: u16 = 1;

/// A buffer of a chain.
#[derive(Clone, Copy)]
pub(super) struct Part {
    address: u64,
    len: u64,
    flags: u64,
}

impl Part {
    /// One that the device reads.
    #[inline(always)]
    pub(super) fn to_device(address: u64, len: u64) -> Self {
        Part {
            address,
            len,
            flags: 0,
        }
    }

    /// One that the device writes.
    #[inline(always)]
    pub(super) fn from_device(address: u64, len: u64) -> Self {
        Part {
            address,
            len,
            flags: WRITE,
        }
    }
}

/// A virtqueue.
pub(super) struct Queue {
    index: u64,
    table: Words,
    available: Words,
    used: Words,
    /// How many chains were ever made available, modulo 2^16.
    published: u16,
}

impl Queue {
    /// Descriptors: three for each of 32 requests, and a power of two.
    pub(super) const SIZE: u64 = 128;

    /// Bytes from one queue to the next.
    const SPAN: u64 = 0x3000;

    /// Queue `index` among those from `place` on, going on where it was.
    ///
    /// # Safety
    /// The memory there is ours for as long as the value is in use.
    pub(super) unsafe fn new(place: u64, index: u64) -> Self {
        let base = place + index * Self::SPAN;
        // SAFETY: by the contract above.
        let [table, available, used] = [
            (base, Self::SIZE * 2),
            (base + 0x1000, Self::SIZE),
            (base + 0x2000, Self::SIZE * 2),
        ]
        .map(|(base, len)| unsafe { Words::new(base, len) });
        Queue {
            index,
            table,
            available,
            used,
            published: used.quarter(1),
        }
    }

    /// Empties it, before the device is set up.
    pub(super) fn clear(&mut self) {
        self.available.set(0, 0);
        self.used.set(0, 0);
        self.published = 0;
    }

    /// Its number.
    pub(super) fn index(&self) -> u64 {
        self.index
    }

    /// Where the descriptors, the driver's and the device's area are.
    pub(super) fn addresses(&self) -> [u64; 3] {
        [self.table, self.available, self.used].map(|w| w.address())
    }

    /// Whether the device is to interrupt.
    pub(super) fn interrupt(&self, wanted: bool) {
        self.available
            .set_quarter(0, if wanted { 0 } else { QUIET });
    }

    /// Puts `parts` into the descriptors from `head` on, and that into the ring.
    #[inline(always)]
    pub(super) fn publish<const N: usize>(&mut self, head: u64, parts: [Part; N]) {
        for (i, part) in (head..).zip(parts) {
            let last = i + 1 == head + N as u64;
            let chained = if last { 0 } else { NEXT | (i + 1) << 16 };
            self.table.set(2 * i, part.address);
            self.table
                .set(2 * i + 1, part.len | (part.flags | chained) << 32);
        }
        let entry = 2 + u64::from(self.published) % Self::SIZE;
        self.available.set_quarter(entry, head as u16);
        self.published = self.published.wrapping_add(1);
    }

    /// Makes everything that was published available; whether the device wants to be
    /// told.
    #[inline(always)]
    pub(super) fn announce(&self) -> bool {
        // The index is the second 16-bit word, after all entries.
        self.available.set_quarter(1, self.published);
        core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
        self.used.quarter(0) & QUIET == 0
    }

    /// Whether the device has used everything.
    #[inline(always)]
    pub(super) fn complete(&self) -> bool {
        self.used.quarter(1) == self.published
    }

    /// How many bytes the device wrote into the last chain but `back`.
    pub(super) fn written(&self, back: u16) -> u64 {
        let entry = u64::from(self.published.wrapping_sub(1 + back)) % Self::SIZE;
        // A 32-bit head and a 32-bit length, behind flags and index of 16 bits.
        self.used.half(2 + 2 * entry)
    }
}
