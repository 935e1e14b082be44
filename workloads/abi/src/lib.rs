// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The contract between the host and the guest payload: where things lie in
//! guest-physical memory, which ports mean what, and how a request and its
//! reply are laid out in the command page.
//!
//! Both sides are built from this one crate, and [`VERSION`] is checked at run
//! time all the same, because the payload travels inside a binary. Everything
//! crosses as little-endian 64-bit words: there is no padding, no pointer and
//! no shared Rust type to get wrong.
#![no_std]
#![forbid(unsafe_code)]

mod arch;
mod area;
pub mod init;
pub mod layout;

pub mod chase;
pub mod tlb;

mod digest;
mod order;
mod request;

pub use arch::port;
pub use digest::{Digest, pattern, truncate, value};
pub use order::Order;
pub use request::{Args, Op, PanicReport, Reply, Request, Status, UnknownOp, WORDS, step, word};

/// What the payload writes into [`word::MAGIC`]: "unmapbch".
pub const MAGIC: u64 = u64::from_le_bytes(*b"unmapbch");

/// Raised with every change to this crate.
pub const VERSION: u64 = 7;
