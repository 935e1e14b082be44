// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The first screen: every workload against every strategy in one table, and a
//! sentence a strategy.

use super::{strategy, wide};
use crate::{
    digest::{self, Bed},
    figure::Palette,
    number::{self, Mark},
    prose, terminal,
};
use maud::{Markup, html};
use results::{
    BASELINE,
    compare::{Arm, NoRatio, Table},
    stats::Ratio,
};

/// The comparison of one testbed.
pub(super) fn overview(bed: &Bed<'_>, palette: &Palette) -> Markup {
    let strategies = bed.strategies();
    let title = format!("{}: {}", bed.testbed, prose::about(bed.testbed));
    let table = html! {
        table.overview {
            caption {
                @if let Some(mark) = prose::watermark(bed.testbed) { strong { (mark) ". " } }
                "Ratio to " (BASELINE) " by workload"
            }
            thead { tr {
                th scope="col" { "workload" }
                @for name in &strategies { th.num scope="col" { (strategy(name, palette)) } }
            } }
            tbody { @for group in bed.tables() { tr {
                th scope="row" { (group.group.to_string()) }
                @for name in &strategies { (cell(group, digest::arm(group, name))) }
            } } }
        }
    };
    html! {
        section {
            h2 { (title) }
            p.soft {
                "Column " (BASELINE) ": median over blocks. Other columns: " (prose::RATIO) ". "
                span.more { "▲ costs more" } ", " span.less { "▼ costs less" }
                ": the interval excludes 1."
            }
            (wide(&title, &table))
            ul { @for tally in bed.tallies() {
                li { strong { (tally.strategy) } ": " (prose::tally(&tally)) }
            } }
        }
    }
}

fn cell(table: &Table<'_>, arm: Option<&Arm<'_>>) -> Markup {
    let Some(arm) = arm else {
        return html! { td.num {} };
    };
    html! { td.num { @match (&arm.figures, &arm.ratio) {
        (Err(hole), _) => span.hole { (terminal::short(hole)) },
        (Ok(_), Ok(r)) => {
            @let [value, interval] = ratio(r);
            span.value { (value) }
            span.between { (interval) }
        },
        (Ok(f), Err(why)) => {
            span.value { (digest::scale(table).with_unit(f.median)) }
            @if *why != NoRatio::IsBaseline { span.between { "no ratio" } }
        },
    } } }
}

/// A ratio with its mark, coloured by its interval alone, and the interval.
pub(super) fn ratio(ratio: &Ratio) -> [Markup; 2] {
    let mark = Mark::of(ratio);
    let [value, interval] = number::ratio(ratio);
    let marked = |class: &str, label: &str| {
        html! { span class=(class) { (value) " " span role="img" aria-label=(label) { (mark.sign()) } } }
    };
    let value = match mark {
        Mark::More => marked("more", "costs more"),
        Mark::Less => marked("less", "costs less"),
        Mark::Open => html! { (value) },
    };
    [value, html! { (interval) }]
}
