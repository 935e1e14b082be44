// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How often KVM and the host did what the strategies differ in: exact counts
//! beside the figures, per operation where the record says how many there were.
//!
//! One table a family. Arms of a group with the same counts share a row, which
//! makes what they differ in stand out.

use crate::{digest::Family, number};
use results::{Outcome, Row, cell::Cell, compare::Table, stats::median};
use std::collections::{BTreeMap, BTreeSet};

/// Counters of KVM that are shown, by prefix of their name.
const PER_OPERATION: [&str; 4] = [
    "kvm.direct_map_",
    "kvm.guest_mem_reads",
    "kvm.guest_mem_writes",
    "kvm.mmio_exits",
];

/// Counters of the host that are shown; they are not of an operation.
const IN_TOTAL: &str = "host.";

/// A table of counters.
pub(crate) struct Counters {
    /// The counters' names with what they are counted over.
    pub(crate) columns: Vec<String>,
    /// Group, arms, and a count a column; nothing where it was not recorded.
    pub(crate) rows: Vec<(String, Vec<String>, Vec<String>)>,
}

/// The counters of `family`; `None` if its rows have none of interest that is
/// not 0 throughout.
pub(crate) fn of(family: &Family<'_>) -> Option<Counters> {
    let tables = || family.workloads.iter().flat_map(|w| &w.tables);
    let mut counts = Vec::new();
    for table in tables() {
        for arm in &table.arms {
            counts.push((table, arm.cell, medians(&arm.rows)));
        }
    }
    let nonzero = counts
        .iter()
        .flat_map(|(_, _, c)| c)
        .filter(|(_, n)| **n > 0.0);
    let names: BTreeSet<&str> = nonzero.map(|(name, _)| *name).collect();
    let known = tables().all(|table| operations(table).is_some());
    let column = |name: &&str| match name.starts_with(IN_TOTAL) || !known {
        true => name.to_string(),
        false => format!("{name} per operation"),
    };
    let columns: Vec<String> = names.iter().map(column).collect();
    let mut rows: Vec<(String, Vec<String>, Vec<String>)> = Vec::new();
    for (table, cell, counts) in counts.iter().filter(|(_, _, c)| !c.is_empty()) {
        let group = table.group.to_string();
        let operations = operations(table).filter(|_| known).unwrap_or(1.0);
        let show = |name: &&str| {
            let over = if name.starts_with(IN_TOTAL) {
                1.0
            } else {
                operations
            };
            counts
                .get(name)
                .map_or(String::new(), |n| number::count(n / over))
        };
        let shown: Vec<String> = names.iter().map(show).collect();
        let same = |row: &&mut (String, Vec<String>, Vec<String>)| row.0 == group && row.2 == shown;
        match rows.iter_mut().find(same) {
            Some((_, arms, _)) => arms.push(cell.arm()),
            None => rows.push((group, vec![cell.arm()], shown)),
        }
    }
    (!columns.is_empty()).then_some(Counters { columns, rows })
}

/// The median over counted blocks of each counter of interest.
fn medians<'a>(rows: &[&'a Row]) -> BTreeMap<&'a str, f64> {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.block.is_some_and(|b| b > 0)) {
        let Outcome::Measured { counters, .. } = &row.outcome else {
            continue;
        };
        let shown = |name: &str| {
            name.starts_with(IN_TOTAL) || PER_OPERATION.iter().any(|p| name.starts_with(p))
        };
        for (name, count) in counters.iter().filter(|(name, _)| shown(name)) {
            values.entry(name).or_default().push(*count as f64);
        }
    }
    let medians = values.into_iter();
    medians
        .filter_map(|(name, v)| Some((name, median(&v)?)))
        .collect()
}

/// How many operations a cell of `table` measures: its samples times the
/// operations in each; `None` if its parameters do not say.
fn operations(table: &Table<'_>) -> Option<f64> {
    let cell: &Cell = table.arms.first()?.cell;
    let known = [cell.int("count"), cell.int("batch")];
    let product: f64 = known.iter().flatten().map(|n| *n as f64).product();
    (known.iter().any(Option::is_some) && product > 0.0).then_some(product)
}
