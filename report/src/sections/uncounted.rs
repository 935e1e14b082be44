// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Counters that measured cells were to have and have not, with the reason.

use crate::{document::Table, model::Bed};
use results::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// What is absent and why: the arms that lack it, and in how many cells.
type Absent = BTreeMap<(String, String), (Vec<String>, usize)>;

fn absent(bed: &Bed<'_>) -> Absent {
    let mut all = Absent::new();
    for arm in bed.tables().flat_map(|table| &table.arms) {
        // Once a cell, though every block says it.
        let said: BTreeSet<_> = arm
            .rows
            .iter()
            .filter_map(|row| match &row.outcome {
                Outcome::Measured { unavailable, .. } => Some(unavailable),
                _ => None,
            })
            .flatten()
            .collect();
        for (what, why) in said {
            let (arms, cells) = all.entry((what.clone(), why.clone())).or_default();
            *cells += 1;
            if !arms.contains(&arm.cell.arm()) {
                arms.push(arm.cell.arm());
            }
        }
    }
    all
}

/// A row for each counter and reason.
pub(super) fn table(bed: &Bed<'_>) -> Option<Table> {
    let columns = ["counters", "cells"];
    let mut out = Table::new("Counters that could not be read", "strategies", &columns);
    for ((what, why), (arms, cells)) in absent(bed) {
        let what = format!("{what}: unavailable: {why}");
        let row = vec![what.into(), cells.to_string().into()];
        out.push(&arms.join(", "), row);
    }
    out.unless_empty()
}

/// The same, a line each.
pub(super) fn lines(bed: &Bed<'_>) -> Vec<String> {
    let line = |((what, why), (arms, cells)): ((String, String), (Vec<String>, usize))| {
        let arms = arms.join(", ");
        format!("{what} counters: unavailable: {why} ({arms}; {cells} cells)")
    };
    absent(bed).into_iter().map(line).collect()
}
