// SPDX-License-Identifier: Apache-2.0 OR MIT
//! All tables, a family at a time, so that whole families can be left out of a message
//! that would grow too long.

use super::syntax::{escape, table};
use crate::{
    bounce::{self, Bouncing, Way},
    counters,
    digest::{self, Bed, Family, Workload},
    grid::Grid,
    matrix::{self, Matrix},
    number::{self, Mark},
    prose, tlb,
};
use results::{
    Cell, Unit,
    compare::{Arm, NoRatio, Table},
};
use std::fmt::Write;

/// A family's tables, with what its counters say.
pub(super) fn family(bed: &Bed<'_>, family: &Family<'_>) -> String {
    let mut out = String::new();
    for workload in &family.workloads {
        workload_details(&mut out, bed, workload);
        bounced(&mut out, bed, workload);
    }
    if let Some(matrix) = matrix::of(family) {
        works(&mut out, &matrix);
    }
    for counters in counters::of(family) {
        grid(&mut out, &counters);
    }
    out
}

/// The tables on translation.
pub(super) fn translation(bed: &Bed<'_>) -> String {
    let mut out = String::new();
    for translation in tlb::of(bed) {
        grid(&mut out, &translation);
    }
    out
}

/// What bouncing costs, if `workload` does.
fn bounced(out: &mut String, bed: &Bed<'_>, workload: &Workload<'_>) {
    let tables = bounce::of(workload, bed.seed);
    let Some(about) = bounce::about(&tables) else {
        return;
    };
    let title = format!("{}: {}", bounce::TITLE, workload.id);
    let _ = write!(out, "### {}\n\n{}\n\n", escape(&title), escape(&about));
    for bouncing in &tables {
        let watermark = prose::behind(bed.testbed);
        let (group, series) = (&bouncing.group, bouncing.series);
        let title = format!("{group}: {series} in {}{watermark}", bouncing.scale.symbol);
        let _ = write!(out, "{}\n\n", escape(&title));
        let head = [
            "strategy",
            "bounce",
            "n",
            "median",
            "p50",
            "p99",
            bouncing.rate(),
            "copied",
            "over none",
            "precision",
            "over memfd",
            "precision",
        ];
        let ways = bouncing.arms.iter();
        let rows =
            ways.flat_map(|(cell, ways)| ways.iter().map(|way| bounced_row(bouncing, cell, way)));
        table(out, &head, 2, rows);
        out.push('\n');
    }
}

fn bounced_row(bouncing: &Bouncing<'_>, cell: &Cell, way: &Way) -> Vec<String> {
    let mut row = vec![escape(&cell.arm()), escape(&way.bounce)];
    match &way.cost {
        Ok(cost) => {
            row.push(cost.blocks.to_string());
            row.extend(cost.shown(bouncing.scale));
        }
        Err(no) => {
            row.extend(["0".to_string(), escape(&no.why)]);
            row.resize(8, String::new());
        }
    }
    for over in [&way.over_none, &way.over_baseline] {
        row.extend(match over {
            Ok(ratio) => {
                let [value, precision] = number::ratio(ratio);
                [format!("{value} {}", Mark::of(ratio).sign()), precision]
            }
            Err(why) => [escape(why), String::new()],
        });
    }
    row
}

fn works(out: &mut String, matrix: &Matrix) {
    let _ = write!(out, "### {}\n\n", matrix::TITLE);
    let arms = matrix.arms.iter().map(|arm| escape(arm));
    let header: Vec<String> = std::iter::once("backend".to_string()).chain(arms).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = matrix.rows.iter().map(|(backend, verdicts)| {
        let verdicts = verdicts.iter().map(|v| escape(&v.to_string()));
        std::iter::once(escape(backend)).chain(verdicts).collect()
    });
    table(out, &header, header.len(), rows);
    out.push('\n');
}

/// A grid below its title.
pub(crate) fn grid(out: &mut String, grid: &Grid) {
    let _ = write!(out, "### {}\n\n", escape(&grid.title));
    if !grid.about.is_empty() {
        let _ = write!(out, "{}\n\n", escape(&grid.about));
    }
    let named = grid.named();
    let columns = grid.columns.iter().map(|name| escape(name));
    let header: Vec<String> = named
        .then(|| grid.group.to_string())
        .into_iter()
        .chain(columns)
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = grid.groups.iter().flat_map(|(group, rows)| {
        rows.iter().map(move |row| {
            let cells = row.iter().map(|cell| escape(cell));
            named
                .then(|| escape(group))
                .into_iter()
                .chain(cells)
                .collect()
        })
    });
    table(out, &header, 1 + usize::from(named), rows);
    out.push('\n');
}

fn workload_details(out: &mut String, bed: &Bed<'_>, workload: &Workload<'_>) {
    let _ = write!(out, "### {}\n\n", escape(&workload.id));
    if let Some(info) = workload.info {
        for paragraph in info.analysis.split("\n\n") {
            // Code spans are meant here; one left open ends with its paragraph.
            let _ = write!(out, "{}\n\n", escape(paragraph).replace("\\`", "`"));
        }
    }
    for group in &workload.tables {
        let scale = digest::scale(group);
        let watermark = prose::behind(bed.testbed);
        let title = format!(
            "{}: {} in {}{watermark}",
            group.group, group.series, scale.symbol
        );
        let _ = write!(out, "{}\n\n", escape(&title));
        let insn = group.unit == Some(Unit::Insn);
        let head: &[&str] = match insn {
            true => &[
                "strategy",
                "n",
                "median",
                "min",
                "max",
                "ratio",
                "precision",
                "+/- insn",
            ],
            false => &[
                "strategy",
                "n",
                "median",
                "min",
                "max",
                "ratio",
                "95 % interval",
            ],
        };
        table(
            out,
            head,
            1,
            group.arms.iter().map(|arm| detail_row(group, arm)),
        );
        out.push('\n');
    }
}

fn detail_row(table: &Table<'_>, arm: &Arm<'_>) -> Vec<String> {
    let scale = digest::scale(table);
    let mut row = vec![escape(&arm.cell.arm())];
    match &arm.figures {
        Err(hole) => row.extend(["0".to_string(), escape(&hole.to_string())]),
        Ok(f) => {
            row.push(f.blocks.len().to_string());
            row.extend([f.median, f.min, f.max].map(|v| scale.show(v)));
            row.extend(match &arm.ratio {
                Ok(r) => {
                    let [value, interval] = number::ratio(r);
                    [format!("{value} {}", Mark::of(r).sign()), interval]
                }
                Err(NoRatio::IsBaseline) => ["baseline".to_string(), String::new()],
                Err(why) => ["none".to_string(), escape(&why.to_string())],
            });
            row.extend(digest::difference(table, arm).map(number::difference));
        }
    }
    row
}
