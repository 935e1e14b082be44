// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tables of one workload that differ in one parameter, side by side, and what arms cost in
//! them in place of others.

use super::detail;
use crate::{
    document::{self, Field},
    model::{self, LAB_CPUS, arm, default_arm},
    number::{self, Mark, Scale},
    prose,
};
use results::{
    Cell, Unit,
    cell::{Group, ParamValue, Params},
    compare::{Arm, Table, between, pooled},
    stats::{Precision, Ratio, Tail},
};

/// Which arms are shown.
pub(super) type Shown<'f> = &'f dyn Fn(&Cell) -> bool;

/// The strategy that the arm of a cell is compared with; `None` to leave it out.
pub(super) type Against<'f> = &'f dyn Fn(&Cell) -> Option<String>;

/// What an arm costs in place of another, with the difference in instructions if they are
/// counted.
type Compared = (Ratio, Option<f64>);

/// Tables that differ in `across` alone, in its order.
pub(super) struct Sweep<'t, 'a> {
    across: &'t str,
    /// What they have in common.
    group: Group,
    tables: Vec<&'t Table<'a>>,
}

/// `tables` in sweeps across one of their parameters.
pub(super) fn sweeps<'t, 'a>(tables: &[&'t Table<'a>], across: &'t str) -> Vec<Sweep<'t, 'a>> {
    let all = model::across(tables.iter().copied(), across).into_iter();
    let sweep = |(group, tables)| Sweep {
        across,
        group,
        tables,
    };
    all.map(sweep).collect()
}

impl<'t, 'a> Sweep<'t, 'a> {
    /// Its tables as one where each is exact, each by itself otherwise.
    pub(super) fn tables(&self, shown: Shown<'_>) -> Vec<document::Table> {
        match self.tables.len() > 1 && self.tables.iter().all(|t| model::exact(t)) {
            true => vec![self.beside(shown)],
            false => self
                .tables
                .iter()
                .map(|t| detail::table(t, shown))
                .collect(),
        }
    }

    /// A row an arm, a column a table.
    fn beside(&self, shown: Shown<'_>) -> document::Table {
        let medians = self.tables.iter().flat_map(|table| model::figures(table));
        let scale = Scale::of(Unit::Insn, medians.map(|f| f.median));
        let heads: Vec<String> = self.tables.iter().map(|t| self.value(t)).collect();
        let columns = std::iter::once("strategy").chain(heads.iter().map(String::as_str));
        let columns: Vec<&str> = columns.collect();
        let mark = prose::behind(self.group.testbed);
        let title = format!("{} (median in {}{mark})", self.group, scale.symbol);
        let mut out = document::Table::new(title, "", &columns);
        for cell in self.arms(shown) {
            let figure = |table: &&Table<'a>| match arm(table, cell).map(|arm| &arm.figures) {
                None => Field::from("-"),
                Some(Err(hole)) => model::short(hole).into(),
                Some(Ok(figures)) => scale.show(figures.median).into(),
            };
            let row = self.tables.iter().map(figure);
            out.push("", std::iter::once(Field::arm(cell)).chain(row).collect());
        }
        out
    }

    /// A cell of every arm that is shown.
    fn arms(&self, shown: Shown<'_>) -> Vec<&'a Cell> {
        let mut arms: Vec<&'a Cell> = Vec::new();
        for arm in self.tables.iter().flat_map(|t| &t.arms) {
            if shown(arm.cell) && arms.iter().all(|known| !model::same_arm(known, arm.cell)) {
                arms.push(arm.cell);
            }
        }
        arms
    }

    /// Each arm in its default mode that `against` names a strategy for beside that one: a
    /// row a pair, a column a table.
    pub(super) fn pairs(&self, against: Against<'_>, seed: u64) -> Option<document::Table> {
        let cells = self.arms(&|cell| cell.mode.is_empty());
        let rows = cells.into_iter().filter_map(|cell| {
            let other = against(cell)?;
            let costs = self.tables.iter().map(|table| {
                compared(
                    table.unit,
                    arm(table, cell)?,
                    default_arm(table, &other)?,
                    seed,
                )
            });
            Some((format!("{} / {other}", cell.arm()), costs.collect()))
        });
        self.ratios(rows.collect())
    }

    /// Each strategy in its default mode beside each of its modes that differs from it in
    /// `name` alone.
    pub(super) fn modes(&self, name: &str, seed: u64) -> Option<document::Table> {
        let alone = |cell: &Cell| cell.mode.len() == 1 && cell.mode.contains_key(name);
        let rows = self.arms(&alone).into_iter().filter_map(|cell| {
            let mode = cell.mode.get(name)?;
            let costs = self.tables.iter().map(|table| {
                compared(
                    table.unit,
                    default_arm(table, &cell.strategy)?,
                    arm(table, cell)?,
                    seed,
                )
            });
            Some((
                format!("{} / with {name}={mode}", cell.strategy),
                costs.collect(),
            ))
        });
        self.ratios(rows.collect())
    }

    /// Each arm in its default mode that is `shown`, in every table beside the first in
    /// which it has a figure.
    pub(super) fn along(&self, shown: Shown<'_>, seed: u64) -> Option<document::Table> {
        let rows = self
            .arms(&|cell| cell.mode.is_empty() && shown(cell))
            .into_iter();
        let rows = rows.filter_map(|cell| {
            let measured = |table: &Table<'a>| arm(table, cell).is_some_and(|a| a.figures.is_ok());
            let first = self.tables.iter().position(|table| measured(table))?;
            let base = arm(self.tables[first], cell)?;
            let costs = self.tables.iter().enumerate().map(|(i, table)| {
                let comparable = i != first && table.unit == self.tables[first].unit;
                comparable.then(|| compared(table.unit, arm(table, cell)?, base, seed))?
            });
            Some((
                format!("{} / {}", cell.arm(), self.value(self.tables[first])),
                costs.collect(),
            ))
        });
        self.ratios(rows.collect())
    }

    /// Costs in place of others; `None` where there are none.
    fn ratios(&self, rows: Vec<(String, Vec<Option<Compared>>)>) -> Option<document::Table> {
        let heads: Vec<String> = self.tables.iter().map(|t| self.value(t)).collect();
        let columns = std::iter::once("this / that").chain(heads.iter().map(String::as_str));
        let columns: Vec<&str> = columns.collect();
        let mut out = document::Table::new(format!("{}: ratios", self.group), "", &columns);
        let exact = |cost: &Option<Compared>| {
            let cost = cost.as_ref();
            cost.is_none_or(|(r, _)| r.precision == Precision::Exact && Mark::of(r) == Mark::Open)
        };
        let rows = rows.into_iter();
        let known = rows.filter(|(_, costs)| costs.iter().any(Option::is_some));
        let (same, moved): (Vec<_>, Vec<_>) = known.partition(|(_, costs)| costs.iter().all(exact));
        // Where nothing differs, that is what there is to show.
        let (shown, same) = match moved.is_empty() {
            true => (same, moved),
            false => (moved, same),
        };
        for (name, costs) in &shown {
            let cells = costs
                .iter()
                .map(|cost| cost.as_ref().map_or("-".into(), written));
            let name = Field::from(name.as_str());
            out.push("", std::iter::once(name).chain(cells).collect());
        }
        let mut costs = shown.iter().flat_map(|(_, costs)| costs).flatten();
        out.about = match costs.any(|(_, difference)| difference.is_some()) {
            true => "How many times as much this takes as that, and how many instructions more.",
            false => "How many times as long this takes as that, with a 95 % interval by block.",
        }
        .to_string();
        if !same.is_empty() {
            let names: Vec<String> = same.into_iter().map(|(name, _)| name).collect();
            out.about += &format!(" Equal: {}.", names.join(", "));
        }
        out.unless_empty()
    }

    /// `4 CPUs` or `batch=64`.
    fn value(&self, table: &Table<'_>) -> String {
        match (self.across, table.group.params.get(self.across)) {
            (LAB_CPUS, Some(ParamValue::Int(n))) => model::cpus(*n),
            (name, Some(value)) => format!("{name}={value}"),
            (_, None) => "median".to_string(),
        }
    }
}

