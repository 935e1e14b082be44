// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What stands beside the figures as proof: who could read an arm's memory, how
//! often KVM did what the arms differ in, and what became of the direct map.

use super::{
    arm,
    budget::{Budget, Piece},
    overview, strategy,
};
use crate::{
    bounce::{self, Bouncing},
    counters,
    digest::{Bed, Digest, Family, Workload},
    direct_map,
    evidence::{self, READERS},
    figure::Palette,
    grid::Grid,
    matrix, prose,
};
use maud::{Markup, html};
use results::{Testbed, stats::Ratio};

/// Every arm against every reader, one table a testbed.
pub(super) fn isolation(digest: &Digest<'_>, palette: &Palette, budget: &mut Budget) -> Markup {
    html! { @for evidence in evidence::of(digest.run) {
        @let title = format!("Isolation evidence: {}", evidence.testbed);
        @let table = html! {
            table.words {
                caption { (evidence.summary()) }
                thead { tr {
                    th scope="col" { "strategy" }
                    @for (_, name) in READERS { th scope="col" { (name) } }
                    th scope="col" { "claims to be" }
                    th scope="col" { "holds" }
                } }
                tbody { @for audit in &evidence.audits { tr {
                    th scope="row" { (strategy(&audit.strategy, &audit.mode, palette)) }
                    @for (reader, _) in READERS {
                        @let finding = evidence::finding(audit, reader);
                        td {
                            strong { (evidence::word(audit, reader)) }
                            span.between { (finding.map_or("not tried", |f| f.seen.as_str())) }
                        }
                    }
                    td { (evidence::claim(audit)) }
                    td { @match evidence::holds(audit) {
                        "NO" => strong.more { "NO" },
                        holds => (holds),
                    } }
                } } }
            }
        };
        section {
            h2 id=(isolation_anchor(evidence.testbed)) { (title) }
            p.soft { (evidence::ABOUT) }
            (budget.wide(&title, &table))
        }
    } }
}

/// Which backend of a family works with which arm.
pub(super) fn backends(bed: &Bed<'_>, family: &Family<'_>, budget: &mut Budget) -> Markup {
    let Some(matrix) = matrix::of(family) else {
        return html! {};
    };
    let title = format!("{} ({})", matrix::TITLE, bed.testbed);
    let table = html! { table.words {
        caption { "By a family's backends and arms: " (family.name) "." }
        thead { tr {
            th scope="col" { "backend" }
            @for arm in &matrix.arms { th scope="col" { (arm) } }
        } }
        tbody { @for (backend, verdicts) in &matrix.rows { tr {
            th scope="row" { (backend) }
            @for verdict in verdicts { td { (verdict.to_string()) } }
        } } }
    } };
    html! { h3 { (matrix::TITLE) } (budget.wide(&title, &table)) }
}

/// What bouncing costs, if `workload` does.
pub(super) fn bouncing(
    bed: &Bed<'_>,
    workload: &Workload<'_>,
    palette: &Palette,
    budget: &mut Budget,
) -> Markup {
    let tables = bounce::of(workload, bed.seed);
    let Some(about) = bounce::about(&tables) else {
        return html! {};
    };
    let mut pieces = Vec::new();
    for bouncing in &tables {
        let name = format!("{}: {} ({})", bounce::TITLE, bouncing.group, bed.testbed);
        let body = budget.wide(&name, &ways(bed, bouncing, palette));
        pieces.push(budget.table(&name, body));
    }
    html! {
        h3 { (bounce::TITLE) ": " (workload.id) }
        p.soft { (about) }
        (budget.place(pieces))
    }
}

fn ways(bed: &Bed<'_>, bouncing: &Bouncing<'_>, palette: &Palette) -> Markup {
    let costs = ["n", "median", "p50", "p99", bouncing.rate(), "copied"];
    let head = costs.into_iter().chain(["over none", "over memfd"]);
    html! { table.ways {
        caption {
            strong { (bouncing.group.to_string()) } ": " (bouncing.series) " in " (bouncing.scale.symbol)
            @if let Some(mark) = prose::watermark(bed.testbed) { "; " strong { (mark) } }
        }
        thead { tr {
            th scope="col" { "strategy" }
            th scope="col" { "bounce" }
            @for name in head { th scope="col" { (name) } }
        } }
        @for (cell, ways) in &bouncing.arms { tbody { @for (i, way) in ways.iter().enumerate() { tr {
            @if i == 0 { th scope="rowgroup" rowspan=(ways.len()) { (arm(cell, palette)) } }
            th scope="row" { (way.bounce) }
            @match &way.cost {
                Ok(cost) => {
                    td { (cost.blocks) }
                    @for shown in cost.shown(bouncing.scale) { td { (shown) } }
                },
                Err(no) => td.hole colspan=(costs.len()) { (no.why) },
            }
            @for over in [&way.over_none, &way.over_baseline] { td { (ratio(over)) } }
        } } } }
    } }
}

