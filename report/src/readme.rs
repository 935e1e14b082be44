// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tables for a README or a message, as Markdown; what the figures are and how sure they are
//! stands in the report.

use crate::{
    document::{self, Field},
    model::{self, Model, same_arm},
    sections, write,
};
use results::{
    Cell, Run,
    compare::{Arm, Table},
};

/// Every group of `run` against every strategy in its default mode.
pub fn overview_table(run: &Run) -> String {
    let model = Model::of(run);
    let tables = model.beds.iter().map(|bed| {
        let table = sections::every_workload(bed, &bed.defaults(), String::new());
        write::bare(&table)
    });
    tables.collect()
}

/// The medians of `workloads` in `run` for every strategy in every mode, each with its unit
/// in the header. Of the parameters, those are shown that differ between columns of one
/// workload. A workload may be narrowed to one value of its parameters: `ID?NAME=VALUE`.
pub fn pivot(run: &Run, workloads: &[&str]) -> String {
    let model = Model::of(run);
    let mut columns: Vec<&Table<'_>> = Vec::new();
    for wanted in workloads {
        columns.extend(model.beds.iter().flat_map(|bed| bed.select(wanted)));
    }
    let mut arms: Vec<&Cell> = Vec::new();
    for arm in columns.iter().flat_map(|t| &t.arms) {
        if arms.iter().all(|seen| !same_arm(seen, arm.cell)) {
            arms.push(arm.cell);
        }
    }
    let mut header = vec!["strategy".to_string()];
    header.extend(columns.iter().map(|column| heading(column, &columns)));
    let mut out = document::Table::new("", "", &header);
    for cell in arms {
        let figure = |column: &&Table<'_>| {
            let arm = column.arms.iter().find(|arm| same_arm(arm.cell, cell));
            Field::from(arm.map_or(String::new(), |arm| shown(column, arm)))
        };
        let figures = columns.iter().map(figure);
        out.push(
            "",
            std::iter::once(Field::arm(cell)).chain(figures).collect(),
        );
    }
    write::bare(&out)
}

fn shown(table: &Table<'_>, arm: &Arm<'_>) -> String {
    match &arm.figures {
        Ok(figures) => model::scale(table).show(figures.median),
        Err(hole) => model::short(hole).to_string(),
    }
}

/// `mmio/user-read lab_cpus=2, insn`
fn heading(column: &Table<'_>, columns: &[&Table<'_>]) -> String {
    let mut heading = column.group.workload.clone();
    for (name, value) in &column.group.params {
        let siblings = columns
            .iter()
            .filter(|c| c.group.workload == column.group.workload);
        if siblings
            .into_iter()
            .any(|c| c.group.params.get(name) != Some(value))
        {
            heading += &format!(" {name}={value}");
        }
    }
    format!("{heading}, {}", model::scale(column).symbol)
}
