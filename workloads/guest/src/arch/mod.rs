// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The part of the payload that is an architecture's own. A further one is a folder
//! beside `x86_64` with the same names.

#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::ops;
#[cfg(target_arch = "x86_64")]
pub use x86_64::{asm, decode, interrupt, page_table, pvclock};
