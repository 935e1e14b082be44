// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A figure made of curves, before it is drawn. Its SVG and its csv are made from the
//! same [`Plot`], so that they cannot disagree.

use super::{axis::Axis, data};
use crate::{
    document::Worth,
    number::{self, Scale},
};
use results::{Cell, stats::Interval};

/// Curves over one pair of axes.
#[derive(Debug)]
pub(crate) struct Plot<'c> {
    /// What it is: `Percentiles`.
    pub(crate) kind: String,
    /// Of what: a group of cells.
    pub(crate) subject: String,
    /// Which arms, if not all: `modes of guest-memfd-reinsert`.
    pub(crate) arms: Option<String>,
    /// How to read it.
    pub(crate) caption: String,
    pub(crate) x: Dimension,
    pub(crate) y: Dimension,
    pub(crate) form: Form,
    pub(crate) worth: Worth,
    pub(crate) curves: Vec<Curve<'c>>,
}

/// What lies between the points of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A line from each to the next.
    Line,
    /// The same, each point with a mark and its interval.
    Marked,
    /// A step: y holds from its x to the next one's, and is 0 before the first.
    Steps,
}

/// What one axis shows.
#[derive(Debug)]
pub(crate) struct Dimension {
    /// What it is called.
    pub(crate) name: String,
    /// The unit of the points, empty if they have none.
    pub(crate) unit: &'static str,
    /// How it is laid out when drawn.
    pub(crate) axis: Axis,
    /// In which unit ticks are written, if not in that of the points.
    scale: Option<Scale>,
}

/// The points of one arm.
#[derive(Debug)]
pub(crate) struct Curve<'c> {
    /// Whose.
    pub(crate) cell: &'c Cell,
    /// What the legend calls it.
    pub(crate) name: String,
    /// Whether it is there to be compared with.
    pub(crate) reference: bool,
    pub(crate) points: Vec<Point>,
}

/// A point, in the units of the dimensions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// The 95 % interval of y.
    pub(crate) interval: Option<Interval>,
}

impl From<(f64, f64)> for Point {
    fn from((x, y): (f64, f64)) -> Self {
        Point {
            x,
            y,
            interval: None,
        }
    }
}

impl Dimension {
    /// Written in the unit of the points.
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, axis: Axis) -> Self {
        Dimension {
            name: name.into(),
            unit,
            axis,
            scale: None,
        }
    }

    /// Written in the unit of a table.
    pub(crate) fn scaled(self, scale: Scale) -> Self {
        Dimension {
            scale: Some(scale),
            ..self
        }
    }

    /// The name with the unit in which ticks are written.
    pub(super) fn label(&self) -> String {
        data::named(&self.name, self.scale.map_or(self.unit, |s| s.symbol))
    }

    /// How a tick is written.
    pub(super) fn tick(&self, value: f64) -> String {
        match self.scale {
            Some(scale) => scale.tick(value),
            // 99.999 must not be rounded to 100.
            None if self.axis.is_tail() => format!("{value}"),
            None => number::tick(value),
        }
    }
}

impl<'c> Curve<'c> {
    /// An arm's own curve.
    pub(crate) fn of<P: Into<Point>>(cell: &'c Cell, points: impl IntoIterator<Item = P>) -> Self {
        Curve {
            cell,
            name: cell.arm(),
            reference: false,
            points: points.into_iter().map(Into::into).collect(),
        }
    }
}

