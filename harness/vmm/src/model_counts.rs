// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Starts and stops the TLB model of the emulator that this may run in; see
//! [`abi::tlb`]. Anywhere else it is a NOP, and the page stays as it is.

use crate::arch;
use abi::tlb;
use std::sync::atomic::{AtomicU64, Ordering};

/// A page for what the model counts, aligned so that all of it is one page.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct ModelCounts {
    words: [AtomicU64; tlb::WORDS],
}

impl ModelCounts {
    /// One of zeros, that a process has touched, as the model asks.
    pub fn new() -> Box<Self> {
        let counts = Box::new(ModelCounts {
            words: std::array::from_fn(|_| AtomicU64::new(0)),
        });
        for word in &counts.words {
            // A write is what makes a page.
            word.store(0, Ordering::Relaxed);
        }
        counts
    }

    /// Begins; whether there is a model that heard it.
    pub fn begin(&self) -> bool {
        arch::mark(&self.words, tlb::BEGIN);
        self.words[tlb::STATE].load(Ordering::Relaxed) == tlb::COUNTING
    }

    /// Ends; the words from [`tlb::FIRST`] on, if there is a model that counted them.
    pub fn end(&self) -> Option<[u64; tlb::WORDS - tlb::FIRST]> {
        arch::mark(&self.words, tlb::END);
        let word = |i: usize| self.words[i].load(Ordering::Relaxed);
        (word(tlb::STATE) == tlb::COUNTED).then(|| std::array::from_fn(|i| word(tlb::FIRST + i)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tests run on a machine, not in an emulator with the model.
    #[test]
    fn without_a_model_nothing_is_counted() {
        let counts = ModelCounts::new();
        assert!(!counts.begin());
        assert_eq!(counts.end(), None);
        assert_eq!(std::ptr::from_ref(&*counts).addr() % 4096, 0);
    }
}
