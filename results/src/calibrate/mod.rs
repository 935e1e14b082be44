// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How far a gate can be trusted on one machine, found out by trying: runs of the
//! same thing are gated against each other, and runs that were slowed down on
//! purpose against those that were not.
//!
//! [`Tally`] counts what gates said, [`Calibration`] is what is kept of it, and
//! [`Calibration::warn`] tells a later gate on the same machine what it cannot
//! resolve. [`resampled`] makes runs out of a recorded one where no machine is at
//! hand; such a calibration says so.

mod resample;
mod tally;

pub use resample::{resampled, slowed};
pub use tally::Tally;

use crate::gate::{Aspect, Comparison, Flag, Method, Name, Role, differences};
use crate::{Cell, Fingerprint, Testbed, stats::wilson};
use serde::{Deserialize, Serialize};

/// The version of `calibration.json`.
pub const SCHEMA: u32 = 1;

/// What was found out of a machine: `calibration.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// Our revision.
    pub git: String,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// When it began, seconds since the Unix epoch.
    pub started_unix: u64,
    /// Where its figures come from.
    pub source: Source,
    /// The machine.
    pub host: Fingerprint,
    /// The testbed.
    pub testbed: Testbed,
    /// How many blocks each run had.
    pub blocks: u32,
    /// The chance of a false verdict that gates were told to keep to.
    pub level: f64,
    /// Gates of equal runs that called something a regression or an improvement.
    pub false_positives: Rate,
    /// Gates of equal runs that exited 3.
    pub inconclusive: Rate,
    /// What became of a slowdown, if there was one.
    pub injected: Option<Injected>,
    /// What is resolved, metric by metric.
    pub metrics: Vec<Resolution>,
}

/// Where a calibration's figures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Runs made for it, one after the other.
    Measured,
    /// Blocks drawn out of one recorded run: what moves between runs is not in it.
    Resampled,
}

/// How often something was so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How often it was.
    pub hits: usize,
    /// Of how many.
    pub of: usize,
    /// The lower end of Wilson's 95 % interval of the rate.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What became of a slowdown of known size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Injected {
    /// Its size, percent.
    pub percent: f64,
    /// How it was brought about.
    pub how: How,
    /// The slowed metrics, over all gates, that were called a regression.
    pub caught: Rate,
    /// The same by metric.
    pub metrics: Vec<Caught>,
}

/// How a slowdown was brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// The VMM did as much more work before each answer of its device.
    Work,
    /// Recorded samples were multiplied. Nothing was slower.
    Arithmetic,
}

/// How often one metric's slowdown was caught.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Caught {
    /// The cell.
    pub cell: Cell,
    /// The series.
    pub series: String,
    /// How often it was called a regression.
    pub caught: Rate,
    /// The median over gates of the estimated ratio.
    pub ratio: f64,
    /// The median over gates of what they said they would detect, a ratio.
    pub detects: Option<f64>,
}

/// What is resolved of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// The cell.
    pub cell: Cell,
    /// The series.
    pub series: String,
    /// The least true ratio that the blocks of two runs tell from 1 in four cases of
    /// five, the median over gates.
    pub resolves: f64,
    /// The ratio within which equal runs came out of each other, either way, in nine
    /// cases of ten: with what moves between runs, which blocks do not show.
    pub apart: Option<f64>,
    /// At most how far `apart` may be, with 95 % confidence; `None` with fewer
    /// than 36 gates.
    pub apart_at_most: Option<f64>,
}

impl Rate {
    /// `hits` of `of`; `None` if there were none at all.
    pub fn of(hits: usize, of: usize) -> Option<Self> {
        let interval = wilson(hits, of)?;
        Some(Rate {
            hits,
            of,
            low: interval.low,
            high: interval.high,
        })
    }
}

impl Resolution {
    /// The least ratio that can be told from 1 on this machine.
    pub fn least(&self) -> f64 {
        self.resolves.max(self.apart.unwrap_or(1.0))
    }
}

impl Calibration {
    /// Whether it is about the machine that `host` describes, under the same kernel
    /// and settings.
    pub fn fits(&self, host: &Fingerprint) -> bool {
        let own = [Aspect::Machine, Aspect::Kernel, Aspect::Settings];
        let differing = differences(self.testbed, &self.host, host);
        !differing.iter().any(|d| own.contains(&d.aspect))
    }

    /// Flags the metrics of `comparison` whose tolerance is finer than what this
    /// machine was seen to resolve, and says how many they are. `name` is what the
    /// reader knows this calibration by.
    pub fn warn(&self, comparison: &mut Comparison, name: &str) {
        let mut flagged = 0;
        let mut of = 0;
        for metric in &mut comparison.metrics {
            let timed = metric.method == Method::Unpaired && metric.role == Role::Gated;
            let Name::Series(series) = &metric.name else {
                continue;
            };
            let mut known = self.metrics.iter();
            let known = known.find(|r| r.cell == metric.cell && r.series == *series);
            let (Some(known), Some(baseline), true) = (known, metric.baseline, timed) else {
                continue;
            };
            of += 1;
            if known.least() > metric.tolerance.ratio(baseline.median) {
                metric
                    .flags
                    .retain(|f| !matches!(f, Flag::ToleranceTooFine(_)));
                metric.flags.push(Flag::ToleranceTooFine(known.least()));
                flagged += 1;
            }
        }
        comparison.notes.push(match (flagged, of) {
            (_, 0) => format!("{name} is a calibration of this machine, for none of these metrics"),
            (0, of) => format!("{name}: this machine resolves the tolerances of all {of} metrics calibrated"),
            (n, of) => format!(
                "{name}: the tolerance of {n} of {of} metrics calibrated is finer than what this machine resolves"
            ),
        });
    }
}

#[cfg(test)]
mod tests;
