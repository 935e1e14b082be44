// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A machine that boots Linux: interrupt controllers and a timer in the kernel, a
//! serial console, a reset, the registers by which the first process says how far it
//! has come, and if so wanted a virtio disk. Nothing else: no firmware, no PCI, no ACPI.
//!
//! The kernel is an ELF vmlinux or a bzImage, entered at its 64-bit entry
//! (Documentation/arch/x86/boot.rst). Every step is timed as in
//! [`Machine`](crate::Machine), and by the same clock.

mod cpuid;
mod image;
mod layout;
mod mptable;
mod zero_page;

mod bus;
mod disk;
mod source;
mod vcpu;

mod machine;
mod vcpu_threads;

pub use bus::{Console, Said};
pub use disk::Served;
pub use image::{Image, Kind};
pub use machine::{Config, Files, Linux};
pub use source::{Source, Way};
