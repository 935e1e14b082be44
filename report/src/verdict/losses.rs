// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What one of the two runs lacks, by the reason.

use super::words::is_series;
use results::gate::{Comparison, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// The cells that a run lacks for one reason.
#[derive(Debug)]
pub(super) struct Loss {
    /// Whether the current run has them, and the baseline does not.
    pub(super) new: bool,
    /// The reason, in a clause.
    pub(super) why: String,
    /// The cells, each with its testbed.
    pub(super) cells: BTreeSet<String>,
}

impl Loss {
    /// `MISSING: 3 cells not in the current run: KVM_RUN: …`
    pub(super) fn title(&self) -> String {
        let title = if self.new { "new" } else { "MISSING" };
        let cells = match self.cells.len() {
            1 => "1 cell".to_string(),
            n => format!("{n} cells"),
        };
        format!("{title}: {cells} {}", self.why)
    }

    /// The first `most` of them, and how many more there are.
    pub(super) fn some(&self, most: usize) -> (impl Iterator<Item = &str>, usize) {
        let more = self.cells.len().saturating_sub(most);
        (self.cells.iter().take(most).map(String::as_str), more)
    }
}

/// Every loss, those of the current run first.
pub(super) fn of(comparison: &Comparison) -> Vec<Loss> {
    let mut groups: BTreeMap<(bool, &str), BTreeSet<String>> = BTreeMap::new();
    let gone = comparison.metrics.iter();
    let gone = gone.filter(|m| m.verdict == Verdict::Missing && is_series(m));
    for metric in gone {
        let why = metric.reason.as_deref().unwrap_or_default();
        let cells = groups.entry((metric.current.is_some(), why)).or_default();
        cells.insert(format!("{}: {}", metric.cell.testbed, metric.cell));
    }
    let groups = groups.into_iter();
    let loss = groups.map(|((new, why), cells)| Loss {
        new,
        why: why.to_string(),
        cells,
    });
    loss.collect()
}

/// Sentences on the counters that only one of the runs has.
pub(super) fn counters(comparison: &Comparison) -> Vec<String> {
    let mut names: BTreeMap<bool, BTreeSet<&str>> = BTreeMap::new();
    let gone = comparison.metrics.iter();
    for metric in gone.filter(|m| m.verdict == Verdict::Missing && !is_series(m)) {
        let of = names.entry(metric.current.is_some()).or_default();
        of.insert(metric.name.text());
    }
    let sentence = |(new, names): (bool, BTreeSet<&str>)| {
        let run = if new { "current" } else { "baseline" };
        let names: Vec<&str> = names.into_iter().collect();
        format!("Counted by the {run} run alone: {}.", names.join(", "))
    };
    names.into_iter().map(sentence).collect()
}
