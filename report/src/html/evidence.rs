// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What stands beside the figures as proof: who could read an arm's memory, and
//! how often KVM did what the arms differ in.

use super::{arm, overview, strategy, wide};
use crate::{
    bounce::{self, Bouncing},
    counters,
    digest::{Bed, Digest, Family, Workload},
    evidence::{self, READERS},
    figure::Palette,
    grid::Grid,
    matrix, prose,
};
use maud::{Markup, html};
use results::stats::Ratio;

/// Every arm against every reader, one table a testbed.
pub(super) fn isolation(digest: &Digest<'_>, palette: &Palette) -> Markup {
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
                            strong { (evidence::word(finding)) }
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
            h2 { (title) }
            p.soft { (evidence::ABOUT) }
            (wide(&title, &table))
        }
    } }
}

/// Which backend of a family works with which arm.
pub(super) fn backends(family: &Family<'_>) -> Markup {
    let Some(matrix) = matrix::of(family) else {
        return html! {};
    };
    let table = html! { table {
        thead { tr {
            th scope="col" { "backend" }
            @for arm in &matrix.arms { th scope="col" { (arm) } }
        } }
        tbody { @for (backend, verdicts) in &matrix.rows { tr {
            th scope="row" { (backend) }
            @for verdict in verdicts { td { (verdict.to_string()) } }
        } } }
    } };
    html! { h3 { (matrix::TITLE) } (wide(matrix::TITLE, &table)) }
}

/// What bouncing costs, if `workload` does.
pub(super) fn bouncing(bed: &Bed<'_>, workload: &Workload<'_>, palette: &Palette) -> Markup {
    let tables = bounce::of(workload, bed.seed);
    let Some(about) = bounce::about(&tables) else {
        return html! {};
    };
    html! {
        h3 { (bounce::TITLE) ": " (workload.id) }
        p.soft { (about) }
        @for bouncing in &tables {
            (wide(&format!("{}: {}", bounce::TITLE, bouncing.group), &ways(bed, bouncing, palette)))
        }
    }
}

fn ways(bed: &Bed<'_>, bouncing: &Bouncing<'_>, palette: &Palette) -> Markup {
    let costs = ["n", "median", "p50", "p99", bouncing.rate(), "copied"];
    let head = costs.into_iter().chain(["over none", "over memfd"]);
    html! { table.figures {
        caption {
            strong { (bouncing.group.to_string()) } ": " (bouncing.series) " in " (bouncing.scale.symbol)
            @if let Some(mark) = prose::watermark(bed.testbed) { "; " strong { (mark) } }
        }
        thead { tr {
            th scope="col" { "strategy" }
            th scope="col" { "bounce" }
            @for name in head { th.num scope="col" { (name) } }
        } }
        @for (cell, ways) in &bouncing.arms { tbody { @for (i, way) in ways.iter().enumerate() { tr {
            @if i == 0 { th scope="rowgroup" rowspan=(ways.len()) { (arm(cell, palette)) } }
            th scope="row" { (way.bounce) }
            @match &way.cost {
                Ok(cost) => {
                    td.num { (cost.blocks) }
                    @for shown in cost.shown(bouncing.scale) { td.num { (shown) } }
                },
                Err(no) => td.hole.why colspan=(costs.len()) { (no.why) },
            }
            @for over in [&way.over_none, &way.over_baseline] { td.num { (ratio(over)) } }
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
pub(super) fn counters(family: &Family<'_>) -> Markup {
    html! { @for counters in counters::of(family) { details {
        summary { (counters.title) }
        (wide(&counters.title, &grid(&counters)))
    } } }
}

/// A grid without its title.
pub(crate) fn grid(grid: &Grid) -> Markup {
    titled(grid, "")
}

/// A grid with its title, and what its columns mean.
pub(super) fn captioned(grid: &Grid) -> Markup {
    titled(grid, &grid.title)
}

fn titled(grid: &Grid, title: &str) -> Markup {
    html! { table.counters {
        @if !title.is_empty() { caption { strong { (title) } " " (grid.about) } }
        thead { tr {
            @if grid.named() { th scope="col" { (grid.group) } }
            @for (i, name) in grid.columns.iter().enumerate() {
                th.num[i > 0] scope="col" { (name) }
            }
        } }
        @for (group, rows) in &grid.groups { tbody { @for (i, row) in rows.iter().enumerate() { tr {
            @if grid.named() && i == 0 { th scope="rowgroup" rowspan=(rows.len()) { (group) } }
            @for (i, cell) in row.iter().enumerate() { td.num[i > 0] { (cell) } }
        } } } }
    } }
}
