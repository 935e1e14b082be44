// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The memory of a vCPU that an operation may use besides what its request names, and
//! where it leaves its samples.

use crate::memory::Words;
use abi::{Reply, Status};

/// What an operation answers: a reply, or the status that says why there is none.
pub type Answer = Result<Reply, Status>;

/// Memory for an operation.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    samples: Words,
    scratch: Words,
}

impl Room {
    /// A sample buffer, and memory that string instructions may use.
    pub fn new(samples: Words, scratch: Words) -> Self {
        Room { samples, scratch }
    }

    /// Room for `expected` samples. An operation asks before it does anything else.
    ///
    /// # Errors
    /// [`Status::BadArgs`] if there is less.
    pub fn samples(&self, expected: u64) -> Result<Samples, Status> {
        match expected <= self.samples.len() {
            true => Ok(Samples::new(self.samples, expected)),
            false => Err(Status::BadArgs),
        }
    }

    /// Scratch memory for `elements` 32-bit values.
    ///
    /// # Errors
    /// [`Status::BadArgs`] if there is less.
    pub fn scratch(&self, elements: u64) -> Result<Words, Status> {
        match elements <= 2 * self.scratch.len() {
            true => Ok(self.scratch),
            false => Err(Status::BadArgs),
        }
    }
}

/// The samples of one operation.
#[derive(Debug)]
pub struct Samples {
    words: Words,
    used: u64,
}

impl Samples {
    /// No samples yet. Each word is written once now, so that no first touch of the buffer
    /// falls into a measured window.
    fn new(words: Words, expected: u64) -> Self {
        for i in 0..expected {
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

    /// The reply with these samples.
    pub fn reply(self, digest: u64, out: [u64; 4]) -> Answer {
        Ok(Reply {
            digest,
            samples: self.used,
            out,
        })
    }
}
