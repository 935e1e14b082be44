// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What runs inside the guest, as a library: everything but the entry point,
//! so that it can be tested on the host that builds it.
//!
//! It runs in 64-bit mode at CPL3, with IOPL 3, an identity map and no
//! interrupts, and executes no privileged instruction: a software KVM runs such
//! code natively, where it would emulate code at CPL0 a thousand times slower.
#![no_std]

pub mod memory;
pub mod samples;

mod arch;
pub mod ops;

pub use arch::{asm, decode, interrupt, page_table, pvclock};
