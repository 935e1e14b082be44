// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Figures, as SVG drawn by plotters, each with its data as csv. A table gets
//! percentile curves, an ECDF, a histogram or stacked phases, as its workload's view
//! asks and its samples can carry: too few samples, or samples that are all the same,
//! give no figure rather than a poor one. A workload gets its cost against whatever
//! number was varied, a family its ratios, a chase its curves.
//!
//! All that is curves is a [`plot::Plot`] first.
//!
//! Plotters loops for ever on an infinite axis, so every axis is an [`axis::Axis`],
//! which is finite and not empty by construction and counts its own ticks.

mod axis;
mod canvas;
mod data;
mod draw;
mod ecdf;
mod forest;
mod histogram;
mod names;
mod palette;
mod percentile;
mod phases;
pub(crate) mod plot;
mod sweep;

pub(crate) use axis::Axis;
pub(crate) use names::Names;
pub(crate) use palette::Palette;

use crate::{
    Error, clean,
    digest::{self, Bed, Digest, Family, Workload},
    number::Scale,
    prose,
    tlb::chase::{self, Chase},
};
use plot::{Curve, Dimension, Form, Plot};
use results::{
    Cell, Run,
    compare::{Table, pooled},
    run::View,
    stats::Sorted,
};

/// A figure of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// A file name without suffix, unique in the run: lower-case letters,
    /// digits, `-` and `_`.
    pub name: String,
    /// One line: what it shows, of which group.
    pub title: String,
    /// In a few sentences: how to read it.
    pub caption: String,
    /// A complete SVG document with a light background.
    pub svg: String,
    /// The data that it shows: a line a point below the names of the columns with their
    /// units, which are base units.
    pub csv: String,
    /// Where it belongs.
    pub worth: Worth,
}

/// Where a figure belongs in a page that cannot hold them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// It sums up a family, a workload or a chase.
    Main,
    /// It describes the samples of one table, or the modes of one strategy.
    Detail,
    /// It shows in another way what a detail shows: a file is enough.
    File,
}

/// A figure, or why plotters refused it.
type Made = Result<Figure, Error>;

/// Every figure of `run`, in the order of the report.
///
/// # Errors
/// [`Error::Draw`] if plotters refuses one.
pub fn figures(run: &Run) -> Result<Vec<Figure>, Error> {
    let digest = Digest::of(run);
    let palette = Palette::of(run);
    let mut names = Names::default();
    let mut figures = Vec::new();
    for bed in &digest.beds {
        let mut made: Vec<Made> = of_bed(bed, &palette).into_iter().collect();
        for family in &bed.families {
            made.extend(of_family(bed, family, &palette));
            for workload in &family.workloads {
                made.extend(of_workload(bed, workload, &palette));
                for table in &workload.tables {
                    made.extend(of_table(bed, workload, table, &palette));
                }
            }
        }
        for chase in chase::of(bed) {
            made.extend(of_chase(bed, &chase, &palette));
        }
        for figure in made {
            let mut figure = figure?;
            figure.name = names.claim(&figure.name);
            figures.push(figure);
        }
    }
    Ok(figures)
}

/// The cost of `workload` against the numbers of `parameter`, for `arms`: a strategy's
/// name for it with its defaults, `NAME/*` for all its modes. `workload` may be narrowed:
/// `ID?NAME=VALUE`. Of the first testbed where that is one sweep of two numbers at least;
/// `None` if it is not.
///
/// # Errors
/// [`Error::Draw`] if plotters refuses it.
pub fn cost(
    run: &Run,
    workload: &str,
    parameter: &str,
    arms: &[&str],
) -> Result<Option<Figure>, Error> {
    let digest = Digest::of(run);
    let palette = Palette::of(run);
    let wanted = |cell: &Cell| {
        arms.iter().any(|arm| match arm.strip_suffix("/*") {
            Some(strategy) => cell.strategy == strategy,
            None => cell.strategy == *arm && cell.mode.is_empty(),
        })
    };
    let figure = digest.beds.iter().find_map(|bed| {
        let mut arms = bed.arms.clone();
        arms.retain(|cell| wanted(cell));
        let plot = sweep::one(&bed.select(workload), parameter, &arms)?;
        Some(drawn(bed, &plot, &palette))
    });
    figure.transpose()
}

/// The figures of a chase.
pub(crate) fn of_chase(bed: &Bed<'_>, chase: &Chase<'_>, palette: &Palette) -> Vec<Made> {
    let plots = chase.plots();
    plots.iter().map(|plot| drawn(bed, plot, palette)).collect()
}

/// The ratios of a testbed, if they have room in one figure.
pub(crate) fn of_bed(bed: &Bed<'_>, palette: &Palette) -> Option<Made> {
    let fits = forest::fits(bed);
    fits.then(|| ratios(bed, &bed.families, "all workloads", palette))?
}

/// The ratios of a family, if those of its testbed have no room in one figure.
pub(crate) fn of_family(bed: &Bed<'_>, family: &Family<'_>, palette: &Palette) -> Option<Made> {
    let family = std::slice::from_ref(family);
    let apart = !forest::fits(bed);
    apart.then(|| ratios(bed, family, &family[0].name, palette))?
}

