// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The one clock of every measurement: the time-stamp counter, read on the host
//! and in the guest. On a machine its frequency is known and gives nanoseconds;
//! in the lab it advances by one an instruction.

pub use crate::arch::ticks;

/// Times phases that follow one another without a gap.
#[derive(Debug)]
pub struct Stopwatch {
    last: u64,
}

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Stopwatch { last: ticks() }
    }

    /// The ticks since the start or the last lap.
    pub fn lap(&mut self) -> u64 {
        let now = ticks();
        now.saturating_sub(std::mem::replace(&mut self.last, now))
    }
}
