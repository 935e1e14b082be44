// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What there is to draw of a chase: time a load on a machine, misses of the model in
//! the lab, both against the pages in use.

use super::chase::{Chase, Curve, Point};
use results::{Cell, Unit};

/// A figure: something against the working set.
pub(crate) struct Drawing<'c> {
    /// What it is.
    pub(crate) title: &'static str,
    /// How to read it.
    pub(crate) caption: &'static str,
    /// The axes.
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    /// Whether y spans orders of magnitude.
    pub(crate) log: bool,
    pub(crate) curves: Vec<Line<'c>>,
}

/// A curve of a figure.
pub(crate) struct Line<'c> {
    pub(crate) name: String,
    /// Whose.
    pub(crate) cell: &'c Cell,
    /// Whether it is there to be compared with.
    pub(crate) reference: bool,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Chase<'_> {
    /// What there is to draw.
    pub(crate) fn drawings(&self) -> Vec<Drawing<'_>> {
        match self.unit {
            Unit::Ns => vec![self.timed()],
            Unit::Insn => self.missed(),
        }
    }

    fn timed(&self) -> Drawing<'_> {
        let line = |curve: &'_ Curve<'_>, of: fn(&Point) -> f64| -> Vec<(f64, f64)> {
            curve.points.iter().map(|p| (p.pages, of(p))).collect()
        };
        let mut curves: Vec<Line<'_>> = Vec::new();
        for curve in &self.curves {
            curves.push(Line {
                name: curve.cell.arm(),
                cell: curve.cell,
                reference: false,
                points: line(curve, |p| p.page),
            });
        }
        if let Some(base) = self.curves.iter().find(|c| c.cell.is_baseline()) {
            curves.push(Line {
                name: format!("{}, lines side by side", base.cell.arm()),
                cell: base.cell,
                reference: true,
                points: line(base, |p| p.line),
            });
        }
        Drawing {
            title: "TLB reach",
            caption: "A load of a chase over places a page apart, by the number of pages; the \
                      dashed curve is the same chase over as many lines side by side, which takes \
                      as much cache and next to no TLB. Both scales are logarithmic.",
            x: "pages in use",
            y: "ns per load",
            log: true,
            curves,
        }
    }

    /// The model's misses; nothing without a model.
    fn missed(&self) -> Vec<Drawing<'_>> {
        const CAPTION: &str = "Counted by the lab's model of a TLB, not by hardware: misses of \
                               the guest per load of a chase over places a page apart.";
        let titles = [
            (
                "model.guest.l1_misses",
                "Modelled misses of the first level",
                "misses per load",
            ),
            (
                "model.guest.l2_misses",
                "Modelled page walks",
                "walks per load",
            ),
        ];
        let drawing = |(counter, title, y): (&str, &'static str, &'static str)| {
            let line = |curve: &'_ Curve<'_>| -> Vec<(f64, f64)> {
                let points = curve.points.iter();
                points
                    .filter_map(|p| Some((p.pages, *p.counts.get(counter)?)))
                    .collect()
            };
            let curves: Vec<Line<'_>> = self
                .curves
                .iter()
                .map(|curve| Line {
                    name: curve.cell.arm(),
                    cell: curve.cell,
                    reference: false,
                    points: line(curve),
                })
                .filter(|line| !line.points.is_empty())
                .collect();
            (!curves.is_empty()).then_some(Drawing {
                title,
                caption: CAPTION,
                x: "pages in use",
                y,
                log: false,
                curves,
            })
        };
        titles.into_iter().filter_map(drawing).collect()
    }
}
