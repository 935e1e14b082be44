// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads a machine: its processor, kernel and memory, what the PMU counts, and
//! who can read a page of memory.
//!
//! This crate alone reads /proc and /sys. It knows no cell and no strategy. A
//! fact that cannot be read is absent, never empty or zero.

pub mod cpu;
pub mod direct_map;
pub mod effort;
pub mod kernel;
pub mod memory;

pub mod pmu;

pub mod fingerprint;

pub mod audit;

mod file;
mod raw;
