// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Figures, as SVG: percentile curves, histograms and stacked phases, drawn by
//! plotters. A table gets the figures that its workload's view asks for and its
//! samples can carry; too few samples give no figure rather than a poor one.
//!
//! Plotters loops for ever on an infinite axis, so every axis is an [`axis::Axis`],
//! which is finite and not empty by construction and counts its own ticks.

mod axis;
mod canvas;
mod curve;
mod histogram;
mod palette;
mod percentile;
mod phases;

pub(crate) use palette::Palette;

use crate::{
    Error, clean,
    digest::{self, Bed, Digest, Workload},
    number::Scale,
    prose,
    tlb::chase::{self, Chase},
};
use results::{
    Run,
    compare::{Arm, Table, pooled},
    run::View,
    stats::Sorted,
};
use std::collections::BTreeSet;

/// A figure of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// A file name without suffix, unique in the run: lower-case letters,
    /// digits, `-` and `_`.
    pub name: String,
    /// One line: what it shows, of which group.
    pub title: String,
    /// One sentence: how to read it.
    pub caption: &'static str,
    /// A complete SVG document with a light background.
    pub svg: String,
}

/// Every figure of `run`, in the order of the report.
///
/// # Errors
/// [`Error::Draw`] if plotters refuses one.
pub fn figures(run: &Run) -> Result<Vec<Figure>, Error> {
    let digest = Digest::of(run);
    let palette = Palette::of(run);
    let mut names = BTreeSet::new();
    let mut figures = Vec::new();
    for bed in &digest.beds {
        let workloads = bed.families.iter().flat_map(|f| &f.workloads);
        let tables = workloads.flat_map(|w| w.tables.iter().map(move |table| (w, table)));
        let of_tables = tables.flat_map(|(w, table)| of_table(bed, w, table, &palette));
        let of_chases = chase::of(bed)
            .into_iter()
            .flat_map(|c| of_chase(bed, &c, &palette));
        for figure in of_tables.chain(of_chases) {
            let mut figure = figure?;
            let plain = figure.name.clone();
            let mut n = 1;
            while !names.insert(figure.name.clone()) {
                n += 1;
                figure.name = format!("{plain}-{n}");
            }
            figures.push(figure);
        }
    }
    Ok(figures)
}

/// The figures of a chase.
pub(crate) fn of_chase(
    bed: &Bed<'_>,
    chase: &Chase<'_>,
    palette: &Palette,
) -> Vec<Result<Figure, Error>> {
    let watermark = prose::watermark(bed.testbed);
    let drawings = chase.drawings();
    let drawn = drawings.iter().filter_map(|drawing| {
        let title = format!("{} of {}", drawing.title, chase.group);
        let name = format!("{}-{}-{}", bed.testbed, chase.group, drawing.title);
        let drawn = curve::draw(drawing, palette, watermark, &title)?;
        Some(finished(drawn, &name, &title, drawing.caption))
    });
    drawn.collect()
}

/// A figure of what was drawn.
fn finished(drawn: Drawn, name: &str, title: &str, caption: &'static str) -> Result<Figure, Error> {
    let name = file_name(name);
    match drawn {
        Ok(svg) => Ok(Figure {
            title: clean::shorten(title, 200),
            caption,
            svg: clean::document(svg),
            name,
        }),
        Err(reason) => Err(Error::Draw {
            figure: name,
            reason,
        }),
    }
}

/// What a drawing needs to know of its table.
struct Subject<'t, 'a> {
    table: &'t Table<'a>,
    palette: &'t Palette,
    scale: Scale,
    /// Said in the figure itself, so that it stays true when it is cut out.
    watermark: Option<&'static str>,
}

type Drawn = Result<String, String>;

/// The figures of one table; none where its samples do not carry any.
pub(crate) fn of_table(
    bed: &Bed<'_>,
    workload: &Workload<'_>,
    table: &Table<'_>,
    palette: &Palette,
) -> Vec<Result<Figure, Error>> {
    let subject = Subject {
        table,
        palette,
        scale: digest::scale(table),
        watermark: prose::watermark(bed.testbed),
    };
    let view = workload.info.map_or(View::Latency, |info| info.view);
    let of = |kind: &str| format!("{kind} of {}", table.group);
    let drawn: Vec<(&Kind, Option<Drawn>)> = match view {
        View::Phases => {
            let order = workload.info.map_or(&[][..], |info| &info.phases);
            vec![(&PHASES, phases::draw(&subject, order, &of(PHASES.title)))]
        }
        View::Latency | View::Histogram => {
            let samples = curves(table);
            let curves = percentile::draw(&subject, &samples, &of(PERCENTILES.title));
            let bins = (view == View::Histogram)
                .then(|| histogram::draw(&subject, &samples, &of(HISTOGRAM.title)));
            vec![(&PERCENTILES, curves), (&HISTOGRAM, bins.flatten())]
        }
    };
    let drawn = drawn.into_iter().filter_map(|(kind, svg)| {
        let name = format!("{}-{}-{}", bed.testbed, table.group, kind.title);
        Some(finished(svg?, &name, &of(kind.title), kind.caption))
    });
    drawn.collect()
}

/// A kind of figure and the words that go with it.
struct Kind {
    title: &'static str,
    caption: &'static str,
}

const PHASES: Kind = Kind {
    title: "Phases",
    caption: "A piece is the median of its phase over blocks; their sum need not be the median \
              of the total.",
};
const PERCENTILES: Kind = Kind {
    title: "Percentiles",
    caption: "Samples of all counted blocks together, for description. Each step to the right is \
              a tenth of the samples that were left; a curve ends where fewer than 100 lie beyond.",
};
const HISTOGRAM: Kind = Kind {
    title: "Histogram",
    caption: "Samples of all counted blocks together, for description; shares are of the \
              strategy's own samples.",
};

/// The pooled samples of every arm that has figures.
fn curves<'t, 'a>(table: &'t Table<'a>) -> Vec<(&'t Arm<'a>, Sorted)> {
    let arms = table.arms.iter().filter(|arm| arm.figures.is_ok());
    arms.map(|arm| (arm, pooled(&arm.rows, table.detail)))
        .collect()
}

/// Lower-case letters, digits, `-` and `_` from `text`, at most 100. What
/// comes from a record never becomes a path.
fn file_name(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(100) {
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
            assert_eq!(file_name(text), expected);
        }
        check(
            "host-mmio/user-read cpus=1-phases",
            "host-mmio-user-read-cpus-1-phases",
        );
        check("../../etc/Passwd", "-etc-passwd");
        check("<script>", "-script-");
    }
}
