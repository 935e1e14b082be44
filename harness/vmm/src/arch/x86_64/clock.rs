// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The time-stamp counter.

// UNSAFETY: RDTSC and LFENCE are intrinsics.
#![expect(unsafe_code)]

use std::arch::x86_64::{_mm_lfence, _rdtsc};

/// The counter now, with nothing before it left to do.
#[inline]
pub fn ticks() -> u64 {
    // SAFETY: both instructions exist on every x86-64 and touch no memory.
    unsafe {
        _mm_lfence();
        _rdtsc()
    }
}
