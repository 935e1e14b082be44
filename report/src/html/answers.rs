// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The first screen: one workload a family against every strategy. Then what reviewers
//! ask, each question folded, with whether it has an answer in its line.

use super::{arm, budget::Budget, evidence, overview};
use crate::{
    answer::{Answer, Part, SILENT, glance, glance::Glance},
    digest::{Bed, Digest},
    figure::Palette,
    prose,
};
use maud::{Markup, html};

/// The first tables of a testbed.
pub(super) fn glances(
    digest: &Digest<'_>,
    bed: &Bed<'_>,
    palette: &Palette,
    budget: &mut Budget,
) -> Markup {
    html! { section {
        h2 { "At a glance: " (bed.testbed) ", " (prose::about(bed.testbed)) }
        p.soft {
            (glance::about(bed)) " "
            span.more { "▲ costs more" } ", " span.less { "▼ costs less" } ": " (prose::MARKED) "."
        }
        @for glance in glance::of(digest, bed) { (at_a_glance(bed, &glance, palette, budget)) }
    } }
}

fn at_a_glance(
    bed: &Bed<'_>,
    glance: &Glance<'_, '_>,
    palette: &Palette,
    budget: &mut Budget,
) -> Markup {
    let table = html! { table.overview {
        caption {
            strong { (glance.title) }
            @if let Some(mark) = prose::watermark(bed.testbed) { ": " (mark) }
        }
        thead { tr {
            th scope="col" { "strategy" }
            @for column in &glance.columns { th.num scope="col" { (column.name) } }
        } }
        tbody { @for cell in &glance.arms { tr {
            th scope="row" { (arm(cell, palette)) }
            @for column in &glance.columns { @match (&column.table, column.arm(cell)) {
                (Err(why), _) => td.num { span.hole { (why) } },
                (Ok(table), arm) => (overview::cell(table, arm.map(|(_, arm)| arm))),
            } }
        } } }
    } };
    html! {
        (budget.wide(&format!("At a glance: {}", glance.title), &table))
        ul.notes { @for note in &glance.notes { li { (note) } } }
    }
}

/// Every question with what the testbeds say; those to which none says anything in one
/// fold at the end.
pub(super) fn answers(answers: &[Answer], budget: &mut Budget) -> Markup {
    let silent: Vec<&Answer> = answers.iter().filter(|answer| !answer.says()).collect();
    html! { @if !answers.is_empty() { section {
        h2 id="questions" { "Questions and answers" }
        @for answer in answers.iter().filter(|answer| answer.says()) { details {
            summary {
                (answer.question.asks)
                @if answer.open() { " " span.hole { "not answered" } }
            }
            @for part in &answer.parts { (said(part, budget)) }
        } }
        @if !silent.is_empty() { details {
            summary { (SILENT) " (" (silent.len()) ")" }
            ul { @for answer in silent { li {
                (answer.question.asks)
                @for why in answer.reasons() { " " span.hole { (why) } }
            } } }
        } }
    } } }
}

fn said(part: &Part, budget: &mut Budget) -> Markup {
    html! {
        @if let Some(why) = &part.not { p.hole { (part.testbed) ": " (why) "." } }
        @if !part.said.is_empty() {
            ul { @for said in &part.said { li { (part.testbed) ": " (said) } } }
        }
        @for grid in &part.grids { (evidence::captioned(grid, budget)) }
    }
}
