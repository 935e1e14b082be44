// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The figures of one group as a compact table. A column that says the same of
//! every arm is said once, in the caption; arms with the same figures share a row,
//! so that what differs stands out. Nothing is lost: whoever reads caption and rows
//! together reads what a row an arm with every column would say.

use super::{arm as arm_name, overview};
use crate::{
    digest::{self, Workload},
    figure::Palette,
    number, prose, terminal,
};
use maud::{Markup, PreEscaped, html};
use results::{
    Cell, Unit,
    cell::{Group, Params},
    compare::{Arm, Figures, NoRatio, Table, pooled},
    run::View,
    stats::{NotEnough, Precision, Sorted, Tail},
};

/// A column, a cell for each arm that has figures.
struct Column {
    head: &'static str,
    cells: Vec<Markup>,
}

/// An arm with figures, and its samples if tails are of interest.
type Measured<'t, 'a> = (&'t Arm<'a>, &'t Figures, Sorted);

/// Figures that arms share, or why they have none.
type Shown = Result<Vec<String>, String>;

/// The table of one group of `workload`.
pub(super) fn compact(workload: &Workload<'_>, table: &Table<'_>, palette: &Palette) -> Markup {
    let tails = workload.info.is_none_or(|info| info.view != View::Phases);
    let arms = table.arms.iter();
    let measured: Vec<Measured<'_, '_>> = arms
        .filter_map(|arm| Some((arm, arm.figures.as_ref().ok()?, samples(table, arm, tails))))
        .collect();
    let mut said = Vec::new();
    let columns = columns(table, &measured, tails, &mut said);
    let rows = rows(table, &measured, &columns);
    html! {
        table.figures {
            caption {
                strong { (table.group.to_string()) } ": " (table.series) " in " (digest::scale(table).symbol)
                @if tails && table.detail != table.series { "; samples and tails of " (table.detail) }
                @for what in &said { "; " (what) }
                @if let Some(mark) = prose::watermark(table.group.testbed) { "; " strong { (mark) } }
            }
            thead { tr {
                th scope="col" { "strategy" }
                @for column in &columns { th scope="col" { (column.head) } }
                @if columns.is_empty() { th scope="col" { "figures" } }
            } }
            tbody { @for (arms, shown) in &rows { tr {
                th scope="row" { (names(arms, palette)) }
                @match shown {
                    Ok(cells) => @for cell in cells { td { (PreEscaped(cell)) } },
                    Err(hole) => td.hole colspan=[(columns.len() > 1).then_some(columns.len())] { (hole) },
                }
            } } }
        }
    }
}

fn samples(table: &Table<'_>, arm: &Arm<'_>, tails: bool) -> Sorted {
    let rows: &[_] = if tails { &arm.rows } else { &[] };
    pooled(rows, table.detail)
}

/// The names of arms in one row; a strategy's modes behind its name.
fn names(arms: &[&Cell], palette: &Palette) -> Markup {
    let strategies = arms.chunk_by(|a, b| a.strategy == b.strategy);
    html! { @for (i, arms) in strategies.enumerate() {
        @if i > 0 { ", " }
        @match arms {
            [arm] => (arm_name(arm, palette)),
            [first, ..] => {
                (super::strategy(&first.strategy, &Params::new(), palette)) " ("
                @for (i, arm) in arms.iter().enumerate() {
                    @if i > 0 { ", " }
                    @if arm.mode.is_empty() { "defaults" } @else { (mode(arm)) }
                }
                ")"
            },
            [] => {},
        }
    } }
}

fn mode(arm: &Cell) -> String {
    let words = arm
        .mode
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    words.collect::<Vec<_>>().join(" ")
}

/// Each row of the table: its arms, and the figures or why there are none.
fn rows<'t>(
    table: &'t Table<'_>,
    measured: &[Measured<'_, '_>],
    columns: &[Column],
) -> Vec<(Vec<&'t Cell>, Shown)> {
    let mut rows: Vec<(Vec<&Cell>, Shown)> = Vec::new();
    for arm in &table.arms {
        let shown = match &arm.figures {
            Err(hole) => Err(hole.to_string()),
            Ok(_) => {
                let place = measured.iter().position(|(m, ..)| m.cell == arm.cell);
                let cells = columns.iter().filter_map(|c| c.cells.get(place?));
                Ok(cells.map(|cell| cell.0.clone()).collect())
            }
        };
        let baseline = arm.cell.is_baseline();
        let mut known = rows.iter_mut().filter(|(arms, _)| {
            // What the others are compared with has a row of its own.
            !baseline && !arms.iter().any(|cell| cell.is_baseline())
        });
        match known.find(|(_, other)| *other == shown) {
            Some((arms, _)) => arms.push(arm.cell),
            None => rows.push((vec![arm.cell], shown)),
        }
    }
    rows
}

