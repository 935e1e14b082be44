// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What there is to draw of a chase: time a load on a machine, misses of the model in
//! the lab, both against the pages in use.

use super::{
    axis::Axis,
    plot::{self, Dimension, Form, Plot},
};
use crate::{
    chase::{Chase, Curve, Point},
    document::Worth,
};
use results::{Unit, counter::model};

/// What there is to draw.
pub(super) fn plots<'a>(chase: &'a Chase<'_>) -> Vec<Plot<'a>> {
    let plots = match chase.unit {
        Unit::Ns => vec![timed(chase)],
        Unit::Insn => missed(chase),
    };
    plots.into_iter().filter_map(Plot::unless_empty).collect()
}

fn timed<'a>(chase: &'a Chase<'_>) -> Plot<'a> {
    let line = |curve: &'_ Curve<'_>, of: fn(&Point) -> f64| -> Vec<(f64, f64)> {
        curve.points.iter().map(|p| (p.pages, of(p))).collect()
    };
    let own = chase.curves.iter();
    let mut curves: Vec<plot::Curve<'_>> = own
        .map(|curve| plot::Curve::of(curve.cell, line(curve, |p| p.page)))
        .collect();
    if let Some(base) = chase.curves.iter().find(|c| c.cell.is_baseline()) {
        curves.push(plot::Curve {
            name: format!("{}, lines side by side", base.cell.arm()),
            reference: true,
            ..plot::Curve::of(base.cell, line(base, |p| p.line))
        });
    }
    let y = Axis::spanning(ys(&curves));
    Plot {
        kind: "TLB reach".into(),
        subject: chase.group.to_string(),
        arms: None,
        caption: "A load of a chase over places a page apart, by the number of pages; the \
                  dashed curve is the same chase over as many lines side by side, which takes \
                  as much cache and next to no TLB. Both scales are logarithmic."
            .into(),
        x: pages(&curves),
        y: Dimension::new("cost of a load", "ns", y),
        form: Form::Line,
        worth: Worth::Main,
        curves,
    }
}

/// The model's misses; nothing without a model.
fn missed<'a>(chase: &'a Chase<'_>) -> Vec<Plot<'a>> {
    const CAPTION: &str = "Counted by the lab's model of a TLB, not by hardware: misses of \
                           the guest per load of a chase over places a page apart.";
    let titles = [
        (
            model::GUEST_L1_MISSES.key,
            "Modelled misses of the first level",
            "misses per load",
        ),
        (
            model::GUEST_L2_MISSES.key,
            "Modelled page walks",
            "walks per load",
        ),
    ];
    let plot = |(counter, title, y): (&str, &str, &str)| {
        let line = |curve: &'_ Curve<'_>| -> Vec<(f64, f64)> {
            let points = curve.points.iter();
            points
                .filter_map(|p| Some((p.pages, *p.counts.get(counter)?)))
                .collect()
        };
        let own = chase.curves.iter();
        let curves: Vec<plot::Curve<'_>> = own
            .map(|curve| plot::Curve::of(curve.cell, line(curve)))
            .filter(|curve| !curve.points.is_empty())
            .collect();
        let most = ys(&curves).fold(0.0, f64::max);
        Plot {
            kind: title.into(),
            subject: chase.group.to_string(),
            arms: None,
            caption: CAPTION.into(),
            x: pages(&curves),
            y: Dimension::new(y, "", Axis::from_zero(most)),
            form: Form::Line,
            worth: Worth::Main,
            curves,
        }
    };
    titles.map(plot).into()
}

fn pages(curves: &[plot::Curve<'_>]) -> Dimension {
    let points = curves.iter().flat_map(|c| &c.points);
    Dimension::new("pages in use", "", Axis::spanning(points.map(|p| p.x)))
}

fn ys(curves: &[plot::Curve<'_>]) -> impl Iterator<Item = f64> {
    curves.iter().flat_map(|c| c.points.iter().map(|p| p.y))
}
