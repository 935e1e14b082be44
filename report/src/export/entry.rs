// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What every form has an entry for: an arm of a group, with its figures.

use crate::{clean, number};
use results::{
    Cell, Run, Unit,
    compare::{Figures, Hole, Table, compare},
};

/// One arm of one group.
pub(super) struct Entry<'t> {
    pub(super) cell: &'t Cell,
    /// The series of the figures.
    pub(super) series: &'t str,
    /// The figures with their unit, or why there are none.
    pub(super) figures: Result<(&'t Figures, Unit), &'t Hole>,
}

/// Calls `each` for the entries of every group of `run`, in the order of the report.
pub(super) fn groups<T>(run: &Run, mut each: impl FnMut(&str, &[Entry<'_>]) -> T) -> Vec<T> {
    let tables = compare(run);
    let all = tables.iter().map(|table| {
        let name = format!("{} {}", table.group.testbed, table.group);
        let entries: Vec<Entry<'_>> = entries(table).collect();
        each(&clean::line(&name), &entries)
    });
    all.collect()
}

fn entries<'t>(table: &'t Table<'_>) -> impl Iterator<Item = Entry<'t>> {
    let unit = table.unit.unwrap_or(Unit::Ns);
    table.arms.iter().map(move |arm| Entry {
        cell: arm.cell,
        series: table.series,
        figures: arm.figures.as_ref().map(|figures| (figures, unit)),
    })
}

impl Entry<'_> {
    /// The arm on one line.
    pub(super) fn arm(&self) -> String {
        clean::line(&self.cell.arm())
    }

    /// Testbed, workload, parameters and arm on one line: unique in a run.
    pub(super) fn name(&self) -> String {
        let (group, arm) = (self.cell.group(), self.cell.arm());
        clean::line(&format!("{} {group} {arm}", self.cell.testbed))
    }
}

/// Six digits for a program: nothing between the thousands.
pub(super) fn digits(value: f64) -> String {
    number::significant(value, 6).replace(',', "")
}

/// How a unit is written.
pub(super) fn symbol(unit: Unit) -> &'static str {
    match unit {
        Unit::Ns => "ns",
        Unit::Insn => "insn",
    }
}
