// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One of the two runs, as far as it can be compared: per cell the block medians of
//! every series and every count. The warm-up block is not among them.

use super::metric::Figure;
use crate::stats::{median, sample_median};
use crate::{Cell, Outcome, Row, Run, Testbed, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// What a run has of one cell.
#[derive(Debug, Default)]
pub(super) struct Measured<'a> {
    /// The series by name.
    pub series: BTreeMap<&'a str, Series<'a>>,
    /// The counts by name, one a measured block; absent from a block is 0 there, as
    /// only what grew is recorded.
    pub counters: BTreeMap<&'a str, Vec<f64>>,
    /// The counts that could not be had: those are not 0.
    pub unavailable: BTreeSet<&'a str>,
    /// How many counted blocks were measured.
    pub blocks: usize,
    /// Why a block was not, if one was not.
    pub lost: Option<&'a str>,
}

/// One series of a cell.
#[derive(Debug)]
pub(super) struct Series<'a> {
    /// The unit of its figures.
    pub unit: Unit,
    /// Whether a row has another unit.
    pub mixed: bool,
    /// The median of each block, per operation, in the order of the blocks.
    pub values: Vec<f64>,
    /// The samples behind them.
    pub samples: Vec<&'a [u64]>,
}

/// A run by cell.
#[derive(Debug, Default)]
pub(super) struct Side<'a> {
    /// Its cells in the order of the plan.
    pub cells: Vec<(Cell, Measured<'a>)>,
    /// The names of all counts of each testbed: what is not among them was not
    /// counted, and what is and absent from a cell is 0 there.
    pub counted: BTreeSet<(Testbed, &'a str)>,
}

impl<'a> Side<'a> {
    /// The cells of `run` by what `key` makes of their names, and the first of these
    /// that two cells have in common, which is then not comparable.
    pub(super) fn of(run: &'a Run, key: impl Fn(&Cell) -> Cell) -> (Self, Option<Cell>) {
        let mut side = Side::default();
        let mut seen = BTreeSet::new();
        let mut twice = None;
        for (cell, rows) in run.by_cell() {
            let key = key(cell);
            if !seen.insert(key.clone()) {
                twice = twice.or(Some(key));
                continue;
            }
            let measured = measured(rows);
            for name in measured.counters.keys() {
                side.counted.insert((cell.testbed, name));
            }
            side.cells.push((key, measured));
        }
        (side, twice)
    }
}

fn measured(mut rows: Vec<&Row>) -> Measured<'_> {
    rows.sort_by_key(|row| row.block);
    let mut all = Measured::default();
    for row in rows {
        if row.block == Some(0) {
            continue;
        }
        match &row.outcome {
            Outcome::Missing { reason, .. } => all.lost = all.lost.or(Some(reason)),
            Outcome::Failed { error, .. } => all.lost = all.lost.or(Some(error)),
            Outcome::Measured {
                unit,
                samples,
                batch,
                counters,
                unavailable,
            } => {
                let names = unavailable.keys().map(String::as_str);
                all.unavailable.extend(names);
                for (name, samples) in samples {
                    let batch = batch.get(name).copied().unwrap_or(1);
                    if let Some(value) = sample_median(samples).filter(|_| batch > 0) {
                        let series = all.series.entry(name).or_insert_with(|| Series {
                            unit: *unit,
                            mixed: false,
                            values: Vec::new(),
                            samples: Vec::new(),
                        });
                        series.mixed |= series.unit != *unit;
                        series.values.push(value / batch as f64);
                        series.samples.push(samples);
                    }
                }
                for (name, count) in counters {
                    let counts = all.counters.entry(name).or_default();
                    counts.resize(all.blocks, 0.0);
                    counts.push(*count as f64);
                }
                all.blocks += 1;
            }
        }
    }
    for counts in all.counters.values_mut() {
        counts.resize(all.blocks, 0.0);
    }
    all
}

/// The figure of these blocks; `None` if there are none.
pub(super) fn figure(values: &[f64]) -> Option<Figure> {
    Some(Figure {
        median: median(values)?,
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        blocks: values.len(),
    })
}
