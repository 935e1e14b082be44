// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab: emulated machines that boot a kernel with a program of the caller's as
//! their first process. Files go in, lines come out.
//!
//! An [`Emulator`] whose clock counts instructions gives the same numbers on any host, to
//! the last digit, for the same build. It is slow and exact: a count of instructions says
//! how long a path through kernel and VMM is, and nothing about caches or the cost of an
//! exit or a TLB miss on a real processor. How many misses there would be, a model says
//! ([`tlb`]).
//!
//! This crate knows no cell: what the program does is the caller's task, a text that is
//! handed to it, and the lines are the caller's too.

pub mod emulator;
pub mod tlb;

pub mod image;
pub mod initramfs;
pub mod program;

pub mod boot;
pub mod init;
pub mod shell;

pub mod kernel_build;

pub mod error;
pub mod interrupt;
mod sha256;

pub use boot::{Boot, Booted, End, Terminal};
pub use emulator::{Emulator, Machine};
pub use error::Error;
