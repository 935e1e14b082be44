// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What gates said, added up.

use super::{Caught, How, Injected, Rate, Resolution};
use crate::Cell;
use crate::gate::{Comparison, Method, Metric, Name, Outcome, Role, Verdict};
use crate::stats::{Sorted, median, quantile_interval};
use std::collections::BTreeMap;

/// Counts gates of equal runs, and of runs of which one was slowed.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    gates: usize,
    false_positives: usize,
    inconclusive: usize,
    equal: BTreeMap<(Cell, String), Seen>,
    slowed: BTreeMap<(Cell, String), Seen>,
}

/// One metric over many gates.
#[derive(Clone, Debug, Default)]
struct Seen {
    ratios: Vec<f64>,
    resolves: Vec<f64>,
    detects: Vec<f64>,
    regressions: usize,
    of: usize,
}

impl Tally {
    /// Counts a gate of two equal runs.
    pub fn equal(&mut self, comparison: &Comparison) {
        self.gates += 1;
        let called = |v| comparison.gated(v).next().is_some();
        let wrong = called(Verdict::Regression) || called(Verdict::Improvement);
        self.false_positives += usize::from(wrong);
        let open = comparison.outcome() == Outcome::Inconclusive;
        self.inconclusive += usize::from(open);
        for metric in timed(comparison) {
            note(&mut self.equal, metric);
        }
    }

    /// Counts a gate of which the current run had these `cells` slowed down.
    pub fn slowed<'a>(&mut self, comparison: &Comparison, cells: impl Iterator<Item = &'a Cell>) {
        let cells: Vec<&Cell> = cells.collect();
        for metric in timed(comparison).filter(|m| cells.contains(&&m.cell)) {
            note(&mut self.slowed, metric);
        }
    }

    /// Gates of equal runs that called something changed. `None` without gates.
    pub fn false_positives(&self) -> Option<Rate> {
        Rate::of(self.false_positives, self.gates)
    }

    /// Gates of equal runs that could not tell. `None` without gates.
    pub fn inconclusive(&self) -> Option<Rate> {
        Rate::of(self.inconclusive, self.gates)
    }

    /// What became of a slowdown of `percent`; `None` if nothing was slowed.
    pub fn injected(&self, percent: f64, how: How) -> Option<Injected> {
        let total = |f: fn(&Seen) -> usize| self.slowed.values().map(f).sum();
        let each = self.slowed.iter().filter_map(|((cell, series), seen)| {
            Some(Caught {
                cell: cell.clone(),
                series: series.clone(),
                caught: Rate::of(seen.regressions, seen.of)?,
                ratio: median(&seen.ratios)?,
                detects: median(&seen.detects),
            })
        });
        Some(Injected {
            percent,
            how,
            caught: Rate::of(total(|s| s.regressions), total(|s| s.of))?,
            metrics: each.collect(),
        })
    }

    /// What is resolved of each metric that equal runs had.
    pub fn resolutions(&self) -> Vec<Resolution> {
        let each = self.equal.iter().filter_map(|((cell, series), seen)| {
            let apart = seen.ratios.iter().map(|r| r.ln().abs().exp());
            let apart = Sorted::new(apart.collect());
            let bound = quantile_interval(&apart, 0.9, 0.95);
            Some(Resolution {
                cell: cell.clone(),
                series: series.clone(),
                resolves: median(&seen.resolves)?,
                // Of nine runs the greatest would be called the tenth of ten.
                apart: apart.quantile(0.9).filter(|_| apart.len() >= 10),
                apart_at_most: bound.map(|b| b.high),
            })
        });
        each.collect()
    }
}

fn timed(comparison: &Comparison) -> impl Iterator<Item = &Metric> {
    let all = comparison.metrics.iter();
    all.filter(|m| m.role == Role::Gated && m.method == Method::Unpaired && m.change.is_some())
}

fn note(all: &mut BTreeMap<(Cell, String), Seen>, metric: &Metric) {
    let (Name::Series(series), Some(change)) = (&metric.name, metric.change) else {
        return;
    };
    let seen = all
        .entry((metric.cell.clone(), series.clone()))
        .or_default();
    seen.of += 1;
    seen.regressions += usize::from(metric.verdict == Verdict::Regression);
    seen.ratios.push(change.ratio);
    seen.resolves.extend(change.resolves);
    seen.detects.extend(change.detects);
}
