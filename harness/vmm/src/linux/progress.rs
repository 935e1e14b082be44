// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How far a guest has come, and what its first process said.

use crate::clock;
use abi::init;

/// How a guest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its kernel asked for a reset.
    Reset,
    /// By a triple fault, with which a kernel can also reset a PC.
    TripleFault,
    /// It did not: another vCPU did.
    Stopped,
}

/// What the first process said, and what it took to hear it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// KiB of memory that it was given to use.
    pub memory_kib: u64,
    /// CPUs that it may run on.
    pub cpus: u64,
    /// Words of the disk that it found right.
    pub disk_words: u64,
    /// Whether it was about to end the machine when the machine ended.
    pub leaving: bool,
    /// How often an access had to be tried again: see `RETRIES_MAX` of the run loop.
    pub retries: u64,
}

/// When something was seen for the first time, in ticks, and what was said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) first_instruction: Option<u64>,
    pub(crate) kernel_entry: Option<u64>,
    pub(crate) init: Option<u64>,
    pub(crate) end: Option<u64>,
    pub(crate) said: Said,
}

impl Progress {
    /// The guest runs its very first instruction.
    pub(crate) fn started(&mut self) {
        self.first_instruction.get_or_insert_with(clock::ticks);
    }

    /// The kernel runs its own first instruction next.
    pub(crate) fn entered(&mut self) {
        self.kernel_entry.get_or_insert_with(clock::ticks);
    }

    /// An access is tried again.
    pub(crate) fn retried(&mut self) {
        self.said.retries += 1;
    }

    /// The machine is at its end.
    pub(crate) fn ended(&mut self) {
        self.end.get_or_insert_with(clock::ticks);
    }

    /// The first process writes a register.
    pub(crate) fn told(&mut self, register: u64, data: &[u8]) {
        let Ok(word) = <[u8; 4]>::try_from(data) else {
            return;
        };
        let value = u32::from_le_bytes(word);
        match (register, value) {
            (init::REACHED, init::MAGIC) => {
                self.init.get_or_insert_with(clock::ticks);
            }
            (init::MEMORY, kib) => self.said.memory_kib = kib.into(),
            (init::CPUS, n) => self.said.cpus = n.into(),
            (init::DISK, n) => self.said.disk_words = n.into(),
            (init::LEAVING, init::MAGIC) => self.said.leaving = true,
            _ => {}
        }
    }
}
