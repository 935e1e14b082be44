// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One section a family: what each workload measures, its tables, its figures. A
//! workload with many tables has each folded behind a line of its main figures, so
//! that the line is read first and the table where it is of interest.

use super::{
    anchor,
    budget::{Budget, Piece},
    evidence, table,
};
use crate::{
    digest::{Bed, Family, Workload},
    figure::{Palette, of_bed, of_chase, of_family, of_table, of_workload},
    grid::Grid,
    tlb,
};
use maud::{Markup, html};
use results::compare::Table;

/// A workload with more tables than this has them folded.
const UNFOLDED: usize = 3;

/// The ratios of `bed` in one figure, if they have room in one.
pub(super) fn ratios(bed: &Bed<'_>, palette: &Palette, budget: &mut Budget) -> Markup {
    let figure = of_bed(bed, palette).into_iter();
    let figure = figure.filter_map(|f| budget.figure(f, bed.testbed.name()));
    let figure = figure.collect();
    budget.place(figure)
}

/// The section of `family`.
pub(super) fn family(
    bed: &Bed<'_>,
    family: &Family<'_>,
    palette: &Palette,
    budget: &mut Budget,
) -> Markup {
    let figure = of_family(bed, family, palette).into_iter();
    let figure = figure.filter_map(|f| budget.figure(f, bed.testbed.name()));
    let figure = figure.collect();
    html! {
        section {
            h2 id=(anchor(bed, &family.name)) { (family.name) " (" (bed.testbed) ")" }
            (budget.place(figure))
            @for workload in &family.workloads {
                h3 { (workload.id) }
                @if let Some(info) = workload.info {
                    p { (info.summary) }
                    (paragraphs(&info.analysis))
                }
                (tables(bed, workload, palette, budget))
                (evidence::bouncing(bed, workload, palette, budget))
            }
            (evidence::backends(bed, family, budget))
            (evidence::counters(bed, family, budget))
        }
    }
}

/// The section on translation, if there is anything to say.
pub(super) fn translation(
    bed: &Bed<'_>,
    grids: &[Grid],
    palette: &Palette,
    budget: &mut Budget,
) -> Markup {
    let testbed = bed.testbed;
    let chases = tlb::chase::of(bed);
    let figures = chases.iter().flat_map(|c| of_chase(bed, c, palette));
    let figures = figures.filter_map(|figure| budget.figure(figure, testbed.name()));
    let figures = figures.collect();
    html! { @if !grids.is_empty() { section {
        h2 id=(translation_anchor(bed)) { (tlb::TITLE) " (" (testbed) ")" }
        (budget.place(figures))
        @for grid in grids {
            h3 { (grid.title) }
            @if !grid.about.is_empty() { p.soft { (grid.about) } }
            @let piece = evidence::piece(grid, &format!("{} ({testbed})", grid.title), budget);
            (budget.place(vec![piece]))
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

/// The tables of a workload and its figures.
fn tables(
    bed: &Bed<'_>,
    workload: &Workload<'_>,
    palette: &Palette,
    budget: &mut Budget,
) -> Markup {
    let folds = workload.tables.len() > UNFOLDED;
    let testbed = bed.testbed.name();
    let mut pieces: Vec<Piece> = of_workload(bed, workload, palette)
        .into_iter()
        .filter_map(|figure| budget.figure(figure, testbed))
        .collect();
    let mut figures = Vec::new();
    for table in &workload.tables {
        pieces.push(piece(bed, workload, table, palette, folds, budget));
        for figure in of_table(bed, workload, table, palette) {
            let Some(figure) = budget.figure(figure, testbed) else {
                continue;
            };
            // A few tables have their figures beside them, many have them apart.
            match folds {
                true => figures.push(figure),
                false => pieces.push(figure),
            }
        }
    }
    html! { (budget.place(pieces)) (budget.fold(&workload.id, figures)) }
}

fn piece(
    bed: &Bed<'_>,
    workload: &Workload<'_>,
    table: &Table<'_>,
    palette: &Palette,
    folds: bool,
    budget: &mut Budget,
) -> Piece {
    let name = format!("{} ({})", table.group, bed.testbed);
    let body = budget.wide(&name, &table::compact(workload, table, palette));
    let body = html! { @if folds {
        details {
            summary {
                strong { (table::setting(workload, &table.group)) } ": " (table::main_figures(table))
            }
            (body)
        }
    } @else { (body) } };
    budget.table(&name, body)
}
