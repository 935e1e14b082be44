// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every workload against every strategy in one table, and a sentence a strategy.

use super::budget::Budget;
use crate::{
    digest::{self, Bed},
    figure::Palette,
    number::{self, Mark},
    prose, terminal,
};
use maud::{Markup, html};
use results::{
    BASELINE, Cell,
    compare::{Arm, NoRatio, Table},
    stats::{Precision, Ratio},
};

/// The comparison of one testbed.
pub(super) fn overview(bed: &Bed<'_>, palette: &Palette, budget: &mut Budget) -> Markup {
    let defaults = bed.defaults();
    let title = format!("{}: {}", bed.testbed, prose::about(bed.testbed));
    let caption = format!("Ratio to {BASELINE} by workload");
    html! {
        section {
            h2 { "Every workload on " (title) }
            p.soft {
                "Column " (BASELINE) ": median over blocks. Other columns: " (prose::columns(bed)) ". "
                span.more { "▲ costs more" } ", " span.less { "▼ costs less" }
                ": " (prose::MARKED) "."
            }
            (held(&title, matrix(bed, &defaults, palette, &caption), budget))
            (tallies(bed, &defaults))
            @for arms in bed.modes() {
                @let name = arms.first().map_or("", |cell| &cell.strategy);
                @let title = format!("Modes of {name}");
                h3 { (title) }
                (held(&format!("{title} ({})", bed.testbed), matrix(bed, &arms, palette, &caption), budget))
                @let moded: Vec<_> = arms.into_iter().filter(|c| !c.mode.is_empty()).collect();
                (tallies(bed, &moded))
            }
        }
    }
}

fn held(title: &str, matrix: Markup, budget: &mut Budget) -> Markup {
    let body = budget.wide(title, &matrix);
    let piece = budget.table(title, body);
    budget.place(vec![piece])
}

/// Every group in which one of `arms` is, against `arms`.
fn matrix(bed: &Bed<'_>, arms: &[&Cell], palette: &Palette, caption: &str) -> Markup {
    html! { table.overview {
        caption {
            @if let Some(mark) = prose::watermark(bed.testbed) { strong { (mark) ". " } }
            (caption)
        }
        thead { tr {
            th scope="col" { "workload" }
            @for arm in arms { th.num scope="col" { (super::arm(arm, palette)) } }
        } }
        tbody { @for group in bed.tables() {
            @let found: Vec<_> = arms.iter().map(|a| digest::arm(group, a)).collect();
            @if found.iter().any(Option::is_some) { tr {
                th scope="row" { (group.group.to_string()) }
                @for arm in found { (cell(group, arm)) }
            } }
        } }
    } }
}

fn tallies(bed: &Bed<'_>, arms: &[&Cell]) -> Markup {
    let tallies = bed.tallies(arms);
    html! { @if !tallies.is_empty() { ul { @for tally in &tallies {
        li { strong { (tally.arm) } ": " (prose::tally(tally)) }
    } } } }
}

/// An arm's ratio, median or hole.
pub(super) fn cell(table: &Table<'_>, arm: Option<&Arm<'_>>) -> Markup {
    let Some(arm) = arm else {
        return html! { td.num {} };
    };
    html! { td.num { @match (&arm.figures, &arm.ratio) {
        (Err(hole), _) => span.hole { (terminal::short(hole)) },
        (Ok(_), Ok(r)) => {
            @let [value, precision] = ratio(r);
            span.value { (value) }
            span.between {
                @if let Some(insn) = digest::difference(table, arm) { (number::difference(insn)) ", " }
                (precision)
            }
        },
        (Ok(f), Err(why)) => {
            span.value { (digest::scale(table).with_unit(f.median)) }
            @if *why != NoRatio::IsBaseline { span.between { "no ratio" } }
        },
    } } }
}

/// A ratio with its mark, coloured by its mark alone, and how well it is known.
pub(super) fn ratio(ratio: &Ratio) -> [Markup; 2] {
    let mark = Mark::of(ratio);
    let [value, precision] = number::ratio(ratio);
    let marked = |class: &str, label: &str| {
        html! { span class=(class) { (value) " " span role="img" aria-label=(label) { (mark.sign()) } } }
    };
    let value = match mark {
        Mark::More => marked("more", "costs more"),
        Mark::Less => marked("less", "costs less"),
        Mark::Open => html! { (value) },
    };
    let precision = match ratio.precision {
        Precision::NotDeterministic => html! { strong.more { (precision) } },
        _ => html! { (precision) },
    };
    [value, precision]
}