/// A ratio above its precision, or what stands in its place.
fn ratio(over: &Result<Ratio, String>) -> Markup {
    match over {
        Ok(ratio) => {
            let [value, precision] = overview::ratio(ratio);
            html! { span.value { (value) } span.between { (precision) } }
        }
        Err(why) => html! { span.hole { (why) } },
    }
}

/// The counters of a family, folded away.
pub(super) fn counters(bed: &Bed<'_>, family: &Family<'_>, budget: &mut Budget) -> Markup {
    html! { @if let Some(grid) = counters::per_operation(family) { (folded(bed, &grid, budget)) } }
}

/// What became of the direct map, a section a testbed.
pub(super) fn direct_map(digest: &Digest<'_>, budget: &mut Budget) -> Markup {
    let facts = direct_map::facts(digest.run);
    html! { @for bed in &digest.beds { section {
        h2 id=(direct_map_anchor(bed.testbed)) { (direct_map::TITLE) " (" (bed.testbed) ")" }
        @match direct_map::of(bed) {
            None => {
                p {
                    "Unavailable: no cell of this testbed recorded the counters host.DirectMap* and host.direct_map_*, \
                     so what each strategy did to the direct map is not known."
                }
                @if bed.testbed == Testbed::Host && !facts.is_empty() {
                    p { "The machine as a whole: "
                        @for (i, (name, value)) in facts.iter().enumerate() { @if i > 0 { ", " } (name) " " (value) } "." }
                }
            },
            Some(accounting) => {
                ul { @for sentence in &accounting.sentences { li { (sentence) } } }
                p.soft { (accounting.grid.about) }
                @let piece = piece(&accounting.grid, &accounting.grid.title, budget);
                (budget.place(vec![piece]))
            },
        }
        @for grid in bed.families.iter().filter_map(counters::in_total) { (folded(bed, &grid, budget)) }
    } } }
}

/// Where the evidence of a testbed is.
pub(super) fn isolation_anchor(testbed: Testbed) -> String {
    format!("{testbed}-isolation")
}

/// Where the direct map of a testbed is.
pub(super) fn direct_map_anchor(testbed: Testbed) -> String {
    format!("{testbed}-direct-map")
}

fn folded(bed: &Bed<'_>, of: &Grid, budget: &mut Budget) -> Markup {
    let title = format!("{} ({})", of.title, bed.testbed);
    let mut piece = piece(of, &title, budget);
    piece.fold(&of.title);
    budget.place(vec![piece])
}

/// A grid with its title, for a page that keeps no budget.
pub(crate) fn grid(grid: &Grid) -> Markup {
    titled(grid, &grid.title, "")
}

/// A grid below `title`, which is that of no other.
pub(super) fn piece(grid: &Grid, title: &str, budget: &mut Budget) -> Piece {
    let body = budget.wide(title, &titled(grid, title, ""));
    budget.table(title, body)
}

/// A grid with its title and what its columns mean.
pub(super) fn captioned(grid: &Grid, budget: &mut Budget) -> Markup {
    let title = &grid.title;
    let body = budget.wide(title, &titled(grid, title, &grid.about));
    let piece = budget.table(title, body);
    budget.place(vec![piece])
}

fn titled(grid: &Grid, title: &str, about: &str) -> Markup {
    html! { table.counters.named[grid.named()] {
        caption { strong { (title) } @if !about.is_empty() { " " (about) } }
        thead { tr {
            @if grid.named() { th scope="col" { (grid.group) } }
            @for name in &grid.columns {
                @if name.is_empty() { td {} } @else { th scope="col" { (name) } }
            }
        } }
        @for (group, rows) in &grid.groups { tbody { @for (i, row) in rows.iter().enumerate() { tr {
            @if grid.named() && i == 0 {
                th scope="rowgroup" rowspan=[(rows.len() > 1).then_some(rows.len())] { (group) }
            }
            // A row without a name goes on with the one above it.
            @let named = rows[..=i].iter().rfind(|row| row.first().is_some_and(|cell| !cell.is_empty()));
            @for (i, cell) in row.iter().enumerate() {
                @if i == 0 { th scope="row" { (named.unwrap_or(row)[0]) } } @else { td { (cell) } }
            }
        } } } }
    } }
}
