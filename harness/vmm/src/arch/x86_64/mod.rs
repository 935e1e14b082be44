// SPDX-License-Identifier: Apache-2.0 OR MIT
//! x86-64: registers, segments and page tables at the start, what CPUID says, MSRs, the
//! interrupt controllers of a PC, I/O ports, and the instructions for clock and marker.

mod clock;
mod cpl;
mod cpuid;
mod marker;
mod paging;
mod registers;
mod segments;

mod irqchip;
mod msr;
mod run;
mod start;

pub(crate) mod linux;

pub use clock::ticks;
pub use cpl::Cpl;
pub(crate) use cpuid::{supported as supported_cpuid, take_pmu};
pub(crate) use marker::mark;
pub use registers::Registers;
pub(crate) use start::{create_vcpu, write_tables};
