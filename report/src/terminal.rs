// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The table that a run prints when it ends: one line an arm, at most
//! [`COLUMNS`] wide, no colour codes (a pipe may be reading).

use crate::{
    answer::glance::{self, Glance},
    clean,
    digest::{self, Bed, Digest, Family},
    evidence, gap, matrix,
    number::{self, Mark},
    prose, tlb,
    wrap::wrap,
};
use comfy_table::{
    CellAlignment, ContentArrangement, LineStyle, Table, presets::UTF8_HORIZONTAL_ONLY,
};
use results::{
    BASELINE, Run, Unit,
    cell::Group,
    compare::{Arm, Hole, NoRatio},
};

/// The widest line, in characters.
const COLUMNS: u16 = 100;

/// The run as a terminal table of at most 100 columns, in UTF-8.
pub fn terminal(run: &Run) -> String {
    let digest = Digest::of(run);
    let mut out = String::new();
    for caution in prose::cautions(&digest) {
        out += &paragraph("! ", &caution);
    }
    for bed in &digest.beds {
        let title = format!("{}: {}", bed.testbed, prose::about(bed.testbed));
        out += &format!("\n{}", paragraph("", &title));
        out += &table(bed);
        for family in &bed.families {
            out += &backends(family);
        }
        for line in tlb::lines(bed) {
            out += &paragraph("- ", &line);
        }
    }
    for glance in digest.beds.iter().flat_map(|bed| glance::of(&digest, bed)) {
        out += &format!("\n{}", at_a_glance(&glance));
    }
    if digest.beds.is_empty() {
        out += "The record holds no cell: nothing was run.\n";
    } else {
        let legend = format!("ratio: {}. ", prose::RATIO);
        let marks = format!("▲ costs more, ▼ costs less: {}.", prose::MARKED);
        let exact = prose::exact(&digest);
        let legend = prose::LEGEND.to_string() + &legend + &marks + exact;
        out += &paragraph("", &legend);
    }
    for evidence in evidence::of(run) {
        let title = format!("Isolation evidence, {}: ", evidence.testbed);
        out += &paragraph("", &(title + &evidence.summary()));
    }
    for gap in gap::gaps(&digest) {
        let remedy = gap
            .remedy
            .as_ref()
            .map_or(String::new(), |r| format!(" Remedy: {r}"));
        let scope = gap.scope();
        let text = format!(
            "{} on {}, {scope}: {}.{remedy}",
            gap.who(),
            gap.testbed,
            gap.what
        );
        out += &paragraph("- ", &text);
    }
    clean::document(out)
}

/// A hole in one word.
pub(crate) fn short(hole: &Hole) -> &'static str {
    match hole {
        Hole::Missing { .. } => "missing",
        Hole::Failed { .. } => "failed",
        Hole::Units { .. } => "units",
        Hole::NotRun => "not run",
    }
}

fn table(bed: &Bed<'_>) -> String {
    let mut table = frame();
    // Of counts that repeat, the least and the greatest say nothing; one that
    // does not repeat is in the list below the table.
    let counted = bed.tables().all(|t| t.unit != Some(Unit::Ns));
    let middle: &[&str] = if counted {
        &["+/- insn"]
    } else {
        &["min", "max"]
    };
    let head = [
        &["workload", "strategy", "n", "median"],
        middle,
        &["ratio", "precision"],
    ];
    table.set_header(head.concat());
    for (g, group) in bed.tables().enumerate() {
        if g > 0 {
            table.add_row([""]);
        }
        let scale = digest::scale(group);
        for (i, arm) in group.arms.iter().enumerate() {
            // The workload stands in the first line, its parameters in the next.
            let name = match (i, group.arms.len()) {
                (0, 1) => group.group.to_string(),
                (0, _) => group.group.workload.clone(),
                (1, _) => parameters(&group.group),
                _ => String::new(),
            };
            let name = clean::line(&name);
            let mut row = vec![name, clean::line(&arm.cell.arm())];
            match &arm.figures {
                Ok(f) => {
                    row.push(f.blocks.len().to_string());
                    row.push(scale.with_unit(f.median));
                    match counted {
                        true => row.push(
                            digest::difference(group, arm)
                                .map_or_else(String::new, number::difference),
                        ),
                        false => row.extend([f.min, f.max].map(|v| scale.show(v))),
                    }
                }
                Err(hole) => {
                    row.extend(["0", short(hole)].map(str::to_string));
                    row.extend(middle.iter().map(|_| String::new()));
                }
            }
            row.extend(ratio(arm));
            table.add_row(row);
        }
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    finish(&table)
}

/// One workload a family against the baseline; the last table, so that it is in sight
/// when a run has ended.
fn at_a_glance(glance: &Glance<'_, '_>) -> String {
    let mut table = frame();
    let names = glance.columns.iter().map(|column| column.name);
    table.set_header(std::iter::once("strategy").chain(names));
    for cell in &glance.arms {
        let words = glance
            .columns
            .iter()
            .map(|column| glance::word(column, cell));
        table.add_row(std::iter::once(clean::line(&cell.arm())).chain(words));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let about = format!(
        "At a glance: {}, ratios to {BASELINE}, * where they may be spoken of:",
        glance.title
    );
    paragraph("", &about) + &finish(&table)
}

/// Which backend of a family works with which arm; nothing if it has none.
fn backends(family: &Family<'_>) -> String {
    let Some(matrix) = matrix::of(family) else {
        return String::new();
    };
    let mut table = frame();
    let names = matrix.rows.iter().map(|(name, _)| clean::line(name));
    table.set_header(std::iter::once("strategy".to_string()).chain(names));
    for (i, arm) in matrix.arms.iter().enumerate() {
        let verdicts = matrix.rows.iter().map(|(_, v)| v[i].to_string());
        table.add_row(std::iter::once(clean::line(arm)).chain(verdicts));
    }
    format!(
        "{}: {}\n{}",
        matrix::TITLE,
        clean::line(&family.name),
        finish(&table)
    )
}

fn parameters(group: &Group) -> String {
    let pairs = group.params.iter().map(|(k, v)| format!("{k}={v}"));
    pairs.collect::<Vec<_>>().join(" ")
}

fn ratio(arm: &Arm<'_>) -> [String; 2] {
    match &arm.ratio {
        Ok(r) => {
            let [value, precision] = number::ratio(r);
            [format!("{value} {}", sign(Mark::of(r))), precision]
        }
        Err(NoRatio::IsBaseline) => ["base  ".to_string(), String::new()],
        Err(_) => ["–  ".to_string(), String::new()],
    }
}

/// The mark, or a blank as wide, so that the numbers stay in line.
fn sign(mark: Mark) -> &'static str {
    match mark.sign() {
        "" => " ",
        sign => sign,
    }
}

fn paragraph(first: &str, text: &str) -> String {
    wrap(first, text, usize::from(COLUMNS)).join("\n") + "\n"
}

fn frame() -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(COLUMNS);
    table.style_mut().row_separator = LineStyle::none();
    table
}

fn finish(table: &Table) -> String {
    let lines = table.lines();
    lines
        .map(|line| line.trim_end().to_string() + "\n")
        .collect()
}
