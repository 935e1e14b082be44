// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Cost against a number that was varied: memory, batch, bytes, CPUs. Whatever
//! parameter has numbers that differ between the tables of a workload is swept; no
//! parameter is known by name, but for its unit.
//!
//! A record may hold hundreds of tables, so a figure must be worth seeing: where other
//! numbers vary too they are held at their least and their greatest, arms with modes
//! have figures apart, and there is none where all curves would be one line.

use super::{
    axis::Axis,
    plot::{Curve, Dimension, Form, Plot, Point},
};
use crate::{
    document::Worth,
    model::{self, Bed, Workload, entry},
    number::Scale,
    shape,
};
use results::{
    Cell, Outcome, Unit,
    cell::{Group, ParamValue, Params},
    compare::{Arm, Figures, Table},
};
use std::collections::{BTreeMap, BTreeSet};

/// Curves that are nowhere further apart than this are one line in a figure that
/// begins at 0.
const DISTINCT: f64 = 1.05;

/// The units of parameters that have one.
const UNITS: [(&str, &str); 6] = [
    ("bytes", "B"),
    ("cpus", "vCPUs"),
    ("depth", "requests"),
    ("lab_cpus", "CPUs"),
    ("mem_mib", "MiB"),
    ("places", "places"),
];

/// The figures of `workload` in the order of its parameters: for each the strategies
/// with their defaults, then the modes of each strategy that has some.
pub(super) fn of<'a>(bed: &Bed<'a>, workload: &Workload<'a>) -> Vec<Plot<'a>> {
    let tables: Vec<&Table<'a>> = workload
        .tables
        .iter()
        .filter(|table| !shape::is_chase(table))
        .collect();
    let numbers = numbers(&tables);
    let mut plots = Vec::new();
    for parameter in numbers.keys() {
        for sweep in sweeps(&tables, &numbers, parameter) {
            plots.extend(sweep.plot(&bed.defaults(), None));
            for arms in bed.modes() {
                let name = arms.first().map_or("", |cell| &cell.strategy);
                plots.extend(sweep.modes(bed, name, &arms));
            }
        }
    }
    plots
}

/// The figure of `tables` by `parameter` with `arms`, if they are one sweep.
pub(super) fn one<'a>(
    tables: &[&Table<'a>],
    parameter: &str,
    arms: &[&'a Cell],
) -> Option<Plot<'a>> {
    let numbers = numbers(tables);
    let mut sweeps = sweeps(tables, &numbers, parameter);
    match (sweeps.pop(), sweeps.pop()) {
        (Some(sweep), None) => sweep.curves(arms, None),
        _ => None,
    }
}

/// The tables of `tables` at which every number that varies is at its least or its
/// greatest.
pub(super) fn ends<'t, 'a>(tables: &[&'t Table<'a>]) -> Vec<&'t Table<'a>> {
    let numbers = numbers(tables);
    let tables = tables.iter().copied();
    tables.filter(|t| at_ends(t, &numbers, None)).collect()
}