/// The columns that say something; what the others would, goes to `said`.
fn columns(
    table: &Table<'_>,
    measured: &[Measured<'_, '_>],
    tails: bool,
    said: &mut Vec<String>,
) -> Vec<Column> {
    let scale = digest::scale(table);
    let mut columns = Vec::new();
    if measured.is_empty() {
        return columns;
    }
    let text = |head, of: &dyn Fn(&Measured<'_, '_>) -> String| Column {
        head,
        cells: measured.iter().map(|m| html! { (of(m)) }).collect(),
    };
    let blocks = text("n", &|(arm, figures, _)| match &arm.lost {
        Some(lost) => format!("{} of {}", figures.blocks.len(), lost.of),
        None => figures.blocks.len().to_string(),
    });
    match blocks.all_say() {
        Some(n) => said.push(format!("n = {n}")),
        None => columns.push(blocks),
    }
    columns.push(text("median", &|(_, f, _)| scale.show(f.median)));
    if measured.iter().all(|(_, f, _)| f.repeats()) {
        if measured.iter().any(|(_, f, _)| f.blocks.len() > 1) {
            said.push("every block has the median".into());
        }
    } else {
        columns.push(text("min", &|(_, f, _)| scale.show(f.min)));
        columns.push(text("max", &|(_, f, _)| scale.show(f.max)));
    }
    ratios(table, measured, &mut columns, said);
    if tails {
        self::tails(table, measured, &mut columns, said);
    }
    columns
}

impl Column {
    /// What every cell says, if that is one thing.
    fn all_say(&self) -> Option<&str> {
        let first = self.cells.first()?;
        let same = self.cells.iter().all(|cell| cell.0 == first.0);
        same.then_some(first.0.as_str())
    }
}

/// The ratio, how well it is known, and the difference in instructions.
fn ratios(
    table: &Table<'_>,
    measured: &[Measured<'_, '_>],
    columns: &mut Vec<Column>,
    said: &mut Vec<String>,
) {
    let others = || measured.iter().filter(|(arm, ..)| !arm.cell.is_baseline());
    if others().count() == 0 {
        return;
    }
    let of = |part: usize| -> Vec<Markup> {
        let cell = |(arm, ..): &Measured<'_, '_>| match (&arm.ratio, part) {
            (Ok(ratio), part) => {
                let [value, precision] = overview::ratio(ratio);
                if part == 0 { value } else { precision }
            }
            (Err(NoRatio::IsBaseline), 0) => html! { "baseline" },
            (Err(NoRatio::IsBaseline), _) => html! {},
            (Err(_), 0) => html! { "none" },
            (Err(why), _) => html! { span.hole { (why.to_string()) } },
        };
        measured.iter().map(cell).collect()
    };
    columns.push(Column {
        head: "ratio to memfd",
        cells: of(0),
    });
    let all = |precision: Precision| {
        others().all(|(arm, ..)| arm.ratio.as_ref().is_ok_and(|r| r.precision == precision))
    };
    if all(Precision::Exact) {
        let once = |(arm, ..): &Measured<'_, '_>| {
            let ratio = arm.ratio.as_ref().ok();
            ratio.is_some_and(|ratio| number::exact(ratio) == number::ONE_RUN)
        };
        said.push(match others().any(once) {
            true => "ratios are of one run".into(),
            false => "ratios are exact".into(),
        });
    } else if all(Precision::TooFew) {
        said.push("too few blocks for an interval".into());
    } else {
        let head = match table.unit {
            Some(Unit::Insn) => "precision",
            _ => "95 % interval",
        };
        columns.push(Column { head, cells: of(1) });
    }
    if table.unit == Some(Unit::Insn) {
        let shown = |(arm, ..): &Measured<'_, '_>| {
            let insn = digest::difference(table, arm);
            html! { (insn.map_or_else(String::new, number::difference)) }
        };
        columns.push(Column {
            head: "+/- insn",
            cells: measured.iter().map(shown).collect(),
        });
    }
}

