// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every figure of a run, and those of one part of it.

use super::{
    chase, draw, ecdf, forest, histogram,
    names::Names,
    palette::Palette,
    percentile, phases,
    plot::Plot,
    subject::{Drawn, Subject, samples},
    sweep,
};
use crate::{
    Error,
    chase::Chase,
    clean,
    document::{Block, Figure, Worth},
    model::{self, Bed, Family, Model, Workload},
    prose,
};
use results::{Cell, Run, compare::Table, run::View};

/// A figure, or why plotters refused it.
type Made = Result<Figure, Error>;

/// Every figure of `run`, in the order of the report.
///
/// # Errors
/// [`Error::Draw`] if plotters refuses one.
pub fn figures(run: &Run) -> Result<Vec<Figure>, Error> {
    let model = Model::of(run);
    let palette = Palette::of(run);
    let mut names = Names::default();
    let mut figures = Vec::new();
    for bed in &model.beds {
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
        for chase in crate::chase::of(bed) {
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
    let model = Model::of(run);
    let palette = Palette::of(run);
    let wanted = |cell: &Cell| {
        arms.iter().any(|arm| match arm.strip_suffix("/*") {
            Some(strategy) => cell.strategy == strategy,
            None => cell.strategy == *arm && cell.mode.is_empty(),
        })
    };
    let figure = model.beds.iter().find_map(|bed| {
        let mut arms = bed.arms.clone();
        arms.retain(|cell| wanted(cell));
        let plot = sweep::one(&bed.select(workload), parameter, &arms)?;
        Some(drawn(bed, &plot, &palette))
    });
    figure.transpose()
}

/// A figure as a block, or why there is none.
pub(crate) fn block(figure: Made) -> Block {
    match figure {
        Ok(figure) => Block::Figure(figure),
        Err(error) => Block::Note(error.to_string()),
    }
}

/// The figures of a chase.
pub(crate) fn of_chase(bed: &Bed<'_>, chase: &Chase<'_>, palette: &Palette) -> Vec<Made> {
    let plots = chase::plots(chase);
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
        scale: model::scale(table),
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
    clean::address(&format!(
        "{}-{}-{}",
        bed.testbed,
        clean::shorten(subject, 140),
        clean::shorten(kind, 70)
    ))
}
