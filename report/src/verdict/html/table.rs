// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Metrics as rows: of everything, what moved; of a family, every series.

use super::drawing::Axis;
use crate::{
    clean,
    figure::Palette,
    html as page, prose,
    verdict::{
        view::Family,
        words::{
            Standing, both, delta, detects, direction, interval, medians, reasons, sign, word,
        },
    },
};
use maud::{Markup, html};
use results::gate::Metric;
use std::{cmp::Ordering, collections::BTreeSet};

/// The longest name that stands in a row.
const NAME: usize = 160;

const HEAD: [&str; 5] = ["A", "B", "delta", "95 % interval", "detects"];

/// The gravest metrics of all, with their intervals drawn.
pub(super) fn listed(
    title: &str,
    id: &str,
    (metrics, all): &(Vec<&Metric>, usize),
    palette: &Palette,
) -> Markup {
    let axis = Axis::over(metrics);
    let testbeds: BTreeSet<_> = metrics.iter().map(|m| m.cell.testbed).collect();
    let marks = testbeds.into_iter().filter_map(prose::watermark);
    let table = html! { table.metrics.listed {
        caption {
            "The gravest first, then the largest: " (metrics.len()) " of " (all) "."
            @for mark in marks { " " strong { (mark) } "." }
            @if axis.is_some() { " Drawn: left of the dashed line cheaper, right of it dearer." }
        }
        thead { tr {
            th scope="col" { "strategy" }
            th scope="col" { "workload and metric" }
            @for name in HEAD { th.num scope="col" { (name) } }
            @if axis.is_some() { th.drawn scope="col" { "drawn" } }
            th scope="col" { "verdict" }
        } }
        tbody { @for metric in metrics { tr {
            th scope="row" { (page::arm(&metric.cell, palette)) }
            td {
                (clean::shorten(&metric.cell.group().to_string(), NAME))
                span.between {
                    (clean::shorten(metric.name.text(), NAME)) ", " (metric.cell.testbed)
                }
            }
            @for shown in both(metric) { td.num { (shown) } }
            (figures(metric))
            @if let Some(axis) = &axis { td.drawn { (axis.draw(metric)) } }
            (verdict(metric))
        } } }
    } };
    html! { @if !metrics.is_empty() { section {
        h2 id=(id) { (title) }
        (page::wide(title, &table))
    } } }
}

/// Every series of a family that has a row, folded if they are more than `folded` or
/// nothing is to be seen.
pub(super) fn family(family: &Family<'_>, palette: &Palette, folded: usize) -> Markup {
    let name = clean::shorten(family.name, NAME);
    let title = format!("{name} ({})", family.testbed);
    let rows = || family.tables.iter().flat_map(|table| &table.rows);
    let count = rows().count();
    let stirs = rows().any(|metric| Standing::of(metric) < Standing::Still);
    let left_out = family.left_out();
    let table = html! { table.metrics {
        caption {
            "Series of " (name) " by workload"
            @if let Some(mark) = prose::watermark(family.testbed) { "; " strong { (mark) } }
        }
        thead { tr {
            th.arm scope="col" { "strategy" }
            @for name in HEAD { th.num scope="col" { (name) } }
            th scope="col" { "verdict" }
        } }
        @for table in &family.tables { tbody {
            tr.group { th scope="rowgroup" colspan=(HEAD.len() + 2) { (clean::shorten(&table.title(), 2 * NAME)) } }
            @for metric in &table.rows { tr {
                th.arm scope="row" { (page::arm(&metric.cell, palette)) }
                @for shown in medians(metric, table.scale) { td.num { (shown) } }
                (figures(metric))
                (verdict(metric))
            } }
        } }
    } };
    html! {
        h3 { (title) }
        @if let Some(left_out) = &left_out { p.soft { (left_out) } }
        @if count > 0 { details open[stirs && count <= folded] {
            summary { "Series: " (count) " rows" }
            (page::wide(&title, &table))
        } }
    }
}

/// Delta, interval and least detectable change.
fn figures(metric: &Metric) -> Markup {
    let change = delta(metric);
    html! {
        td.num { @match direction(metric) {
            Some(Ordering::Greater) => span.more { (change) " " span role="img" aria-label="dearer" { "▲" } },
            Some(Ordering::Less) => span.less { (change) " " span role="img" aria-label="cheaper" { "▼" } },
            _ => (change),
        } }
        td.num { (interval(metric)) }
        td.num { (detects(metric)) }
    }
}

fn verdict(metric: &Metric) -> Markup {
    let bad = matches!(
        Standing::of(metric),
        Standing::Regression | Standing::ControlMoved
    );
    let other = matches!(sign(metric), "?" | "≠");
    html! { td.verdict {
        @if bad { strong.more { (word(metric)) } } @else { (word(metric)) }
        @if other { " " (sign(metric)) }
        @for why in reasons(metric) { span.between { (why) } }
    } }
}