fn ratios(
    bed: &Bed<'_>,
    families: &[Family<'_>],
    subject: &str,
    palette: &Palette,
) -> Option<Made> {
    let mark = prose::watermark(bed.testbed);
    let title = format!("{} of {subject}", forest::KIND);
    let (caption, drawn) = forest::draw(bed, families, palette, mark, &title)?;
    let name = file_name(bed, subject, forest::KIND);
    Some(finished(drawn, name, &title, caption, Worth::Main))
}

/// What a workload costs against the numbers that were varied.
pub(crate) fn of_workload(bed: &Bed<'_>, workload: &Workload<'_>, palette: &Palette) -> Vec<Made> {
    let plots = sweep::of(bed, workload);
    plots.iter().map(|plot| drawn(bed, plot, palette)).collect()
}

/// The figures of one table; none where its samples do not carry any.
pub(crate) fn of_table(
    bed: &Bed<'_>,
    workload: &Workload<'_>,
    table: &Table<'_>,
    palette: &Palette,
) -> Vec<Made> {
    let subject = Subject {
        table,
        scale: digest::scale(table),
    };
    let view = workload.info.map_or(View::Latency, |info| info.view);
    if view == View::Phases {
        let order = workload.info.map_or(&[][..], |info| &info.phases);
        let title = format!("{} of {}", phases::KIND, table.group);
        let mark = prose::watermark(bed.testbed);
        let name = file_name(bed, &table.group.to_string(), phases::KIND);
        let drawn = phases::draw(&subject, order, mark, &title);
        return drawn
            .map(|drawn| finished(drawn, name, &title, phases::CAPTION.into(), Worth::Main))
            .into_iter()
            .collect();
    }
    let samples = samples(table);
    let plots = [
        percentile::plot(&subject, &samples),
        ecdf::plot(&subject, &samples),
        (view == View::Histogram)
            .then(|| histogram::plot(&subject, &samples))
            .flatten(),
    ];
    let plots = plots.iter().flatten();
    plots.map(|plot| drawn(bed, plot, palette)).collect()
}

/// What a drawing needs to know of its table.
struct Subject<'t, 'a> {
    table: &'t Table<'a>,
    scale: Scale,
}

impl Subject<'_, '_> {
    /// The dimension of the table's samples, laid out along `axis`.
    fn latency(&self, axis: Axis) -> Dimension {
        let unit = self.table.unit.map_or("", |unit| unit.symbol());
        Dimension::new(self.table.detail, unit, axis).scaled(self.scale)
    }

    /// A figure of all arms.
    fn plot<'c>(
        &self,
        kind: &str,
        caption: &str,
        x: Dimension,
        y: Dimension,
        (form, worth): (Form, Worth),
        curves: Vec<Curve<'c>>,
    ) -> Plot<'c> {
        Plot {
            kind: kind.into(),
            subject: self.table.group.to_string(),
            arms: None,
            caption: caption.into(),
            x,
            y,
            form,
            worth,
            curves,
        }
    }
}

/// An arm and its samples.
type Pooled<'a> = (&'a Cell, Sorted);

/// The pooled samples of every arm that has figures; of none if in each arm all are the
/// same, as exact counts often are.
fn samples<'a>(table: &Table<'a>) -> Vec<Pooled<'a>> {
    let arms = table.arms.iter().filter(|arm| arm.figures.is_ok());
    let arms: Vec<Pooled<'a>> = arms
        .map(|arm| (arm.cell, pooled(&arm.rows, table.detail)))
        .collect();
    match arms.iter().any(|(_, s)| s.quantile(0.0) != s.quantile(1.0)) {
        true => arms,
        false => Vec::new(),
    }
}

/// Both forms of a figure.
struct Drawn {
    svg: String,
    csv: String,
}

fn drawn(bed: &Bed<'_>, plot: &Plot<'_>, palette: &Palette) -> Made {
    let of = |between: &str| match &plot.arms {
        None => String::new(),
        Some(arms) => format!("{between}{arms}"),
    };
    let title = format!("{} of {}{}", plot.kind, plot.subject, of(": "));
    let name = file_name(bed, &plot.subject, &format!("{}{}", plot.kind, of("-")));
    let svg = draw::svg(plot, palette, prose::watermark(bed.testbed), &title);
    let drawn = svg.and_then(|svg| {
        let csv = plot.csv()?;
        Ok(Drawn { svg, csv })
    });
    finished(drawn, name, &title, plot.caption.clone(), plot.worth)
}

/// A figure of what was drawn.
fn finished(
    drawn: Result<Drawn, String>,
    name: String,
    title: &str,
    caption: String,
    worth: Worth,
) -> Made {
    match drawn {
        Ok(Drawn { svg, csv }) => Ok(Figure {
            title: clean::shorten(title, 200),
            caption,
            svg: clean::document(svg),
            csv: clean::document(csv),
            worth,
            name,
        }),
        Err(reason) => Err(Error::Draw {
            figure: name,
            reason,
        }),
    }
}

/// The name of a figure of `kind`.
fn file_name(bed: &Bed<'_>, subject: &str, kind: &str) -> String {
    plain(&format!(
        "{}-{}-{}",
        bed.testbed,
        clean::shorten(subject, 140),
        clean::shorten(kind, 70)
    ))
}

/// Lower-case letters, digits, `-` and `_` from `text`. What comes from a record never
/// becomes a path.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '_') => out.push(c),
            _ if out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_paths() {
        fn check(text: &str, expected: &str) {
            assert_eq!(plain(text), expected);
        }
        check(
            "host-mmio/user-read cpus=1-phases",
            "host-mmio-user-read-cpus-1-phases",
        );
        check("../../etc/Passwd", "-etc-passwd");
        check("<script>", "-script-");
    }
}
