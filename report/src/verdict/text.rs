// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A comparison for a mailing list: ASCII, at most 75 columns. `-` and `+` in the
//! margin are those of a patch above (A and B), and below say which way a figure went.

use super::{
    Pair,
    stat::{self, Stat},
    view::{Family, Room, Table, View},
    words::{Standing, delta, detects, direction, interval, medians, reasons, scale, summary},
};
use crate::{
    clean::{ascii, shorten},
    digest::entry,
    number::Scale,
    text::{grid, page::Page},
};
use results::gate::Metric;
use std::cmp::Ordering;

/// A mail of more rows is read by nobody.
const ROOM: Room = Room {
    rows: 600,
    moved: 10,
    same: false,
};

/// What names may have of a line: longer ones stand above their figures.
const NAMES: usize = 23;

/// How many of the cells that a run lacks for one reason are named.
const CELLS_NAMED: usize = 5;

/// The columns of every table, but for the last where it would be empty: counts that
/// repeat hide no change.
const HEAD: [&str; 6] = ["variant", "A", "B", "delta", "interval", "MDE"];

/// What the margin means.
const LEGEND: &str = "++ regression, -- improvement: by more than the tolerance, and not by \
chance; + dearer, - cheaper: within it, or decides nothing; ?? cannot be told; !! the control \
moved; # other samples with the same median.";

/// What the columns mean.
const COLUMNS: &str = "A, B: medians over blocks. delta, interval: change from A to B in \
percent, with a 95% interval; exact: the difference of counts that repeat; one run: of one block. MDE: the least slowdown, in percent, \
called a regression in 4 cases of 5.";

pub(super) fn text(pair: &Pair<'_>) -> String {
    let view = View::of(pair, ROOM);
    let mut out = Page::default();
    out.wrapped("", &summary(pair.comparison));
    for caution in &view.cautions {
        out.gap();
        out.wrapped("! ", caution);
    }
    heads(&mut out, &view);
    if !view.stats.is_empty() {
        out.heading("What moved");
        diffstat(&mut out, &view.stats);
        most(&mut out, &view);
        out.heading("Series");
        for (i, family) in view.families.iter().enumerate() {
            tables(&mut out, family, i == 0);
        }
        if rows_of(&view) > 0 {
            out.gap();
            out.wrapped("", LEGEND);
            out.wrapped("", COLUMNS);
        }
    }
    counts(&mut out, &view);
    losses(&mut out, &view);
    out.heading("Threats to validity");
    for threat in &view.threats {
        out.wrapped("- ", threat);
    }
    out.heading("Commands");
    for (name, run) in [("A:", pair.baseline), ("B:", pair.current)] {
        out.line(name);
        out.command(&run.header.command);
    }
    out.finish()
}

/// The runs as a patch from one to the other.
fn heads(out: &mut Page, view: &View<'_>) {
    out.heading("A (-) and B (+)");
    let heads = &view.heads;
    for fact in &heads.first {
        let [a, b] = fact.shown();
        match fact.differs() {
            true => {
                out.wrapped("- ", &format!("{}: {a}", fact.name));
                out.wrapped("+ ", &format!("{}: {b}", fact.name));
            }
            false => out.wrapped("  ", &format!("{}: {a}", fact.name)),
        }
    }
    if !heads.further.is_empty() {
        // Their values are long, and what they bear on is above.
        let names: Vec<&str> = heads.further.iter().map(|f| f.name.as_str()).collect();
        out.wrapped("  ", &format!("also different: {}", names.join(", ")));
    }
    if heads.same > 0 {
        out.wrapped("  ", &format!("the same: {} further facts", heads.same));
    }
}

