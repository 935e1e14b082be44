// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a comparison of two runs says: the outcome, both runs, what moved, then the evidence.

use super::{
    losses::Loss,
    pair::{Pair, Scope},
    stat,
    view::{self, Family, Room, View},
    words::{
        Standing, both, delta, detects, direction, interval, medians, outcome, reasons, scale,
        sign, summary, word,
    },
};
use crate::{
    clean,
    document::{Block, Document, Fact, Facts, Field, Heading, List, Move, Moves, Style, Table},
    model::entry,
    number::{Mark, Scale},
};
use results::gate::Metric;
use std::cmp::Ordering;

/// How many of the cells that a run lacks for one reason are named.
const CELLS_NAMED: usize = 10;

/// The longest name that stands in a row, and the longest fact.
const NAME: usize = 160;
const FACT: usize = 400;

/// What the margin of a table means.
const LEGEND: &str = "++ regression, -- improvement: by more than the tolerance, and not by \
chance; + costs more, - costs less: within it, or decides nothing; ?? cannot be told; !! the control \
moved; # other samples with the same median.";

/// What the columns of a table mean.
const COLUMNS: &str = "A, B: medians over blocks. delta, interval: change from A to B in percent, \
with a 95 % interval; exact: the difference of counts that several blocks repeat; one run: of counts \
from one block. MDE: the least slowdown, in percent, that is called a regression in 4 cases of 5.";

/// The columns of every table, but for the last where it would be empty: counts that
/// repeat hide no change.
const HEAD: [&str; 6] = ["strategy", "A", "B", "delta", "interval", "MDE"];

/// The verdict on `pair`, with as much as there is `room` for.
pub(super) fn verdict(pair: &Pair<'_>, room: Room) -> Document {
    let view = View::of(pair, room);
    let comparison = pair.comparison;
    let title = format!("Two runs: {}", outcome(comparison));
    let mut lead = vec![Block::heading(1, "top", title)];
    let cautions = view.cautions.iter();
    let cautions = cautions.map(|caution| Block::Caution(clean::shorten(caution, 2 * FACT)));
    lead.push(Block::paragraph(summary(comparison)));
    lead.extend(cautions);
    let brief = room.brief && pair.scope == Scope::Decisive;
    let mut body = Vec::new();
    if !brief {
        body.extend(heads(&view));
    }
    body.extend(moved(&view));
    body.extend(listed("open", "What cannot be told", &view.open));
    body.extend(losses(&view.losses));
    if brief {
        body.extend(counts(&view));
        return Document { lead, body };
    }
    body.extend(series(&view));
    body.extend(counts(&view));
    body.push(Block::heading(2, "threats", "Threats to validity"));
    body.extend(Block::list(Style::Bullets, view.threats.iter().cloned()));
    body.push(Block::heading(2, "commands", "Commands"));
    for (name, run) in [("A:", pair.baseline), ("B:", pair.current)] {
        body.extend(Block::list(Style::Names, [name.to_string()]));
        body.push(Block::Command(run.header.command.clone()));
    }
    Document { lead, body }
}

/// The runs as a patch from one to the other.
fn heads(view: &View<'_>) -> Vec<Block> {
    let heads = &view.heads;
    let fact = |fact: &super::heads::Fact| {
        let [a, b] = fact.shown().map(|value| clean::shorten(value, FACT));
        Fact {
            name: clean::shorten(&fact.name, FACT),
            value: a,
            other: fact.differs().then_some(b),
        }
    };
    let columns = || vec!["A: baseline", "B: current"];
    let mut blocks = vec![
        Block::heading(2, "runs", "A (-) and B (+)"),
        Block::Facts(Facts {
            caption: "What made each run, and on which machine.".into(),
            columns: columns(),
            rows: heads.first.iter().map(fact).collect(),
        }),
    ];
    let mut notes = Vec::new();
    if !heads.further.is_empty() {
        // Their values are long, and what they bear on is above.
        let names: Vec<&str> = heads.further.iter().map(|f| f.name.as_str()).collect();
        notes.push(format!("also different: {}", names.join(", ")));
        let head = Heading::new(3, "further-facts", "Further facts that differ");
        let facts = Block::Facts(Facts {
            caption: "Facts of the machines that differ.".into(),
            columns: columns(),
            rows: heads.further.iter().map(fact).collect(),
        });
        blocks.push(Block::Page(vec![Block::fold(head, false, vec![facts])]));
    }
    if heads.same > 0 {
        notes.push(format!("the same: {} further facts", heads.same));
    }
    blocks.extend(Block::list(Style::Notes, notes));
    blocks
}

