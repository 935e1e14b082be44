// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The marker of the TLB model: a NOP that the lab's emulator takes for a command.

// UNSAFETY: the instruction has no other form.
#![expect(unsafe_code)]

use abi::tlb;
use std::{arch::asm, sync::atomic::AtomicU64};

/// Gives the model, if there is one, a command about the page that these words begin.
pub(crate) fn mark(page: &[AtomicU64; tlb::WORDS], command: u64) {
    const MARKER: [u8; 8] = tlb::MARKER;
    // SAFETY: a NOP, which touches nothing; the emulator may write to the words, which
    // are atomic, as another thread could.
    unsafe {
        asm!(
            ".byte {}, {}, {}, {}, {}, {}, {}, {}",
            const MARKER[0], const MARKER[1], const MARKER[2], const MARKER[3],
            const MARKER[4], const MARKER[5], const MARKER[6], const MARKER[7],
            in("rdi") page.as_ptr(),
            in("rsi") command,
            options(nostack, preserves_flags)
        );
    }
}
