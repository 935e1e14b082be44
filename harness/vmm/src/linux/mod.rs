// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A machine that boots Linux: interrupt controllers and a timer in the kernel, a
//! serial console, a reset, the registers by which the first process says how far it
//! has come, and if so wanted a virtio disk. Nothing else: no firmware, no PCI, no ACPI.
//!
//! The kernel is an ELF vmlinux or a bzImage, entered at its 64-bit entry
//! (Documentation/arch/x86/boot.rst). Every step is timed as in
//! [`Machine`](crate::Machine), and by the same clock.

mod console;
mod progress;
mod source;

mod config;
mod disk;

mod bus;
mod vcpu_threads;

mod machine;

pub use crate::arch::linux::{Image, Kind};
pub(crate) use bus::Bus;
pub use config::{Config, Files};
pub use console::Console;
pub use disk::Served;
pub use machine::Linux;
pub use progress::Said;
pub(crate) use progress::{End, Progress};
pub use source::{Source, Way};
