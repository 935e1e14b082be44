// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a co-runner does in its own process: rounds of reads, one word of each page of a
//! megabyte at a time, which a second-level TLB holds and a flush takes away.

use abi::{Order, value};
use serde::{Deserialize, Serialize};
use std::{
    hint::black_box,
    io::Read,
    sync::atomic::{AtomicBool, Ordering},
};
use vmm::clock;

/// Pages that are read.
const PAGES: usize = 256;

/// 64-bit words in a page.
const WORDS: usize = 512;

/// Times that each page is read in a round.
const PASSES: u64 = 16;

/// After so many rounds, a minute's worth, it ends by itself.
const ROUNDS_MAX: usize = 1 << 21;

/// What the process says at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounds {
    /// When each round began, and the last ended, in ticks.
    pub(super) begun: Vec<u64>,
    /// Whether the words of every round added up to what they must.
    pub(super) right: bool,
}

/// Reads until standard input ends.
pub fn rounds() -> Rounds {
    static ENDED: AtomicBool = AtomicBool::new(false);
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        ENDED.store(true, Ordering::Relaxed);
    });
    let memory: Vec<u64> = (0..(PAGES * WORDS) as u64).map(|i| value(1, i)).collect();
    let order = Order::new(1, PAGES as u64);
    // A word of each page, each at another place in it.
    let places: Vec<usize> = (0..PAGES as u64)
        .map(|i| order.at(i) as usize * WORDS + i as usize * 8 % WORDS)
        .collect();
    let expected = (0..PASSES).fold(0, |sum: u64, _| sum.wrapping_add(pass(&memory, &places)));
    let mut begun = Vec::with_capacity(ROUNDS_MAX + 1);
    let mut right = true;
    begun.push(clock::ticks());
    while !ENDED.load(Ordering::Relaxed) && begun.len() <= ROUNDS_MAX {
        let read = (0..PASSES).fold(0, |sum: u64, _| {
            sum.wrapping_add(pass(black_box(&memory), &places))
        });
        right &= read == expected;
        begun.push(clock::ticks());
    }
    Rounds { begun, right }
}

/// Reads every place once, each only when the one before it is known.
fn pass(memory: &[u64], places: &[usize]) -> u64 {
    let (mut sum, mut last) = (0u64, 0u64);
    for place in places {
        // Adds nothing, and is not known before the last word is.
        last = memory[place + (last & 1) as usize];
        sum = sum.wrapping_add(last);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_depends_on_every_word_it_reads() {
        let mut memory: Vec<u64> = (0..4 * WORDS as u64).map(|i| value(1, i)).collect();
        let places = [0, WORDS + 8, 2 * WORDS + 16];
        let before = pass(&memory, &places);
        for place in places {
            let was = memory[place];
            memory[place] ^= 2;
            memory[place + 1] ^= 2;
            assert_ne!(pass(&memory, &places), before, "{place}");
            memory[place + 1] ^= 2;
            memory[place] = was;
        }
    }
}