/// A line for each workload of which something moved.
fn diffstat(out: &mut Page, stats: &[Stat<'_>]) {
    /// What a name and a bar may have, in columns.
    const NAME: usize = 30;
    const BAR: usize = 22;
    let stirred: Vec<(String, &Stat<'_>)> = stats
        .iter()
        .filter(|s| s.stirs())
        .map(|s| {
            let name = ascii(&format!("{}: {}", s.testbed, s.workload));
            (shorten(&name, NAME).replace('…', "~"), s)
        })
        .collect();
    let width = stirred.iter().map(|(name, _)| name.len()).max();
    let width = width.unwrap_or(0);
    let parts = |s: &Stat<'_>| [(s.dearer, "+"), (s.cheaper, "-"), (s.open, "?")];
    let count = |s: &Stat<'_>| parts(s).iter().map(|(n, _)| n).sum::<usize>();
    let most = stirred.iter().map(|(_, s)| count(s)).max().unwrap_or(0);
    for (name, stat) in &stirred {
        let scaled = |n: usize| match most <= BAR {
            true => n,
            // One is never nothing.
            false => (n * BAR).div_ceil(most),
        };
        let bar = parts(stat).map(|(n, sign)| sign.repeat(scaled(n)));
        let lost = [(stat.gone, "gone"), (stat.new, "new")];
        let lost = lost.iter().filter(|(n, _)| *n > 0);
        let lost: Vec<String> = lost.map(|(n, what)| format!("{n} {what}")).collect();
        out.line(&format!(
            " {name:width$} |{:>5} {}",
            count(stat),
            bar.concat()
        ));
        if !lost.is_empty() {
            out.line(&format!(" {:width$} | {}", "", lost.join(", ")));
        }
    }
    out.wrapped(" ", &stat::total(stats));
}

/// How many rows the tables have.
fn rows_of(view: &View<'_>) -> usize {
    let tables = view.families.iter().flat_map(|family| &family.tables);
    tables.map(|table| table.rows.len()).sum()
}

/// The gravest and largest of what moved, unless the tables below have nothing else.
fn most(out: &mut Page, view: &View<'_>) {
    let (moved, all) = &view.moved;
    if moved.is_empty() || rows_of(view) <= moved.len() {
        return;
    }
    let title = format!(
        "The gravest first, then the largest: {} of {all}",
        moved.len()
    );
    let columns = columns(moved);
    let mut groups: Vec<(String, Vec<&Metric>)> = Vec::new();
    for metric in moved {
        let group = format!("{} ({}", metric.cell.group(), metric.name.text());
        let of = entry(
            &mut groups,
            |(g, _)| *g == group,
            || (group.clone(), vec![]),
        );
        of.1.push(metric);
    }
    let mut rows = vec![head(columns)];
    for (group, metrics) in &groups {
        let scale = scale(metrics.iter().copied());
        let unit = scale.map_or(String::new(), |scale| format!(" in {}", scale.symbol));
        rows.push(vec![ascii(&format!("{group}{unit})"))]);
        rows.extend(metrics.iter().map(|metric| row(metric, scale, columns)));
    }
    out.gap();
    out.wrapped("", &title);
    out.split_behind(NAMES, &rows);
}

/// How many columns a table of `metrics` has.
fn columns(metrics: &[&Metric]) -> usize {
    let known = metrics.iter().any(|metric| !detects(metric).is_empty());
    HEAD.len() - usize::from(!known)
}

/// The tables of a family; the `first` stands right below its heading.
fn tables(out: &mut Page, family: &Family<'_>, first: bool) {
    for (i, table) in family.tables.iter().enumerate() {
        if !(first && i == 0) {
            out.gap();
        }
        out.wrapped("", &table.title());
        out.split_behind(NAMES, &rows(table));
        for (why, arms) in reasons_of(table) {
            out.wrapped("  ", &format!("{}: {why}", arms.join(", ")));
        }
    }
    if let Some(left_out) = family.left_out() {
        if !(first && family.tables.is_empty()) {
            out.gap();
        }
        out.wrapped("", &left_out);
    }
}

fn rows(table: &Table<'_>) -> Vec<Vec<String>> {
    let columns = columns(&table.rows);
    let rows = table.rows.iter();
    let rows = rows.map(|metric| row(metric, table.scale, columns));
    std::iter::once(head(columns)).chain(rows).collect()
}

fn head(columns: usize) -> Vec<String> {
    let names = HEAD[..columns].iter();
    names.map(|name| name.to_string()).collect()
}

fn row(metric: &Metric, scale: Option<Scale>, columns: usize) -> Vec<String> {
    let mut row = vec![variant(metric)];
    row.extend(medians(metric, scale));
    row.extend([delta(metric), interval(metric), detects(metric)]);
    row.truncate(columns);
    row.iter().map(|cell| cell_text(cell)).collect()
}

/// A figure in ASCII, but for what stands before a name: spaces count there.
fn cell_text(cell: &str) -> String {
    let margin = cell.len() - cell.trim_start().len();
    " ".repeat(margin) + &ascii(cell)
}

/// What is to be said of the rows of a table: each thing once, and of whom.
fn reasons_of(table: &Table<'_>) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for metric in &table.rows {
        for why in reasons(metric) {
            let of = entry(&mut found, |(w, _)| *w == why, || (why.clone(), vec![]));
            of.1.push(metric.cell.arm());
        }
    }
    found
}

/// An arm behind what its figure did.
fn variant(metric: &Metric) -> String {
    let sign = match (Standing::of(metric), direction(metric)) {
        (Standing::Regression, _) => "++",
        (Standing::Improvement, _) => "--",
        (Standing::ControlMoved, _) => "!!",
        (Standing::Open, _) => "??",
        (_, Some(Ordering::Greater)) => "+ ",
        (_, Some(Ordering::Less)) => "- ",
        (Standing::Changed, _) => "# ",
        _ => "  ",
    };
    format!("{sign} {}", ascii(&metric.cell.arm()))
}

fn counts(out: &mut Page, view: &View<'_>) {
    if !view.counts.rows.is_empty() {
        out.gap();
        grid(out, &view.counts.grid());
    } else if view.counts.same > 0 {
        out.gap();
        out.wrapped("", &view.counts.about());
    }
    for sentence in &view.uncounted {
        out.wrapped("", sentence);
    }
}

fn losses(out: &mut Page, view: &View<'_>) {
    if view.losses.is_empty() {
        return;
    }
    out.heading("Missing from one of the runs");
    for loss in &view.losses {
        out.wrapped("- ", &loss.title());
        let (some, more) = loss.some(CELLS_NAMED);
        for cell in some {
            out.wrapped("    ", cell);
        }
        if more > 0 {
            out.wrapped("    ", &format!("and {more} more"));
        }
    }
}
