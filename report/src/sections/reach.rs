// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How far TLBs reach and what a miss costs, by chases; what was counted of them, and which
//! pages KVM mapped.

use super::{misses, said::Said, uncounted};
use crate::{
    chase::{self, Chase, Curve, GUEST},
    counters::short,
    document::{Field, Table},
    model::{Bed, Model},
    number,
};
use results::{
    Unit, compare,
    stats::{Interval, Level},
};
use std::collections::BTreeSet;

/// What a testbed shows of translation.
pub(super) fn answer(_: &Model<'_>, bed: &Bed<'_>, ids: &[&str]) -> Said {
    let chases = chase::of(bed);
    let mut sentences: Vec<String> = chases.iter().flat_map(lines).collect();
    sentences.extend(uncounted::lines(bed));
    let asked = |table: &compare::Table<'_>| ids.contains(&table.group.workload.as_str());
    Said {
        sentences,
        tables: misses::within(bed, asked),
        ..Said::default()
    }
}

/// Reach and penalty of each level, a row each; `None` where no time was taken.
pub(super) fn reach(chase: &Chase<'_>) -> Option<Table> {
    if chase.unit != Unit::Ns {
        return None;
    }
    let columns = [
        "strategy",
        "level",
        "reach, pages",
        "95 % interval",
        "a miss adds, ns",
        "95 % interval",
    ];
    let mut out = Table::new(
        format!("TLB reach by timing: {}", chase.group),
        "",
        &columns,
    );
    out.about = REACH.to_string();
    for curve in &chase.curves {
        let levels = curve.levels();
        for (i, level) in levels.iter().enumerate() {
            let [reach, penalty] = shown(level);
            let name = match i {
                0 => Field::arm(curve.cell),
                _ => Field::default(),
            };
            let figures = std::iter::once((i + 1).to_string());
            let figures = figures.chain(reach).chain(penalty).map(Field::from);
            out.push("", std::iter::once(name).chain(figures).collect());
        }
        if levels.is_empty() {
            let none = ["none", "-", "-", "-", "-"].map(Field::from);
            let name = std::iter::once(Field::arm(curve.cell));
            out.push("", name.chain(none).collect());
        }
    }
    out.unless_empty()
}

/// What was counted of a load in the guest, a column a working set; a grid for each
/// source that counted something.
pub(super) fn counted(chase: &Chase<'_>) -> Vec<Table> {
    let points = || chase.curves.iter().flat_map(|c| &c.points);
    let mut pages: Vec<f64> = points().map(|p| p.pages).collect();
    pages.sort_by(f64::total_cmp);
    pages.dedup();
    let names: Vec<String> = pages.iter().map(|n| number::count(*n)).collect();
    let columns: Vec<&str> = std::iter::once("strategy")
        .chain(names.iter().map(String::as_str))
        .collect();
    let grid = |(prefix, title, about): &(&str, &str, &str)| {
        let mut out = Table::new(format!("{title}: {}", chase.group), "counter", &columns);
        out.about = about.to_string();
        let of = points().flat_map(|p| p.counts.keys());
        let counters: BTreeSet<&String> = of.filter(|n| n.starts_with(prefix)).collect();
        for counter in counters {
            for curve in &chase.curves {
                let at = |n: &f64| {
                    let point = curve.points.iter().find(|p| p.pages == *n)?;
                    Some(number::significant(*point.counts.get(counter)?, 4).into())
                };
                let cells = pages.iter().map(|n| at(n).unwrap_or("-".into()));
                out.share(&short(counter), Field::arm(curve.cell), cells.collect());
            }
        }
        out.unless_empty()
    };
    SOURCES.iter().filter_map(grid).collect()
}

/// Pages by size that KVM had mapped; `None` if it did not say.
pub(super) fn sizes_mapped(chase: &Chase<'_>) -> Option<Table> {
    let sizes = sizes(chase);
    let names: Vec<String> = sizes
        .iter()
        .map(|size| format!("pages of {size}"))
        .collect();
    let columns: Vec<&str> = std::iter::once("strategy")
        .chain(names.iter().map(String::as_str))
        .collect();
    let title = format!("What KVM mapped: {}", chase.group);
    let mut out = Table::new(title, "", &columns);
    out.about = MAPPED.to_string();
    for curve in chase.curves.iter().filter(|_| !sizes.is_empty()) {
        let known = |size: &String| {
            let found = curve.mapped.iter().find(|(name, _)| name == size);
            found.map_or("-".into(), |(_, n)| number::count(*n).into())
        };
        let cells = sizes.iter().map(known);
        out.share("", Field::arm(curve.cell), cells.collect());
    }
    out.unless_empty()
}

/// The sizes of pages that KVM mapped in any arm.
fn sizes(chase: &Chase<'_>) -> Vec<String> {
    let mut sizes: Vec<String> = Vec::new();
    for (size, n) in chase.curves.iter().flat_map(|curve| &curve.mapped) {
        if *n > 0.0 && !sizes.contains(size) {
            sizes.push(size.clone());
        }
    }
    sizes
}

/// The same in a line an arm.
fn lines(chase: &Chase<'_>) -> Vec<String> {
    if chase.unit != Unit::Ns {
        return Vec::new();
    }
    let line = |curve: &Curve<'_>| {
        let level = |level: &Level| {
            let [[reach, ends], [penalty, _]] = shown(level);
            format!("{reach} pages {ends}, a miss adds {penalty} ns")
        };
        let levels: Vec<String> = curve.levels().iter().map(level).collect();
        let shown = match levels.is_empty() {
            true => "no level within the working sets tried".to_string(),
            false => levels.join("; then "),
        };
        format!("TLB reach, {} ({}): {shown}", curve.cell.arm(), chase.group)
    };
    chase.curves.iter().map(line).collect()
}

/// What the columns of reach and penalty mean.
const REACH: &str = "From the difference of two chases in the same block, over places a page \
apart and as many lines side by side: a level of n entries misses a load over k pages with \
probability 1 - n/k, and a miss adds a cost. reach: the n that fits best; it is what such a TLB \
shows, and lies below the entries of its data sheet by what hypervisor and host use. Two levels \
are fitted where they explain the curve better than one.";

/// What counts of the guest, the title of its table and what must be said of it.
const SOURCES: [(&str, &str, &str); 2] = [
    (
        GUEST[0],
        "Counted by the PMU, per load",
        "Of the guest, over places a page apart, by the number of pages.",
    ),
    (
        GUEST[1],
        "MODELLED, per load",
        "Of the guest, over places a page apart, by the number of pages: counted by a model of \
         a TLB, not by hardware.",
    ),
];

/// Why page sizes are shown.
const MAPPED: &str = "At the largest working set. Arms that differ here differ in page size, \
whatever else they differ in.";

/// Reach and penalty, each with its interval.
fn shown(level: &Level) -> [[String; 2]; 2] {
    let [reach, penalty] = [level.reach, level.penalty].map(|v| number::significant(v, 3));
    match level.open {
        true => [
            [format!("{reach} or more"), "-".into()],
            [format!("{penalty} or more"), "-".into()],
        ],
        false => [
            [reach, ends(level.reach_interval)],
            [penalty, ends(level.penalty_interval)],
        ],
    }
}

fn ends(interval: Option<Interval>) -> String {
    interval.map_or("-".to_string(), |i| {
        let [low, high] = [i.low, i.high].map(|v| number::significant(v, 3));
        format!("[{low}, {high}]")
    })
}
