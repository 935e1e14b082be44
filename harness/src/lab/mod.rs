// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab: an emulated machine that boots our kernel, runs this very program
//! inside, and counts instructions. The same build gives the same numbers on
//! any machine, to the last digit.
//!
//! It is slow and exact: a count of instructions says how long a path through
//! kernel and VMM is, and nothing about caches or the cost of an exit or a TLB miss
//! on a real processor. How many misses there would be, a model says (`tlb`).

pub mod build;

mod elf;
mod error;

mod image;
mod initramfs;
mod inside;
mod qemu;
mod tlb;

mod boot;
mod executor;
mod shell;

pub use boot::{Boot, Booted};
pub use error::Error;
pub use executor::Lab;
pub use image::Image;
pub use inside::run as run_inside;
pub use qemu::{Clock, Machine, Qemu};
pub use shell::Shell;
pub use tlb::{Geometry, Modelling};
