// SPDX-License-Identifier: GPL-2.0-or-later
//! A deterministic model of data TLBs, as a plugin of QEMU's TCG: what a processor of
//! a given geometry would have missed and walked for the very accesses that the
//! emulated machine made.
//!
//! Modelled: two levels of set-associative TLBs on the data side, each with exact LRU;
//! the size of the page of each access, by walking the page tables that the machine
//! uses (for a guest of the machine both, of which the smaller page counts); tags by
//! address space; the invalidations that software asks for. Not modelled: instruction
//! fetches, caches of upper levels of page tables, prefetching, speculation, accesses
//! by which QEMU delivers an exception, and time.
//!
//! [`Model`] is told of accesses and of instructions; nothing in it knows QEMU. What
//! does is `plugin`, which `harness/build.rs` links into a shared object of its own.

mod decode;
mod geometry;
mod machine;
mod model;
mod paging;
// Its symbols are QEMU's, which a test has not.
#[cfg(not(test))]
mod plugin;
mod tlb;

pub use decode::{Operand, Special, special};
pub use geometry::{Array, Geometry};
pub use machine::{Machine, Options};
pub use model::{Model, Space};
pub use paging::{PageSize, Walk, Walked, native, nested};
pub use tlb::{Asid, Level};
