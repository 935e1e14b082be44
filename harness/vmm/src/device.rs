// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The test device behind the MMIO window and the data port.

use abi::{Digest, value};

/// Hands out a sequence that the guest cannot guess, and digests what it gets,
/// so that both sides can tell whether every access arrived, once, in order.
#[derive(Debug)]
pub struct Device {
    seed: u64,
    reads: u64,
    written: Digest,
    writes: u64,
    updates_clock: bool,
}

impl Device {
    /// A device that answers reads with sequence `seed`.
    pub fn new(seed: u64) -> Self {
        Device {
            seed,
            reads: 0,
            written: Digest::new(),
            writes: 0,
            updates_clock: false,
        }
    }

    /// The same device, which also makes KVM rewrite the vCPU's kvm-clock at
    /// every read of the data port.
    pub fn updating_clock(self) -> Self {
        Device {
            updates_clock: true,
            ..self
        }
    }

    #[inline]
    pub(crate) fn updates_clock(&self) -> bool {
        self.updates_clock
    }

    /// How many reads it has answered.
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// How many writes it has taken.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// The digest over everything written to it.
    pub fn written(&self) -> u64 {
        self.written.get()
    }

    #[inline]
    pub(crate) fn read(&mut self, data: &mut [u8]) {
        let word = value(self.seed, self.reads).to_le_bytes();
        for (to, from) in data.iter_mut().zip(word) {
            *to = from;
        }
        self.reads += 1;
    }

    #[inline]
    pub(crate) fn write(&mut self, data: &[u8]) {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(data) {
            *to = *from;
        }
        self.written.push(u64::from_le_bytes(word));
        self.writes += 1;
    }
}
