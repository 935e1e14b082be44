// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Exact counts beside the samples that changed. A lab has thousands of them, and
//! cells of one workload tend to change alike: those are one row.

use super::words::{Standing, both, delta, is_series, word};
use crate::document::{Field, Table};
use results::{Testbed, gate::Comparison};
use std::collections::BTreeMap;

/// Cells of one workload in which a counter changed in the same way.
#[derive(Debug)]
pub(super) struct Count<'a> {
    pub(super) testbed: Testbed,
    pub(super) counter: &'a str,
    pub(super) workload: &'a str,
    /// Baseline and current.
    pub(super) figures: [String; 2],
    pub(super) delta: String,
    pub(super) word: &'static str,
    /// How many cells.
    pub(super) cells: usize,
    standing: Standing,
}

/// The counts that changed, and how many did not.
#[derive(Debug)]
pub(super) struct Counts<'a> {
    /// The gravest first, then by counter and workload.
    pub(super) rows: Vec<Count<'a>>,
    /// How many rows were left out for want of room.
    pub(super) more: usize,
    /// How many counts of how many cells are the same in both runs.
    pub(super) same: usize,
}

impl<'a> Counts<'a> {
    /// Those of `comparison`, at most `most` rows of them.
    pub(super) fn of(comparison: &'a Comparison, most: usize) -> Self {
        let mut found = BTreeMap::new();
        let mut same = 0;
        for metric in comparison.metrics.iter().filter(|m| !is_series(m)) {
            let standing = Standing::of(metric);
            match standing {
                Standing::Missing => continue,
                Standing::Still => {
                    same += 1;
                    continue;
                }
                _ => (),
            }
            let (cell, figures) = (&metric.cell, both(metric));
            let key = (
                standing,
                cell.testbed,
                metric.name.text(),
                &*cell.workload,
                figures.clone(),
            );
            let row = found.entry(key).or_insert_with(|| Count {
                testbed: cell.testbed,
                counter: metric.name.text(),
                workload: &cell.workload,
                figures,
                delta: delta(metric),
                word: word(metric),
                cells: 0,
                standing,
            });
            row.cells += 1;
        }
        let mut rows: Vec<Count<'a>> = found.into_values().collect();
        rows.sort_by_key(|row| (row.standing, row.testbed, row.counter, row.workload));
        let more = rows.len().saturating_sub(most);
        rows.truncate(most);
        Counts { rows, more, same }
    }

    /// As a table, counters as its groups.
    pub(super) fn table(&self) -> Table {
        let columns = ["workload", "cells", "A", "B", "delta", "verdict"];
        let mut table = Table::new("Counts that changed", "counter", &columns);
        for row in &self.rows {
            let group = format!("{} ({})", row.counter, row.testbed);
            let [a, b] = row.figures.clone();
            let cells = row.cells.to_string();
            let row = [row.workload, &cells, &a, &b, &row.delta, row.word];
            table.push(&group, row.map(Field::from).into());
        }
        table
    }

    /// What is not in the rows.
    pub(super) fn about(&self) -> String {
        let mut about = format!("{} counts are the same in both runs.", self.same);
        if self.more > 0 {
            about += &format!(
                " {} rows are left out here: csv and json have them.",
                self.more
            );
        }
        about
    }
}