/// What `arm` costs in place of `other`, both in `unit`.
fn compared(unit: Option<Unit>, arm: &Arm<'_>, other: &Arm<'_>, seed: u64) -> Option<Compared> {
    let [arm, other] = [arm, other].map(|arm| arm.figures.as_ref().ok());
    let ratio = between(arm?, other?, unit, seed).ok()?;
    let difference = arm?.median - other?.median;
    Some((ratio, (unit == Some(Unit::Insn)).then_some(difference)))
}

/// `2.170 +5,567` or `1.038 [1.021, 1.055]`
fn written((ratio, difference): &Compared) -> Field {
    let [value, precision] = number::ratio(ratio);
    let difference = difference.map(|d| if d.abs() < 100.0 { d } else { d.round() });
    let text = match difference {
        Some(difference) => format!("{value} {}", number::difference(difference)),
        None => format!("{value} {precision}"),
    };
    Field::marked(text, Mark::of(ratio))
}

/// The percentiles of the single operations behind a table, by arm; `None` without any.
/// Those for which no arm has samples enough are named in its `about`.
pub(super) fn tails(table: &Table<'_>, shown: Shown<'_>) -> Option<document::Table> {
    let scale = model::scale(table);
    let arms = table
        .arms
        .iter()
        .filter(|arm| shown(arm.cell) && arm.figures.is_ok());
    let arms: Vec<_> = arms
        .map(|arm| (arm.cell, pooled(&arm.rows, table.detail)))
        .collect();
    let most = arms
        .iter()
        .map(|(_, samples)| samples)
        .max_by_key(|samples| samples.len())?;
    let known: Vec<Tail> = Tail::ALL
        .into_iter()
        .filter(|tail| tail.of(most).is_ok())
        .collect();
    let names = known.iter().map(|tail| tail.name());
    let columns: Vec<&str> = ["strategy", "samples", "p50"]
        .into_iter()
        .chain(names)
        .collect();
    let mark = prose::behind(table.group.testbed);
    let title = format!(
        "{}: {} in {}{mark}",
        table.group, table.detail, scale.symbol
    );
    let mut out = document::Table::new(title, "", &columns);
    let few = Tail::ALL.into_iter().filter_map(|tail| {
        let few = tail.of(most).err()?;
        Some(format!(
            "{} needs {}",
            tail.name(),
            number::grouped(&few.need.to_string())
        ))
    });
    let few: Vec<String> = few.collect();
    if !few.is_empty() {
        out.about = format!("{} samples.", few.join(", "));
    }
    for (cell, samples) in &arms {
        let value = |value: Option<f64>| value.map_or(Field::from("-"), |v| scale.show(v).into());
        let count = number::grouped(&samples.len().to_string()).into();
        let mut row = vec![Field::arm(cell), count, value(samples.quantile(0.5))];
        row.extend(known.iter().map(|tail| value(tail.of(samples).ok())));
        out.push("", row);
    }
    out.unless_empty()
}

/// What `group` is without `names`.
pub(super) fn without(params: &Params, names: &[&str]) -> Params {
    let kept = params
        .iter()
        .filter(|(name, _)| !names.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
