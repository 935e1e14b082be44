// SPDX-License-Identifier: Apache-2.0 OR MIT
//! x86-64: instructions, page-table entries, interrupt gates, kvm-clock. The program's
//! entry point is `entry.rs`, which the binary alone includes.

pub mod asm;
pub mod decode;
pub mod interrupt;
pub(crate) mod ops;
pub mod page_table;
pub mod pvclock;