impl Plot<'_> {
    /// Itself, unless no curve has two points.
    pub(crate) fn unless_empty(self) -> Option<Self> {
        let drawn = self.curves.iter().any(|curve| curve.points.len() > 1);
        drawn.then_some(self)
    }

    /// Every point, a line each.
    ///
    /// # Errors
    /// What the csv crate says.
    pub(super) fn csv(&self) -> Result<String, String> {
        let points = || self.curves.iter().flat_map(|c| &c.points);
        let named = self.curves.iter().any(|c| c.reference);
        let intervals = points().any(|p| p.interval.is_some());
        let mut columns = vec!["strategy".to_string(), "mode".to_string()];
        columns.extend(named.then(|| "curve".to_string()));
        columns.extend([&self.x, &self.y].map(|d| data::named(&d.name, d.unit)));
        if intervals {
            let ends = ["95 % interval low", "95 % interval high"];
            columns.extend(ends.map(|end| data::named(end, self.y.unit)));
        }
        let row = |curve: &Curve<'_>, point: &Point| {
            let mut row: Vec<String> = data::arm(curve.cell).into();
            row.extend(named.then(|| curve.name.clone()));
            row.extend([point.x, point.y].map(|v| v.to_string()));
            if intervals {
                let ends = point
                    .interval
                    .map(|i| [i.low, i.high].map(|v| v.to_string()));
                row.extend(ends.unwrap_or_default());
            }
            row
        };
        let rows = self
            .curves
            .iter()
            .flat_map(|curve| curve.points.iter().map(move |point| row(curve, point)));
        data::csv(columns, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::{ParamValue, Testbed, cell::Params};

    fn cell(strategy: &str, flush: Option<&str>) -> Cell {
        let mode = flush.map(|word| ("flush".to_string(), ParamValue::Text(word.into())));
        Cell {
            testbed: Testbed::Host,
            strategy: strategy.into(),
            workload: "mmio/user-read".into(),
            params: Params::new(),
            mode: mode.into_iter().collect(),
        }
    }

    fn plot(curves: Vec<Curve<'_>>) -> Plot<'_> {
        Plot {
            kind: "Percentiles".into(),
            subject: "mmio/user-read".into(),
            arms: None,
            caption: String::new(),
            x: Dimension::new("percentile", "", Axis::tail(99.0)),
            y: Dimension::new("latency", "ns", Axis::costs([1.0])),
            form: Form::Line,
            worth: Worth::Detail,
            curves,
        }
    }

    #[test]
    fn the_csv_has_every_point_in_base_units() {
        let [plain, moded] = [cell("memfd", None), cell("guest-memfd", Some("a;b"))];
        let curves = vec![
            Curve::of(&plain, [(0.0, 1500.0), (50.0, 1.25)]),
            Curve::of(&moded, [(0.0, 3.0)]),
        ];
        assert_eq!(
            plot(curves).csv().unwrap(),
            "strategy,mode,percentile,latency (ns)\nmemfd,,0,1500\nmemfd,,50,1.25\n\
             guest-memfd,flush=a\\;b,0,3\n"
        );
    }

    #[test]
    fn intervals_and_references_have_columns_where_there_are_some() {
        let cell = cell("memfd", None);
        let interval = Some(Interval {
            low: 1.0,
            high: 3.0,
        });
        let certain = Point {
            interval,
            ..(1.0, 2.0).into()
        };
        let reference = Curve {
            name: "beside".into(),
            reference: true,
            ..Curve::of(&cell, [(1.0, 4.0)])
        };
        let plot = plot(vec![Curve::of(&cell, [certain]), reference]);
        assert_eq!(
            plot.csv().unwrap(),
            "strategy,mode,curve,percentile,latency (ns),95 % interval low (ns),\
             95 % interval high (ns)\nmemfd,,memfd,1,2,1,3\nmemfd,,beside,1,4,,\n"
        );
    }

    #[test]
    fn names_from_a_record_are_quoted() {
        let cell = cell("a,\"b\"\nc", None);
        let text = plot(vec![Curve::of(&cell, [(1.0, f64::MAX)])])
            .csv()
            .unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(&row[0], "a,\"b\"\nc");
        assert_eq!(row[3].parse(), Ok(f64::MAX));
    }

    #[test]
    fn ticks_are_in_the_unit_of_the_table_and_tails_are_not_rounded() {
        let scale = Scale::of(results::Unit::Ns, [2e3]);
        let y = Dimension::new("latency", "ns", Axis::costs([1.0])).scaled(scale);
        assert_eq!(
            (y.label(), y.tick(2500.0)),
            ("latency (µs)".into(), "2.5".into())
        );
        let x = Dimension::new("percentile", "%", Axis::tail(99.999));
        assert_eq!(
            (x.label(), x.tick(99.999)),
            ("percentile (%)".into(), "99.999".into())
        );
    }
}