/// How many metrics of each workload did what, and the gravest of them.
fn moved(view: &View<'_>) -> Vec<Block> {
    if view.stats.is_empty() {
        return Vec::new();
    }
    let stirred = view.stats.iter().filter(|s| s.stirs());
    let rows = stirred.map(|s| {
        let other = [(s.gone, "gone"), (s.new, "new")].into_iter();
        let other = other.filter(|(n, _)| *n > 0);
        let other: Vec<String> = other.map(|(n, what)| format!("{n} {what}")).collect();
        Move {
            workload: clean::shorten(&format!("{}: {}", s.testbed, s.workload), NAME),
            more: s.more,
            less: s.less,
            open: s.open,
            other: other.join(", "),
        }
    });
    let moves = Moves {
        caption: "Series and gated counts of each workload of which something is to be said."
            .into(),
        total: stat::total(&view.stats),
        rows: rows.collect(),
    };
    let mut blocks = vec![
        Block::heading(2, "moved", "What moved"),
        Block::Moves(moves),
    ];
    let (moved, all) = &view.moved;
    if !moved.is_empty() {
        let title = format!(
            "The gravest first, then the largest: {} of {all}",
            moved.len()
        );
        blocks.extend(grouped(title, moved));
    }
    blocks
}

/// The gravest of `metrics` below a heading.
fn listed(id: &str, title: &str, (metrics, all): &(Vec<&Metric>, usize)) -> Vec<Block> {
    if metrics.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::heading(2, id, title)];
    let about = format!("The gravest first: {} of {all}", metrics.len());
    blocks.extend(grouped(about, metrics));
    blocks
}

/// A table of metrics of several workloads, and what is to be said of its rows.
fn grouped(title: String, metrics: &[&Metric]) -> Vec<Block> {
    let mut groups: Vec<(String, Vec<&Metric>)> = Vec::new();
    for metric in metrics {
        let (testbed, group) = (metric.cell.testbed, metric.cell.group());
        let group = format!("{testbed}: {group} ({}", metric.name.text());
        let same = |(known, _): &(String, _)| *known == group;
        entry(&mut groups, same, || (group.clone(), vec![]))
            .1
            .push(metric);
    }
    let mut table = Table::new(title, "workload", &head(metrics));
    table.narrow = columns(metrics);
    for (group, metrics) in &groups {
        let scale = scale(metrics.iter().copied());
        let unit = scale.map_or(String::new(), |scale| format!(" in {}", scale.symbol));
        let group = clean::shorten(&format!("{group}{unit})"), 2 * NAME);
        for metric in metrics {
            table.push(
                &group,
                row(metric, scale, columns(metrics_of(&groups).as_slice())),
            );
        }
    }
    let mut blocks = vec![Block::Table(table)];
    blocks.extend(said(metrics));
    blocks
}

fn metrics_of<'m>(groups: &[(String, Vec<&'m Metric>)]) -> Vec<&'m Metric> {
    groups
        .iter()
        .flat_map(|(_, metrics)| metrics.iter().copied())
        .collect()
}

/// Every series that has a row, a table a group, by family.
fn series(view: &View<'_>) -> Vec<Block> {
    if view.families.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![
        Block::heading(2, "series", "Series"),
        Block::paragraph(LEGEND),
        Block::paragraph(COLUMNS),
    ];
    blocks.extend(view.families.iter().map(family));
    blocks
}

fn family(family: &Family<'_>) -> Block {
    let mut blocks = Vec::new();
    for table in &family.tables {
        blocks.push(Block::Table(self::table(table)));
        blocks.extend(said(&table.rows));
    }
    blocks.extend(family.left_out().map(Block::paragraph));
    let name = clean::shorten(family.name, 60);
    let title = format!("{}: {name}", family.testbed);
    let head = Heading::new(3, format!("{}-{name}", family.testbed), title);
    Block::fold(head, false, blocks)
}

