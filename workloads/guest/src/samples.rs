// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where an operation leaves its samples.

use crate::memory::Words;

/// The sample buffer of one vCPU. What does not fit is refused by [`crate::ops`]
/// before the operation starts.
#[derive(Debug)]
pub struct Samples {
    words: Words,
    used: u64,
}

impl Samples {
    /// An empty buffer over `words`. Each word is written once now, so that no
    /// first touch of the buffer falls into a measured window.
    pub fn new(words: Words, expected: u64) -> Self {
        for i in 0..expected.min(words.len()) {
            words.set(i, 0);
        }
        Samples { words, used: 0 }
    }

    /// Appends one sample, in ticks.
    #[inline(always)]
    pub fn push(&mut self, ticks: u64) {
        self.words.set(self.used, ticks);
        self.used += 1;
    }

    /// How many samples there are.
    pub fn len(&self) -> u64 {
        self.used
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }
}
