// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Two runs against each other: does anything cost more?
//!
//! [`compare`] matches the cells of a baseline and a current run and gives each
//! metric a [`Verdict`]. There are two kinds. What a machine without noise counts,
//! and counts beside any samples, is compared exactly. Times are compared by blocks,
//! and a verdict on one needs four things: an interval that excludes no change, its
//! near end beyond the [`Tolerance`], a p-value below the level with Holm's
//! correction for all metrics of the gate, and a machine that kept its speed (the
//! control). What is neither shown nor excluded is inconclusive, and says
//! what would decide it.
//!
//! What cannot be compared is refused by name: another machine, kernel or emulator
//! ([`Difference`]), another unit, another number of operations. An emulator or kernel
//! that was only built once more is known by its counts instead.
//!
//! The result is data. `report` renders it, and the command turns
//! [`Comparison::outcome`] into an exit code.

mod control;
mod exact;
mod identity;
mod matching;
mod metric;
mod policy;
mod rebuilt;
mod side;
mod timed;

pub use identity::{Aspect, Difference, differences};
pub use matching::{Terms, compare};
pub use metric::{
    About, Change, Comparison, Figure, Flag, Method, Metric, Name, Outcome, Role, Side, Verdict,
};
pub use policy::{Policy, PolicyError, Tolerance};

#[cfg(test)]
mod tests;