/// How many samples there are, and the percentiles that they carry.
fn tails(
    table: &Table<'_>,
    measured: &[Measured<'_, '_>],
    columns: &mut Vec<Column>,
    said: &mut Vec<String>,
) {
    let scale = digest::scale(table);
    let samples = Column {
        head: "samples",
        cells: measured
            .iter()
            .map(|(.., samples)| html! { (number::grouped(&samples.len().to_string())) })
            .collect(),
    };
    match samples.all_say() {
        Some("1") => said.push("1 sample".into()),
        Some(n) => said.push(format!("{n} samples")),
        None => columns.push(samples),
    }
    let mut without = Vec::new();
    for tail in Tail::ALL {
        if measured
            .iter()
            .all(|(.., samples)| tail.of(samples).is_err())
        {
            without.push(tail.name());
            continue;
        }
        let shown = |(.., samples): &Measured<'_, '_>| match tail.of(samples) {
            Ok(value) => html! { (scale.show(value)) },
            Err(NotEnough { need, .. }) => {
                html! { span.hole { "needs " (number::grouped(&need.to_string())) } }
            }
        };
        columns.push(Column {
            head: tail.name(),
            cells: measured.iter().map(shown).collect(),
        });
    }
    if !without.is_empty() {
        said.push(format!("too few samples for {}", without.join(" or ")));
    }
}

/// The parameters that tell `group` from the other groups of its workload; all, if
/// it is alone.
pub(super) fn setting(workload: &Workload<'_>, group: &Group) -> String {
    let others = || workload.tables.iter().map(|table| &table.group.params);
    let differs = |name: &str, of: &Params| others().any(|p| p.get(name) != of.get(name));
    let params = group.params.iter();
    let told: Vec<String> = params
        .filter(|(name, _)| differs(name, &group.params))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    match told.is_empty() {
        true => group.to_string(),
        false => told.join(" "),
    }
}

/// The main figures of a table in a line: the baseline, the arms that differ most
/// from it, how many have nothing.
pub(super) fn main_figures(table: &Table<'_>) -> Markup {
    let scale = digest::scale(table);
    let baseline = table.baseline().map(|f| scale.with_unit(f.median));
    let ratios = table.arms.iter();
    let ratios = ratios.filter_map(|arm| Some((arm, arm.ratio.as_ref().ok()?)));
    let differing = || ratios.clone().filter(|(_, ratio)| ratio.differs());
    let most = differing().max_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let least = differing().min_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let most = most.filter(|(_, ratio)| ratio.value > 1.0);
    let least = least.filter(|(_, ratio)| ratio.value < 1.0);
    let holes = table
        .arms
        .iter()
        .filter_map(|arm| arm.figures.as_ref().err());
    let holes: Vec<&str> = holes.map(terminal::short).collect();
    html! {
        @match baseline {
            Some(median) => { "memfd " (median) },
            None => "no baseline",
        }
        @for (word, arm) in [("most", most), ("least", least)] {
            @if let Some((arm, ratio)) = arm { "; " (word) ": " (arm.cell.arm()) " " (overview::ratio(ratio)[0]) }
        }
        @if ratios.clone().count() > 0 && differing().count() == 0 { "; no difference shown" }
        @if !holes.is_empty() { "; " (holes.len()) " without figures" }
    }
}
