// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How many metrics of each workload moved, and which way: what `diffstat` is to a
//! patch.

use super::words::{Standing, direction, is_series};
use results::{
    Testbed,
    gate::{Comparison, Metric, Role},
};
use std::cmp::Ordering;

/// The series and the gated counts of one workload.
#[derive(Debug)]
pub(super) struct Stat<'a> {
    pub(super) testbed: Testbed,
    pub(super) workload: &'a str,
    pub(super) more: usize,
    pub(super) less: usize,
    /// Of which it cannot be told, where that matters.
    pub(super) open: usize,
    /// Of which nothing was shown.
    pub(super) still: usize,
    /// Not in the current run.
    pub(super) gone: usize,
    /// Not in the baseline.
    pub(super) new: usize,
}

impl Stat<'_> {
    /// How many moved.
    pub(super) fn moved(&self) -> usize {
        self.more + self.less
    }

    /// Whether anything is to be said of what the baseline has.
    pub(super) fn stirs(&self) -> bool {
        self.moved() + self.open + self.gone > 0
    }

    fn count(&mut self, metric: &Metric) {
        let into = match (Standing::of(metric), direction(metric)) {
            (Standing::Missing, _) if metric.current.is_some() => &mut self.new,
            (Standing::Missing, _) => &mut self.gone,
            (Standing::Open, _) => &mut self.open,
            (_, Some(Ordering::Greater)) => &mut self.more,
            (_, Some(Ordering::Less)) => &mut self.less,
            _ => &mut self.still,
        };
        *into += 1;
    }
}

/// One a workload of each testbed, in the order of the comparison.
pub(super) fn of(comparison: &Comparison) -> Vec<Stat<'_>> {
    let mut all: Vec<Stat<'_>> = Vec::new();
    let counts = |m: &&Metric| is_series(m) || m.role == Role::Gated;
    for metric in comparison.metrics.iter().filter(counts) {
        let (testbed, workload) = (metric.cell.testbed, metric.cell.workload.as_str());
        let known = |s: &Stat<'_>| s.testbed == testbed && s.workload == workload;
        // Cells of a workload stand together, so the last is the likeliest.
        let place = all.iter().rposition(known).unwrap_or_else(|| {
            all.push(Stat {
                testbed,
                workload,
                more: 0,
                less: 0,
                open: 0,
                still: 0,
                gone: 0,
                new: 0,
            });
            all.len() - 1
        });
        all[place].count(metric);
    }
    all
}

/// `3 of 12 workloads moved; metrics: 20 cost more, 4 cost less, 2 open, 1 gone, 0 new`
pub(super) fn total(stats: &[Stat<'_>]) -> String {
    let sum = |of: fn(&Stat<'_>) -> usize| stats.iter().map(of).sum::<usize>();
    format!(
        "{} of {} workloads moved; metrics: {} cost more, {} cost less, {} open, {} gone, {} new",
        stats.iter().filter(|s| s.moved() > 0).count(),
        stats.len(),
        sum(|s| s.more),
        sum(|s| s.less),
        sum(|s| s.open),
        sum(|s| s.gone),
        sum(|s| s.new),
    )
}
