// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How a process in the lab starts and stops the TLB model that may be part of the
//! emulator, and where it finds what that counted.
//!
//! An instruction that does nothing, [`MARKER`], has a meaning to the model wherever it
//! is executed. It names a page that the process has touched, and a command: [`BEGIN`]
//! or [`END`]. The model writes to the page; without a model the page stays as it is.

pub use crate::arch::tlb::MARKER;

/// The command: count from here on, with empty TLBs. Then [`STATE`] is [`COUNTING`].
pub const BEGIN: u64 = 1;

/// The command: the counts are to be written. Then [`STATE`] is [`COUNTED`].
pub const END: u64 = 2;

/// The word that says what the model did.
pub const STATE: usize = 0;

/// It counts.
pub const COUNTING: u64 = u64::from_le_bytes(*b"tlbbegin");

/// The counts are there.
pub const COUNTED: u64 = u64::from_le_bytes(*b"tlbcount");

/// The first of the counts: for each of [`SPACES`] each of [`COUNTS`].
pub const FIRST: usize = 1;

/// Who accessed memory: the machine's kernel, its processes, a guest of its own.
pub const SPACES: [&str; 3] = ["kernel", "user", "guest"];

/// What is counted of each.
pub const COUNTS: [&str; 4] = ["accesses", "l1_misses", "l2_misses", "walk_steps"];

/// Walks that led nowhere, of accesses that the emulator made nevertheless.
pub const UNRESOLVED: usize = FIRST + SPACES.len() * COUNTS.len();

/// Invalidations of which the model did not see what they were for; it forgot all.
pub const FLUSHED_ALL: usize = UNRESOLVED + 1;

/// How many words there are, of 64 bits.
pub const WORDS: usize = FLUSHED_ALL + 1;
