// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tables of one workload that differ in one parameter, side by side, and what they come
//! to in a sentence.

use crate::{
    detail,
    digest::{self, arm, entry},
    grid::Grid,
    number::{self, Mark, Scale},
    prose,
};
use results::{
    BASELINE, Cell, Unit,
    cell::{Group, ParamValue, Params},
    compare::{Table, between, pooled},
    stats::{Precision, Ratio, Tail},
};

/// The parameter that says how many CPUs the lab has.
pub(super) const LAB_CPUS: &str = "lab_cpus";

/// Which arms are shown.
pub(super) type Shown<'f> = &'f dyn Fn(&Cell) -> bool;

/// Tables that differ in `across` alone, in its order.
pub(super) struct Sweep<'t, 'a> {
    across: &'t str,
    /// What they have in common.
    group: Group,
    tables: Vec<&'t Table<'a>>,
}

/// `tables` in sweeps across one of their parameters.
pub(super) fn sweeps<'t, 'a>(tables: &[&'t Table<'a>], across: &'t str) -> Vec<Sweep<'t, 'a>> {
    let mut all: Vec<Sweep<'t, 'a>> = Vec::new();
    for table in tables {
        let mut group = table.group.clone();
        group.params.remove(across);
        let same = |sweep: &Sweep<'_, '_>| sweep.group == group;
        let sweep = entry(&mut all, same, || Sweep {
            across,
            group: group.clone(),
            tables: Vec::new(),
        });
        sweep.tables.push(table);
    }
    all
}

impl<'t, 'a> Sweep<'t, 'a> {
    /// Its tables as one where each is exact, each by itself otherwise.
    pub(super) fn grids(&self, shown: Shown<'_>) -> Vec<Grid> {
        match self.tables.len() > 1 && self.tables.iter().all(|t| digest::exact(t)) {
            true => vec![self.beside(shown)],
            false => self.tables.iter().map(|t| detail::grid(t, shown)).collect(),
        }
    }

