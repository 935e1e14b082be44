// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A verdict and all that it rests on, as data: rendering adds nothing.

use super::{Difference, Tolerance};
use crate::{Cell, Testbed, Unit, stats::Interval};
use serde::{Serialize, Serializer};
use std::fmt;

/// What became of a metric between two runs. More is worse for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It grew by more than the tolerance, and that is not chance.
    Regression,
    /// Neither a regression nor its absence was shown.
    Inconclusive,
    /// One of the runs does not have it.
    Missing,
    /// It shrank by more than the tolerance, and that is not chance.
    Improvement,
    /// It did not grow by more than the tolerance.
    NoChange,
}

impl Verdict {
    /// Every verdict, the gravest first.
    pub const ALL: [Verdict; 5] = [
        Verdict::Regression,
        Verdict::Inconclusive,
        Verdict::Missing,
        Verdict::Improvement,
        Verdict::NoChange,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Regression => "regression",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Missing => "missing",
            Verdict::Improvement => "improvement",
            Verdict::NoChange => "no change",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which number of a cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Name {
    /// The block medians of a series of samples.
    Series(String),
    /// An exact count beside the samples.
    Counter(String),
}

impl Name {
    /// The name without its kind.
    pub fn text(&self) -> &str {
        match self {
            Name::Series(name) | Name::Counter(name) => name,
        }
    }
}

/// What a metric's verdict is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It decides the outcome of the gate.
    Gated,
    /// It says whether the machine can be believed.
    Control,
    /// It is shown and decides nothing.
    Listed,
}

/// How a verdict was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Counts that repeat: compared to the last digit.
    Exact,
    /// Every block of one run with every block of the other: a Hodges-Lehmann
    /// shift of logarithms, a rank sum test, Holm's correction.
    Unpaired,
}

/// A metric in one run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The median over blocks, per operation.
    pub median: f64,
    /// The least block.
    pub min: f64,
    /// The greatest block.
    pub max: f64,
    /// How many blocks there are.
    pub blocks: usize,
}

/// How far a metric moved. Ratios are current / baseline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The estimate.
    pub ratio: f64,
    /// Its 95 % interval; `None` where the method is exact, or with too few blocks.
    #[serde(serialize_with = "ends")]
    pub interval: Option<Interval>,
    /// The chance of such a difference between equal runs. Not computed where the
    /// interval contains 1, as no verdict could follow.
    pub p: Option<f64>,
    /// The same with Holm's correction for all metrics of the gate.
    pub adjusted: Option<f64>,
    /// The least true ratio that this comparison tells from 1 in four cases of
    /// five: what these blocks resolve.
    pub resolves: Option<f64>,
    /// The least true ratio that it calls a regression in four cases of five: that
    /// and the tolerance together. The minimum detectable effect.
    pub detects: Option<f64>,
}

fn ends<S: Serializer>(interval: &Option<Interval>, s: S) -> Result<S::Ok, S::Error> {
    interval.map(|i| [i.low, i.high]).serialize(s)
}

/// What should be known of a figure before it is believed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// Blocks rise or fall from first to last, in the named run.
    Drift(Side),
    /// Blocks fall into two groups, in the named run.
    TwoModes(Side),
    /// The medians agree and the samples behind them do not.
    SamplesDiffer,
    /// The tolerance is finer than what can be told from 1: this ratio.
    ToleranceTooFine(f64),
}

/// One of the two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What is compared with.
    Baseline,
    /// What is judged.
    Current,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Baseline => "baseline",
            Side::Current => "current",
        })
    }
}

/// One metric of one cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metric {
    /// The cell.
    pub cell: Cell,
    /// Which of its numbers.
    pub name: Name,
    /// The unit of the figures; `None` for a counter.
    pub unit: Option<Unit>,
    /// What the verdict is good for.
    pub role: Role,
    /// How it was reached.
    pub method: Method,
    /// In the baseline; `None` if it is not there.
    pub baseline: Option<Figure>,
    /// In the current run; `None` if it is not there.
    pub current: Option<Figure>,
    /// The difference; `None` if there is none to speak of.
    pub change: Option<Change>,
    /// How far it may move.
    pub tolerance: Tolerance,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not a plain one, in a clause.
    pub reason: Option<String>,
    /// What else should be known.
    pub flags: Vec<Flag>,
}

impl Metric {
    /// Whether both runs have it and it is not the same, within the tolerance or
    /// not.
    pub fn changed(&self) -> bool {
        let both = self.baseline.zip(self.current);
        both.is_some_and(|(a, b)| a.median != b.median) || self.flags.contains(&Flag::SamplesDiffer)
    }
}

/// What is said of a run that is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct About {
    /// Our revision that recorded it.
    pub git: String,
    /// When it began, seconds since the Unix epoch.
    pub started_unix: u64,
    /// The command line, word by word.
    pub command: Vec<String>,
}

/// Two runs, metric by metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The version of this form, for readers of its JSON.
    pub schema: u32,
    /// What is compared with.
    pub baseline: About,
    /// What is judged.
    pub current: About,
    /// The chance that equal runs show a difference, over all metrics together.
    pub level: f64,
    /// How many metrics share that chance.
    pub tested: usize,
    /// What makes figures of a testbed incomparable; they are not among the metrics.
    pub refused: Vec<Difference>,
    /// What differs and was asked to be compared all the same.
    pub crossed: Vec<Difference>,
    /// Every metric, in the order of the baseline, then those that it lacks.
    pub metrics: Vec<Metric>,
    /// What else the reader must know.
    pub notes: Vec<String>,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// No gated metric grew by more than its tolerance.
    Fine,
    /// One did.
    Regression,
    /// None was shown to, and of some it could not be told.
    Inconclusive,
    /// There is nothing to compare.
    Nothing,
    /// The current run measured nothing at all.
    Unfit,
}

impl Comparison {
    /// The gated metrics with this verdict.
    pub fn gated(&self, verdict: Verdict) -> impl Iterator<Item = &Metric> {
        let gated = self.metrics.iter().filter(|m| m.role == Role::Gated);
        gated.filter(move |m| m.verdict == verdict)
    }

    /// Whether a metric stands between the gate and "fine": inconclusive, or gone
    /// from the current run. One that is new has no baseline and no say.
    pub fn open(metric: &Metric) -> bool {
        match metric.verdict {
            Verdict::Inconclusive => true,
            Verdict::Missing => metric.current.is_none(),
            Verdict::Regression | Verdict::Improvement | Verdict::NoChange => false,
        }
    }

    /// What it comes to.
    pub fn outcome(&self) -> Outcome {
        let mut gated = self.metrics.iter().filter(|m| m.role == Role::Gated);
        if !self.metrics.is_empty() && self.metrics.iter().all(|m| m.current.is_none()) {
            return Outcome::Unfit;
        }
        if gated
            .clone()
            .all(|m| m.baseline.is_none() || m.current.is_none())
        {
            return Outcome::Nothing;
        }
        if self.gated(Verdict::Regression).next().is_some() {
            return Outcome::Regression;
        }
        match gated.any(Self::open) || !self.refused.is_empty() {
            true => Outcome::Inconclusive,
            false => Outcome::Fine,
        }
    }

    /// The testbeds whose figures were compared.
    pub fn testbeds(&self) -> Vec<Testbed> {
        let mut all: Vec<_> = self.metrics.iter().map(|m| m.cell.testbed).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