/// Every parameter that has different numbers in `tables`, with these.
fn numbers(tables: &[&Table<'_>]) -> BTreeMap<String, BTreeSet<u64>> {
    let mut numbers: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for (name, value) in tables.iter().flat_map(|t| &t.group.params) {
        if let ParamValue::Int(n) = value {
            numbers.entry(name.clone()).or_default().insert(*n);
        }
    }
    numbers.retain(|_, values| values.len() > 1);
    numbers
}

/// Whether `table` has an end of each of `numbers` but `swept`.
fn at_ends(
    table: &Table<'_>,
    numbers: &BTreeMap<String, BTreeSet<u64>>,
    swept: Option<&str>,
) -> bool {
    let mut held = numbers
        .iter()
        .filter(|(name, _)| Some(name.as_str()) != swept);
    held.all(|(name, values)| match number(&table.group.params, name) {
        Some(n) => [values.first(), values.last()].contains(&Some(&n)),
        None => true,
    })
}

fn number(params: &Params, name: &str) -> Option<u64> {
    match params.get(name) {
        Some(ParamValue::Int(n)) => Some(*n),
        _ => None,
    }
}

/// Tables that differ in one number only.
struct Sweep<'t, 'a> {
    parameter: &'t str,
    /// What they have in common.
    group: Group,
    unit: Unit,
    /// In the order of their numbers.
    tables: Vec<(u64, &'t Table<'a>)>,
    /// What else varied and is held.
    held: Vec<&'t str>,
}

/// The sweeps of `parameter` in `tables`, each with two numbers at least.
fn sweeps<'t, 'a>(
    tables: &[&'t Table<'a>],
    numbers: &'t BTreeMap<String, BTreeSet<u64>>,
    parameter: &'t str,
) -> Vec<Sweep<'t, 'a>> {
    let mut sweeps: Vec<Sweep<'t, 'a>> = Vec::new();
    for table in tables.iter().copied() {
        let mut group = table.group.clone();
        let Some(ParamValue::Int(n)) = group.params.remove(parameter) else {
            continue;
        };
        let Some(unit) = table.unit else { continue };
        if !at_ends(table, numbers, Some(parameter)) {
            continue;
        }
        let sweep = entry(
            &mut sweeps,
            |s| s.group == group && s.unit == unit,
            || Sweep {
                parameter,
                held: numbers
                    .keys()
                    .map(String::as_str)
                    .filter(|name| *name != parameter && group.params.contains_key(*name))
                    .collect(),
                group: group.clone(),
                unit,
                tables: Vec::new(),
            },
        );
        sweep.tables.push((n, table));
    }
    for sweep in &mut sweeps {
        sweep.tables.sort_by_key(|(n, _)| *n);
    }
    sweeps.retain(|sweep| sweep.tables.len() > 1);
    sweeps
}

impl<'a> Sweep<'_, 'a> {
    /// A figure with the curves of `arms`; `None` where they would be one line.
    fn plot(&self, arms: &[&'a Cell], of: Option<&str>) -> Option<Plot<'a>> {
        self.curves(arms, of)
            .filter(|plot| plot.curves.len() == 1 || apart(&plot.curves.iter().collect::<Vec<_>>()))
    }

    /// A figure with the baseline and `arms`, those of `strategy`; `None` where these
    /// would be one line.
    fn modes(&self, bed: &Bed<'a>, strategy: &str, arms: &[&'a Cell]) -> Option<Plot<'a>> {
        let mut shown: Vec<&Cell> = bed.arms.clone();
        shown.retain(|cell| cell.is_baseline() || arms.contains(cell));
        let plot = self.curves(&shown, Some(&format!("modes of {strategy}")))?;
        let own = plot.curves.iter().filter(|c| c.cell.strategy == strategy);
        apart(&own.collect::<Vec<_>>()).then_some(plot)
    }

    fn curves(&self, arms: &[&'a Cell], of: Option<&str>) -> Option<Plot<'a>> {
        let curves = arms.iter().map(|cell| {
            let points = self.tables.iter().filter_map(|(n, table)| {
                let figures = model::arm(table, cell)?.figures.as_ref().ok()?;
                Some(point(*n, figures))
            });
            Curve::of(cell, points)
        });
        let curves: Vec<Curve<'a>> = curves.filter(|c| !c.points.is_empty()).collect();
        let points = || curves.iter().flat_map(|c| &c.points);
        let scale = Scale::of(self.unit, points().map(|p| p.y));
        let tried: Vec<f64> = points().map(|p| p.x).collect();
        let reach = points().flat_map(|p| {
            let ends = p.interval.map(|i| [i.low, i.high]);
            std::iter::once(p.y).chain(ends.into_iter().flatten())
        });
        let y = Dimension::new(self.cost(), self.unit.symbol(), Axis::costs(reach));
        let unit = UNITS.iter().find(|(name, _)| *name == self.parameter);
        Plot {
            kind: format!("Cost by {}", self.parameter),
            subject: self.group.to_string(),
            arms: of.map(str::to_string),
            caption: self.caption(),
            x: Dimension::new(
                self.parameter,
                unit.map_or("", |(_, unit)| unit),
                Axis::tried(&tried),
            ),
            y: y.scaled(scale),
            form: Form::Marked,
            worth: match of {
                None => Worth::Main,
                Some(_) => Worth::Detail,
            },
            curves,
        }
        .unless_empty()
    }

    /// What y is.
    fn cost(&self) -> String {
        let series = self.tables.first().map_or("", |(_, table)| table.series);
        let mut arms = self.tables.iter().flat_map(|(_, table)| &table.arms);
        match arms.any(|arm| batched(arm, series)) {
            true => format!("median {series} per operation"),
            false => format!("median {series}"),
        }
    }

    fn caption(&self) -> String {
        let mut caption = match self.unit {
            Unit::Ns => "Medians over blocks with their 95 % intervals.".to_string(),
            Unit::Insn => "Medians over blocks.".to_string(),
        };
        caption += " Of curves that coincide the last in the legend is seen.";
        if !self.held.is_empty() {
            caption += &format!(
                " Of {} only the least and the greatest have figures.",
                self.held.join(" and ")
            );
        }
        caption
    }
}

fn point(n: u64, figures: &Figures) -> Point {
    Point {
        x: n as f64,
        y: figures.median,
        interval: figures.interval,
    }
}

/// Whether a sample of `series` covers several operations.
fn batched(arm: &Arm<'_>, series: &str) -> bool {
    arm.rows.iter().any(|row| match &row.outcome {
        Outcome::Measured { batch, .. } => batch.get(series).is_some_and(|n| *n > 1),
        _ => false,
    })
}

/// Whether at some x two of `curves` can be told apart.
fn apart(curves: &[&Curve<'_>]) -> bool {
    let mut at: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for p in curves.iter().flat_map(|c| &c.points) {
        let (low, high) = at.entry(p.x.to_bits()).or_insert((p.y, p.y));
        (*low, *high) = (low.min(p.y), high.max(p.y));
    }
    at.values().any(|(low, high)| *high > *low * DISTINCT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::Testbed;

    fn cell(strategy: &str) -> Cell {
        Cell {
            testbed: Testbed::Lab,
            strategy: strategy.into(),
            workload: "mmio/user-read".into(),
            params: Params::new(),
            mode: Params::new(),
        }
    }

    #[test]
    fn curves_on_one_line_are_not_worth_a_figure() {
        let cell = cell("memfd");
        let check = |a: [(f64, f64); 2], b: [(f64, f64); 2], expected: bool| {
            let [a, b] = [a, b].map(|points| Curve::of(&cell, points));
            assert_eq!(apart(&[&a, &b]), expected);
        };
        check(
            [(1.0, 100.0), (2.0, 200.0)],
            [(1.0, 100.0), (2.0, 200.0)],
            false,
        );
        check(
            [(1.0, 100.0), (2.0, 200.0)],
            [(1.0, 104.0), (2.0, 200.0)],
            false,
        );
        check(
            [(1.0, 100.0), (2.0, 200.0)],
            [(1.0, 100.0), (2.0, 211.0)],
            true,
        );
        check([(1.0, 0.0), (2.0, 0.0)], [(1.0, 0.0), (2.0, 1.0)], true);
        // Nothing is known of two arms at different numbers.
        check([(1.0, 1.0), (2.0, 1.0)], [(3.0, 9.0), (4.0, 9.0)], false);
    }
}
