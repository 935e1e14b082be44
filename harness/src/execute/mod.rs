// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Testbeds: what carries out jobs. On a real machine that is a process for each cell, in
//! the lab a freshly booted emulated machine for each batch, in tests of the pipeline a
//! generator of invented numbers.
//!
//! A further testbed is a file here with a [`Kind`], and a line in `registry.rs`.

mod executor;
mod testbed;

mod fake;
mod host;
mod lab;
mod process;

mod registry;

pub use self::lab::{INIT, Lab, run_inside};
pub use executor::Executor;
pub use fake::Fake;
pub use process::Process;
pub use registry::{ALL, instances};
pub use testbed::{Kind, LAB_CPUS, LabArgs, TestbedInstance, Wanted};
