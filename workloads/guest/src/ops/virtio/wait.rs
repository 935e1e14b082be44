// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How a driver learns that its device is done: it polls, or an interrupt comes.

// UNSAFETY: see the parent module; the interrupt counter is a word in memory.
#![expect(unsafe_code)]

use super::Registers;
use crate::{interrupt, memory::Words};
use abi::{layout, step};

/// How long to look before asking the device whether it is still there: asking is
/// an exit.
const PATIENCE: u64 = 20_000_000;
/// How often to be patient.
const TRIES: u64 = 20;

/// How completion shows.
pub(super) struct Completion {
    by_interrupt: bool,
    counter: Words,
}

impl Completion {
    /// By interrupt `vector`; 0: to one who polls.
    ///
    /// # Safety
    /// The areas of [`layout`] are mapped.
    pub(super) unsafe fn by(vector: u64) -> Self {
        // SAFETY: by the contract above.
        let counter = unsafe { Words::new(layout::INTERRUPTS, 1) };
        let by_interrupt = vector != 0;
        if by_interrupt {
            counter.set(0, 0);
            // SAFETY: by the contract above.
            unsafe { interrupt::install(vector) };
        }
        Completion {
            by_interrupt,
            counter,
        }
    }

    /// Whether interrupts are what it waits for.
    pub(super) fn by_interrupt(&self) -> bool {
        self.by_interrupt
    }

    /// How many interrupts came.
    pub(super) fn interrupts(&self) -> u64 {
        match self.by_interrupt {
            true => self.counter.get(0),
            false => 0,
        }
    }

    /// Waits until `done`, of which interrupts after the first `seen` tell.
    ///
    /// # Errors
    /// The [`step`] at which it went wrong.
    #[inline(always)]
    pub(super) fn wait(
        &self,
        registers: &Registers,
        mut seen: u64,
        done: impl Fn() -> bool,
    ) -> Result<(), u64> {
        if !self.by_interrupt {
            return patiently(registers, done);
        }
        loop {
            let mut tries = 0;
            while !looks(|| self.counter.get(0) != seen) {
                tries += 1;
                if done() {
                    return Err(step::NO_INTERRUPT);
                }
                if tries == TRIES || registers.needs_reset() {
                    return Err(step::GAVE_UP);
                }
            }
            seen = self.counter.get(0);
            registers.acknowledge();
            if done() {
                return Ok(());
            }
        }
    }
}

/// Polls until `done`.
///
/// # Errors
/// [`step::GAVE_UP`].
#[inline(always)]
pub(super) fn patiently(registers: &Registers, done: impl Fn() -> bool) -> Result<(), u64> {
    for _ in 0..TRIES {
        if looks(&done) {
            return Ok(());
        }
        if registers.needs_reset() {
            break;
        }
    }
    Err(step::GAVE_UP)
}

/// Looks for as long as it takes to lose patience; whether `done` became true.
#[inline(always)]
fn looks(done: impl Fn() -> bool) -> bool {
    for _ in 0..PATIENCE {
        if done() {
            return true;
        }
        core::hint::spin_loop();
    }
    false
}