fn table(of: &view::Table<'_>) -> Table {
    let mut table = Table::new(clean::shorten(&of.title(), 2 * NAME), "", &head(&of.rows));
    table.narrow = columns(&of.rows);
    for metric in &of.rows {
        table.push("", row(metric, of.scale, table.narrow));
    }
    table
}

/// How many columns a table of `metrics` has before that of the verdict.
fn columns(metrics: &[&Metric]) -> usize {
    let known = metrics.iter().any(|metric| !detects(metric).is_empty());
    HEAD.len() - usize::from(!known)
}

/// The columns, for pages with the verdict in words.
fn head(metrics: &[&Metric]) -> Vec<&'static str> {
    let head = HEAD[..columns(metrics)].iter().copied();
    head.chain(["verdict"]).collect()
}

fn row(metric: &Metric, scale: Option<Scale>, columns: usize) -> Vec<Field> {
    let figures = match scale {
        Some(_) => medians(metric, scale),
        None => both(metric),
    };
    let delta = match direction(metric) {
        Some(Ordering::Greater) => Field::marked(delta(metric), Mark::More),
        Some(Ordering::Less) => Field::marked(delta(metric), Mark::Less),
        _ => delta(metric).into(),
    };
    let name = format!("{} {}", margin(metric), metric.cell.arm());
    let name = Field::named(&metric.cell.strategy, &metric.cell.mode, name);
    let mut row = vec![name];
    row.extend(figures.map(Field::from));
    row.extend([delta, interval(metric).into(), detects(metric).into()]);
    row.truncate(columns);
    let other = match sign(metric) {
        other @ ("?" | "≠") => format!(" {other}"),
        _ => String::new(),
    };
    row.push(format!("{}{other}", word(metric)).into());
    row
}

/// What a figure did, before the name of its arm.
fn margin(metric: &Metric) -> &'static str {
    match (Standing::of(metric), direction(metric)) {
        (Standing::Regression, _) => "++",
        (Standing::Improvement, _) => "--",
        (Standing::ControlMoved, _) => "!!",
        (Standing::Open, _) => "??",
        (_, Some(Ordering::Greater)) => " +",
        (_, Some(Ordering::Less)) => " -",
        (Standing::Changed, _) => " #",
        _ => "  ",
    }
}

/// What is to be said of rows: each thing once, and of whom.
fn said(metrics: &[&Metric]) -> Option<Block> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for metric in metrics {
        let name = metric.cell.arm();
        for why in reasons(metric) {
            let same = |(known, _): &(String, _)| *known == why;
            let of = entry(&mut found, same, || (why.clone(), vec![]));
            if !of.1.contains(&name) {
                of.1.push(name.clone());
            }
        }
    }
    let found = found.into_iter();
    let lines =
        found.map(|(why, arms)| clean::shorten(&format!("{}: {why}", arms.join(", ")), FACT));
    Block::list(Style::Notes, lines)
}

fn counts(view: &View<'_>) -> Vec<Block> {
    let mut inside = Vec::new();
    let rows = !view.counts.rows.is_empty();
    inside.extend(rows.then(|| Block::Table(view.counts.table())));
    if rows || view.counts.same > 0 {
        inside.push(Block::paragraph(view.counts.about()));
    }
    inside.extend(view.uncounted.iter().map(|s| Block::paragraph(s.as_str())));
    match inside.is_empty() {
        true => Vec::new(),
        false => vec![Block::fold(
            Heading::new(2, "counts", "Counts"),
            true,
            inside,
        )],
    }
}

fn losses(losses: &[Loss]) -> Vec<Block> {
    if losses.is_empty() {
        return Vec::new();
    }
    let items = losses.iter().map(|loss| {
        let (some, more) = loss.some(CELLS_NAMED);
        let mut cells: Vec<String> = some.map(|cell| clean::shorten(cell, NAME)).collect();
        cells.extend((more > 0).then(|| format!("and {more} more")));
        (clean::shorten(&loss.title(), FACT), cells)
    });
    vec![
        Block::heading(2, "missing", "Missing from one of the runs"),
        Block::List(List {
            style: Style::Bullets,
            items: items.collect(),
        }),
    ]
}
