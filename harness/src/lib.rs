// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The harness behind the `unmapbench` command: it finds out what can run
//! here, plans blocks, runs each cell in a process of its own, records what
//! came out and renders it. `ARCHITECTURE.md` beside this crate draws the map.

pub mod cli;
pub mod exit;

mod command;

pub mod job;

pub mod arm;
pub mod guest;
pub mod plan;
pub mod run;
pub mod step;

pub mod execute;
pub mod probe;

pub mod lab_kernel;

pub mod calibrate;
pub mod cell;

mod progress;

pub use command::dispatch;
