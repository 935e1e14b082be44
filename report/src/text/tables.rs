// SPDX-License-Identifier: Apache-2.0 OR MIT
//! All tables of a text report, a family at a time, so that whole families can be left
//! out of a mail that would grow too long.

use super::page::Page;
use crate::{
    bounce::{self, Bouncing, Way},
    clean::ascii,
    detail,
    digest::{Bed, Family, Workload},
    grid::Grid,
    prose, tlb,
};
use results::stats::{Precision, Ratio};

/// Every table of a family.
pub(super) fn family(bed: &Bed<'_>, family: &Family<'_>) -> Page {
    let mut out = Page::default();
    out.heading(&format!("{}: {}", bed.testbed, family.name));
    for (i, workload) in family.workloads.iter().enumerate() {
        if i > 0 {
            out.gap();
        }
        let summary = workload
            .info
            .map_or(String::new(), |info| format!(": {}", info.summary));
        out.wrapped("", &format!("{}{summary}", workload.id));
        for table in &workload.tables {
            out.gap();
            grid(&mut out, &detail::grid(table, |_| true));
        }
        bounced(&mut out, bed, workload);
    }
    out
}

/// The tables of the section on translation; `None` if there are none.
pub(super) fn translation(bed: &Bed<'_>) -> Option<Page> {
    let grids = tlb::of(bed);
    grids.first()?;
    let mut out = Page::default();
    out.heading(&format!("{}: {}", bed.testbed, tlb::TITLE));
    for (i, table) in grids.iter().enumerate() {
        if i > 0 {
            out.gap();
        }
        grid(&mut out, table);
    }
    Some(out)
}

/// A grid, each group's name above its rows.
pub(crate) fn grid(out: &mut Page, grid: &Grid) {
    out.wrapped("", &grid.title);
    let ascii_row = |row: &Vec<String>| row.iter().map(|cell| ascii(cell)).collect();
    let mut rows = vec![ascii_row(&grid.columns)];
    for (group, of) in &grid.groups {
        if !group.is_empty() {
            rows.push(vec![ascii(group)]);
        }
        rows.extend(of.iter().map(ascii_row));
    }
    out.split(&rows);
    if !grid.about.is_empty() {
        out.wrapped("", &grid.about);
    }
}

/// What bouncing costs, if `workload` does: the ways of bouncing of an arm below
/// its name.
fn bounced(out: &mut Page, bed: &Bed<'_>, workload: &Workload<'_>) {
    let tables = bounce::of(workload, bed.seed);
    let Some(about) = bounce::about(&tables) else {
        return;
    };
    for bouncing in &tables {
        let mark = prose::behind(bed.testbed);
        let (group, series) = (&bouncing.group, bouncing.series);
        let unit = format!("{series} in {}{mark}", bouncing.scale.symbol);
        out.gap();
        out.wrapped("", &format!("{}: {group} ({unit})", bounce::TITLE));
        out.split(&bounced_rows(bouncing));
        if let Some(few) = bouncing.few() {
            out.wrapped("", &few);
        }
    }
    out.gap();
    out.wrapped("", &about);
}

/// The header, and for each arm its name and a row a way of bouncing. Percentiles
/// that no row has are left out.
fn bounced_rows(bouncing: &Bouncing<'_>) -> Vec<Vec<String>> {
    let [p50, p99] = bouncing.percentiles().map(|(_, most)| most.is_ok());
    let mut head = vec![
        "bounce",
        "median",
        bouncing.rate(),
        "copied",
        "over none",
        "over memfd",
    ];
    head.extend(p50.then_some("p50"));
    head.extend(p99.then_some("p99"));
    let row = |way: &Way| {
        let [median, half, tail, rate, copied] = match &way.cost {
            Ok(cost) => cost.shown(bouncing.scale),
            Err(no) => [no.word.as_str(), "-", "-", "-", "-"].map(str::to_string),
        };
        let over = |ratio: &Result<Ratio, String>| match ratio {
            Ok(r) if r.precision == Precision::TooFew => {
                detail::delta(r)[0].clone() + " no interval"
            }
            Ok(ratio) => detail::delta(ratio).join(" "),
            Err(why) => why.clone(),
        };
        let [none, baseline] = [&way.over_none, &way.over_baseline].map(over);
        let name = format!("  {}", ascii(&way.bounce));
        let mut row = vec![name, median, rate, copied, none, baseline];
        row.extend(p50.then_some(half));
        row.extend(p99.then_some(tail));
        row
    };
    let mut rows = vec![head.into_iter().map(str::to_string).collect()];
    for (cell, ways) in &bouncing.arms {
        rows.push(vec![ascii(&cell.arm())]);
        rows.extend(ways.iter().map(row));
    }
    rows
}
