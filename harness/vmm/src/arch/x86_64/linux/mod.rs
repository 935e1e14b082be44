// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What Linux finds on a PC: where things lie in memory and how it is told, what is behind
//! the ports, and how its vCPUs start and run.

mod cpuid;
mod image;
mod layout;
mod mptable;
mod start;
mod zero_page;

mod pc;

mod board;
mod load;
mod vcpu;

pub(crate) use board::prepare;
pub use image::{Image, Kind};
pub(crate) use load::load;
pub(crate) use pc::Ports;
pub(crate) use vcpu::Vcpu;
