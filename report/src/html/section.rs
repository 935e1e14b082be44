// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One section a family: what each workload measures, its figures, its tables.

use super::{anchor, arm as arm_name, evidence, overview, wide};
use crate::{
    Error,
    digest::{self, Bed, Family, Workload},
    figure::{Figure, Palette, Worth, of_bed, of_chase, of_family, of_table, of_workload},
    grid::Grid,
    number, prose, tlb,
};
use maud::{Markup, PreEscaped, html};
use results::{
    Unit,
    compare::{Arm, NoRatio, Table, pooled},
    run::View,
    stats::{NotEnough, Tail},
};

/// The ratios of `bed` in one figure, if they have room in one.
pub(super) fn ratios(bed: &Bed<'_>, palette: &Palette, budget: &mut usize) -> Markup {
    html! { @if let Some(figure) = of_bed(bed, palette) { (drawn(figure, budget)) } }
}

/// The section of `family`. Figures are taken from `budget`, in bytes.
pub(super) fn family(
    bed: &Bed<'_>,
    family: &Family<'_>,
    palette: &Palette,
    budget: &mut usize,
) -> Markup {
    html! {
        section {
            h2 id=(anchor(bed, &family.name)) { (family.name) " (" (bed.testbed) ")" }
            @if let Some(figure) = of_family(bed, family, palette) { (drawn(figure, budget)) }
            @for workload in &family.workloads {
                h3 { (workload.id) }
                @if let Some(info) = workload.info {
                    p { (info.summary) }
                    (paragraphs(&info.analysis))
                }
                @for figure in of_workload(bed, workload, palette) { (drawn(figure, budget)) }
                @for table in &workload.tables {
                    (figures_table(bed, workload, table, palette))
                    (figures(bed, workload, table, palette, budget))
                }
                (evidence::bouncing(bed, workload, palette))
            }
            (evidence::backends(family))
            (evidence::counters(family))
        }
    }
}

/// The section on translation, if there is anything to say.
pub(super) fn translation(
    bed: &Bed<'_>,
    grids: &[Grid],
    palette: &Palette,
    budget: &mut usize,
) -> Markup {
    html! { @if !grids.is_empty() { section {
        h2 id=(translation_anchor(bed)) { (tlb::TITLE) " (" (bed.testbed) ")" }
        @for chase in tlb::chase::of(bed) {
            @for figure in of_chase(bed, &chase, palette) { (drawn(figure, budget)) }
        }
        @for grid in grids {
            h3 { (grid.title) }
            p.soft { (grid.about) }
            (wide(&grid.title, &evidence::grid(grid)))
        }
    } } }
}

/// Where it is.
pub(super) fn translation_anchor(bed: &Bed<'_>) -> String {
    format!("{}-translation", bed.testbed)
}

/// Prose with a paragraph at each empty line and `code` between backticks.
fn paragraphs(text: &str) -> Markup {
    let paragraphs = text.split("\n\n").filter(|p| !p.trim().is_empty());
    html! { @for paragraph in paragraphs { p {
        @for (i, part) in paragraph.split('`').enumerate() {
            @if i % 2 == 1 { code { (part) } } @else { (part) }
        }
    } } }
}

fn figures_table(
    bed: &Bed<'_>,
    workload: &Workload<'_>,
    table: &Table<'_>,
    palette: &Palette,
) -> Markup {
    let scale = digest::scale(table);
    let tails = workload.info.is_none_or(|info| info.view != View::Phases);
    let title = table.group.to_string();
    let counted = table.unit == Some(Unit::Insn);
    let head: &[&str] = match counted {
        true => &[
            "n",
            "median",
            "min",
            "max",
            "ratio to memfd",
            "precision",
            "+/- insn",
        ],
        false => &[
            "n",
            "median",
            "min",
            "max",
            "ratio to memfd",
            "95 % interval",
        ],
    };
    let body = html! {
        table.figures {
            caption {
                strong { (title) } ": " (table.series) " in " (scale.symbol)
                @if tails && table.detail != table.series { "; samples and tails of " (table.detail) }
                @if let Some(mark) = prose::watermark(bed.testbed) { "; " strong { (mark) } }
            }
            thead { tr {
                th scope="col" { "strategy" }
                @for name in head { th.num scope="col" { (name) } }
                @if tails {
                    th.num scope="col" { "samples" }
                    @for tail in Tail::ALL { th.num scope="col" { (tail.name()) } }
                }
            } }
            tbody { @for arm in &table.arms { tr {
                th scope="row" { (arm_name(arm.cell, palette)) }
                (row(table, arm, tails))
            } } }
        }
    };
    html! { (wide(&title, &body)) }
}

fn row(table: &Table<'_>, arm: &Arm<'_>, tails: bool) -> Markup {
    let scale = digest::scale(table);
    let counted = table.unit == Some(Unit::Insn);
    let figures = match &arm.figures {
        Ok(figures) => figures,
        Err(hole) => {
            let columns = 6 + usize::from(counted) + if tails { 1 + Tail::ALL.len() } else { 0 };
            return html! { td.hole.why colspan=(columns) { (hole.to_string()) } };
        }
    };
    html! {
        td.num { (figures.blocks.len()) @if let Some(lost) = &arm.lost { " of " (lost.of) } }
        @for value in [figures.median, figures.min, figures.max] { td.num { (scale.show(value)) } }
        @match &arm.ratio {
            Ok(ratio) => {
                @let [value, interval] = overview::ratio(ratio);
                td.num { (value) }
                td.num { (interval) }
            },
            Err(NoRatio::IsBaseline) => { td.num { "baseline" } td.num {} },
            Err(why) => { td.num { "none" } td.hole { (why.to_string()) } },
        }
        @if counted {
            td.num { (digest::difference(table, arm).map_or_else(String::new, number::difference)) }
        }
        @if tails {
            @let samples = pooled(&arm.rows, table.detail);
            td.num { (number::grouped(&samples.len().to_string())) }
            @for tail in Tail::ALL {
                @match tail.of(&samples) {
                    Ok(value) => td.num { (scale.show(value)) },
                    Err(NotEnough { need, .. }) => {
                        td.num.hole { "needs " (number::grouped(&need.to_string())) }
                    },
                }
            }
        }
    }
}

fn figures(
    bed: &Bed<'_>,
    workload: &Workload<'_>,
    table: &Table<'_>,
    palette: &Palette,
    budget: &mut usize,
) -> Markup {
    html! { @for figure in of_table(bed, workload, table, palette) { (drawn(figure, budget)) } }
}

/// A figure, or why it is not here.
fn drawn(figure: Result<Figure, Error>, budget: &mut usize) -> Markup {
    html! { @match figure {
            Err(error) => p.hole { (error.to_string()) },
            Ok(figure) if figure.worth == Worth::File => {},
            Ok(figure) => @match budget.checked_sub(figure.svg.len()) {
                None => p.hole { (figure.title) ": left out to keep this page below 2 MB; see the file " (figure.name) ".svg" },
                Some(left) => {
                    @let () = *budget = left;
                    figure {
                        (wide(&figure.title, &html! { (PreEscaped(&figure.svg)) }))
                        figcaption { (figure.title) ". " (figure.caption) }
                    }
                },
            },
    } }
}