    /// A row an arm, a column a table.
    fn beside(&self, shown: Shown<'_>) -> Grid {
        let medians = self.tables.iter().flat_map(|table| digest::figures(table));
        let scale = Scale::of(Unit::Insn, medians.map(|f| f.median));
        let heads: Vec<String> = self.tables.iter().map(|t| self.value(t)).collect();
        let columns = std::iter::once("variant").chain(heads.iter().map(String::as_str));
        let columns: Vec<&str> = columns.collect();
        let mark = prose::watermark(self.group.testbed).map_or(String::new(), |w| format!("; {w}"));
        let title = format!("{} (median in {}{mark})", self.group, scale.symbol);
        let mut grid = Grid::new(title, "", &columns);
        for cell in self.arms(shown) {
            let figure = |table: &&Table<'a>| match arm(table, cell).map(|arm| &arm.figures) {
                None => "-".to_string(),
                Some(Err(hole)) => crate::terminal::short(hole).to_string(),
                Some(Ok(figures)) => scale.show(figures.median),
            };
            let row = self.tables.iter().map(figure);
            grid.push("", std::iter::once(cell.arm()).chain(row).collect());
        }
        grid
    }

    /// A cell of every arm that is shown.
    fn arms(&self, shown: Shown<'_>) -> Vec<&'a Cell> {
        let mut arms: Vec<&'a Cell> = Vec::new();
        for arm in self.tables.iter().flat_map(|t| &t.arms) {
            if shown(arm.cell) && arms.iter().all(|known| !digest::same_arm(known, arm.cell)) {
                arms.push(arm.cell);
            }
        }
        arms
    }

    /// Its first and its last table.
    fn ends(&self) -> Vec<&'t Table<'a>> {
        match &self.tables[..] {
            [] => vec![],
            [one] => vec![one],
            [first, .., last] => vec![first, last],
        }
    }

    /// What the first and the last table come to: the baseline's cost, and of the arms
    /// in their default modes that `hide` what they cost more, or that they do not.
    pub(super) fn sentence(&self, hide: Shown<'_>) -> Option<String> {
        let base = self.ends().into_iter().filter_map(|table| {
            let scale = digest::scale(table);
            Some(scale.with_unit(table.baseline()?.median) + &self.at(table))
        });
        let base: Vec<String> = base.collect();
        base.first()?;
        let takes = format!("{}: {BASELINE} takes {}", self.group, base.join(" and "));
        let mut parts = vec![takes];
        let mut same: Vec<String> = Vec::new();
        let mut open: Vec<String> = Vec::new();
        for cell in self.arms(&|cell| cell.mode.is_empty() && hide(cell)) {
            let arms = self.ends().into_iter();
            let arms = arms.filter_map(|table| Some((table, arm(table, cell)?)));
            let ratios =
                arms.filter_map(|(table, arm)| Some((table, arm, arm.ratio.as_ref().ok()?)));
            let ratios: Vec<_> = ratios.collect();
            let moved = ratios
                .iter()
                .filter(|(.., ratio)| Mark::of(ratio) != Mark::Open);
            let moved: Vec<String> = moved
                .map(|(table, arm, ratio)| self.times(ratio, digest::difference(table, arm), table))
                .collect();
            if !moved.is_empty() {
                parts.push(format!("{} {}", cell.arm(), moved.join(" and ")));
            } else if ratios.iter().all(|(.., r)| r.precision == Precision::Exact) {
                same.extend((!ratios.is_empty()).then(|| cell.arm()));
            } else {
                open.push(cell.arm());
            }
        }
        for (arms, what) in [(same, "exactly as much"), (open, "no difference shown")] {
            if !arms.is_empty() {
                parts.push(format!("{what}: {}", arms.join(", ")));
            }
        }
        Some(parts.join("; ") + ".")
    }

    /// Of each strategy with modes that differ from its default in `name` alone, what its
    /// default costs in place of each.
    pub(super) fn modes(&self, name: &str, seed: u64) -> Vec<String> {
        let alone = |cell: &Cell| cell.mode.len() == 1 && cell.mode.contains_key(name);
        let sentence = |cell: &Cell| {
            let costs = self.ends().into_iter().filter_map(|table| {
                let default = table
                    .arms
                    .iter()
                    .find(|arm| arm.cell.mode.is_empty() && arm.cell.strategy == cell.strategy);
                let [default, mode] = [default?, arm(table, cell)?];
                let [default, mode] = [&default.figures, &mode.figures].map(|f| f.as_ref().ok());
                let ratio = between(default?, mode?, table.unit, seed).ok()?;
                let difference = default?.median - mode?.median;
                let difference = (table.unit == Some(Unit::Insn)).then_some(difference);
                Some(self.times(&ratio, difference, table))
            });
            let costs: Vec<String> = costs.collect();
            let mode = cell.mode.get(name)?;
            let strategy = &cell.strategy;
            (!costs.is_empty()).then(|| {
                let costs = costs.join(" and ");
                format!(
                    "{}: {strategy} against its {name}={mode}: {costs}.",
                    self.group
                )
            })
        };
        self.arms(&alone).into_iter().filter_map(sentence).collect()
    }

    /// `2.170 times (+5,567 insn) on 1 CPU`
    fn times(&self, ratio: &Ratio, difference: Option<f64>, table: &Table<'_>) -> String {
        let [value, precision] = number::ratio(ratio);
        let known = match difference {
            Some(difference) => format!("({} insn)", number::difference(difference)),
            None => precision,
        };
        format!("{value} times {known}{}", self.at(table))
    }

    /// ` on 4 CPUs` or ` with batch=64`, if there is anything to tell tables apart by.
    fn at(&self, table: &Table<'_>) -> String {
        match (self.tables.len() > 1, self.across) {
            (false, _) => String::new(),
            (true, LAB_CPUS) => format!(" on {}", self.value(table)),
            (true, _) => format!(" with {}", self.value(table)),
        }
    }

    /// `4 CPUs` or `batch=64`.
    fn value(&self, table: &Table<'_>) -> String {
        match (self.across, table.group.params.get(self.across)) {
            (LAB_CPUS, Some(ParamValue::Int(1))) => "1 CPU".to_string(),
            (LAB_CPUS, Some(value)) => format!("{value} CPUs"),
            (name, Some(value)) => format!("{name}={value}"),
            (_, None) => "median".to_string(),
        }
    }
}

/// The percentiles of the single operations behind a table, by arm; `None` without any.
/// Those for which no arm has samples enough are named in its `about`.
pub(super) fn tails(table: &Table<'_>, shown: Shown<'_>) -> Option<Grid> {
    let scale = digest::scale(table);
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
    let columns: Vec<&str> = ["variant", "samples", "p50"]
        .into_iter()
        .chain(names)
        .collect();
    let mark = prose::watermark(table.group.testbed).map_or(String::new(), |w| format!("; {w}"));
    let title = format!(
        "{}: {} in {}{mark}",
        table.group, table.detail, scale.symbol
    );
    let mut grid = Grid::new(title, "", &columns);
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
        grid.about = format!("{} samples.", few.join(", "));
    }
    for (cell, samples) in &arms {
        let value = |value: Option<f64>| value.map_or_else(|| "-".to_string(), |v| scale.show(v));
        let count = number::grouped(&samples.len().to_string());
        let mut row = vec![cell.arm(), count, value(samples.quantile(0.5))];
        row.extend(known.iter().map(|tail| value(tail.of(samples).ok())));
        grid.push("", row);
    }
    grid.unless_empty()
}

/// What `group` is without `names`.
pub(super) fn without(params: &Params, names: &[&str]) -> Params {
    let kept = params
        .iter()
        .filter(|(name, _)| !names.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
