// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Arms down, workloads across: medians of a few workloads for every strategy in
//! every mode, as a Markdown table. For a README or a message; what the figures
//! are and how sure they are stands in the report.

use crate::{
    digest::{self, Digest, same_arm},
    markdown::{escape, table},
};
use results::{
    Cell, Run,
    compare::{Arm, Table},
};

/// The medians of `workloads` in `run`, each with its unit in the header. Of the
/// parameters, those are shown that differ between columns of one workload. A
/// workload may be narrowed to one value of its parameters: `ID?NAME=VALUE`.
pub fn pivot(run: &Run, workloads: &[&str]) -> String {
    let digest = Digest::of(run);
    let mut columns: Vec<&Table<'_>> = Vec::new();
    for wanted in workloads {
        columns.extend(digest.beds.iter().flat_map(|bed| bed.select(wanted)));
    }
    let mut arms: Vec<&Cell> = Vec::new();
    for arm in columns.iter().flat_map(|t| &t.arms) {
        if arms.iter().all(|seen| !same_arm(seen, arm.cell)) {
            arms.push(arm.cell);
        }
    }
    let mut header = vec!["strategy".to_string()];
    header.extend(columns.iter().map(|column| heading(column, &columns)));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = arms.into_iter().map(|cell| {
        let figure = |column: &&Table<'_>| {
            let arm = column.arms.iter().find(|arm| same_arm(arm.cell, cell));
            arm.map_or(String::new(), |arm| shown(column, arm))
        };
        let figures = columns.iter().map(figure);
        std::iter::once(escape(&cell.arm()))
            .chain(figures)
            .collect()
    });
    let mut out = String::new();
    table(&mut out, &header, 1, rows);
    out
}

fn shown(table: &Table<'_>, arm: &Arm<'_>) -> String {
    match &arm.figures {
        Ok(figures) => digest::scale(table).show(figures.median),
        Err(hole) => crate::terminal::short(hole).to_string(),
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
    escape(&format!("{heading}, {}", digest::scale(column).symbol))
}
