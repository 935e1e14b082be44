// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The vocabulary of unmapbench: what was measured, in which unit, how it is
//! kept on disk, and what may be concluded from it.
//!
//! A *run* is a directory. [`store`] writes it row by row and reads it back;
//! [`record`] is the shape of a row, [`counter`] names what a row counts, [`run`] is the shape of the files beside it
//! (`plan.json`, `host.json`). [`stats`] turns samples into figures and
//! [`compare`] figures into ratios against the baseline strategy; [`gate`] sets one
//! run against another. Nothing here knows a strategy or a workload by name except
//! [`BASELINE`], and nothing here touches KVM: this crate is the leaf that every
//! other one may depend on.
#![forbid(unsafe_code)]

pub mod unit;

pub mod audit;
pub mod cell;
pub mod counter;
pub mod record;
pub mod run;
mod unique;

pub mod stats;
pub mod store;

pub mod calibrate;
pub mod compare;
pub mod gate;
pub mod merge;

pub use audit::{Audit, Claim};
pub use cell::{Cell, ParamValue, Testbed};
pub use record::{Header, Missing, Outcome, Row};
pub use run::{Fingerprint, Plan, Run};
pub use unit::Unit;

/// The strategy that every ratio is taken against: memfd, 4 KiB pages, direct
/// map intact. It differs from the isolating strategies in isolation alone,
/// which `anon` (private memory) and `memfd-thp` (larger pages) do not.
pub const BASELINE: &str = "memfd";
