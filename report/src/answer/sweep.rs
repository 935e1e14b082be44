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
    compare::{Arm, Table, between, pooled},
    stats::{Precision, Ratio, Tail},
};

/// The parameter that says how many CPUs the lab has.
pub(super) const LAB_CPUS: &str = "lab_cpus";

/// Which arms are shown.
pub(super) type Shown<'f> = &'f dyn Fn(&Cell) -> bool;

/// The strategy that the arm of a cell is compared with; `None` to leave it out.
pub(super) type Against<'f> = &'f dyn Fn(&Cell) -> Option<String>;

/// What an arm costs in place of another, with the difference in instructions if they are
/// counted, and where.
type Compared<'t, 'a> = (Ratio, Option<f64>, &'t Table<'a>);

/// More tables than this are not gone through one by one in a sentence.
const MANY: usize = 4;

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

    /// Its tables, or where there are many its first and its last.
    fn ends(&self) -> Vec<&'t Table<'a>> {
        match &self.tables[..] {
            [first, .., last] if self.tables.len() > MANY => vec![first, last],
            all => all.to_vec(),
        }
    }

    /// What the baseline takes, and of each strategy in its default mode that `against`
    /// names one for what it costs in place of that one.
    pub(super) fn sentence(&self, against: Against<'_>, seed: u64) -> Option<String> {
        let base = self.ends().into_iter().filter_map(|table| {
            let scale = digest::scale(table);
            Some(scale.with_unit(table.baseline()?.median) + &self.at(table))
        });
        let base: Vec<String> = base.collect();
        base.first()?;
        let takes = format!("{}: {BASELINE} takes {}", self.group, base.join(", "));
        let mut parts = vec![takes];
        let mut same: Vec<String> = Vec::new();
        let mut open: Vec<String> = Vec::new();
        for cell in self.arms(&|cell| cell.mode.is_empty()) {
            let Some(other) = against(cell) else {
                continue;
            };
            let pair = format!("{} as {other}", cell.arm());
            let ratios: Vec<Compared<'t, 'a>> = self
                .ends()
                .into_iter()
                .filter_map(|table| {
                    let other = default(table, &other)?;
                    compared(table, arm(table, cell)?, other, seed)
                })
                .collect();
            let moved = ratios
                .iter()
                .any(|(ratio, ..)| Mark::of(ratio) != Mark::Open);
            if moved {
                let each: Vec<String> =
                    ratios.iter().map(|compared| self.times(compared)).collect();
                parts.push(format!("{} {} times {other}", cell.arm(), each.join(", ")));
            } else if ratios
                .iter()
                .all(|(ratio, ..)| ratio.precision == Precision::Exact)
            {
                same.extend((!ratios.is_empty()).then_some(pair));
            } else {
                open.push(pair);
            }
        }
        for (pairs, what) in [(same, "exactly as much"), (open, "no difference shown")] {
            if !pairs.is_empty() {
                parts.push(format!("{what}: {}", pairs.join(", ")));
            }
        }
        Some(parts.join("; ") + ".")
    }

    /// Of the baseline, and of each arm in its default mode that is `shown`, what every
    /// table costs in place of the first that has a figure.
    pub(super) fn along(&self, shown: Shown<'_>, seed: u64) -> Vec<String> {
        let sentence = |cell: &Cell| {
            let mut having = self.tables.iter().filter_map(|table| {
                let arm = arm(table, cell)?;
                arm.figures.is_ok().then_some((*table, arm))
            });
            let (first, base) = having.next()?;
            let costs: Vec<String> = having
                .filter_map(|(table, arm)| Some(self.times(&compared(table, arm, base, seed)?)))
                .collect();
            let base = self.value(first);
            (!costs.is_empty()).then(|| {
                format!(
                    "{}: {} {} times {base}.",
                    self.group,
                    cell.arm(),
                    costs.join(", ")
                )
            })
        };
        let arms = self.arms(&|cell| cell.mode.is_empty() && (cell.is_baseline() || shown(cell)));
        arms.into_iter().filter_map(sentence).collect()
    }

    /// Of each strategy with modes that differ from its default in `name` alone, what its
    /// default costs in place of each.
    pub(super) fn modes(&self, name: &str, seed: u64) -> Vec<String> {
        let alone = |cell: &Cell| cell.mode.len() == 1 && cell.mode.contains_key(name);
        let sentence = |cell: &Cell| {
            let costs = self.ends().into_iter().filter_map(|table| {
                let default = default(table, &cell.strategy)?;
                Some(self.times(&compared(table, default, arm(table, cell)?, seed)?))
            });
            let costs: Vec<String> = costs.collect();
            let mode = cell.mode.get(name)?;
            let (group, strategy) = (&self.group, &cell.strategy);
            let costs = (!costs.is_empty()).then(|| costs.join(", "))?;
            Some(format!(
                "{group}: {strategy} {costs} times what it takes with {name}={mode}."
            ))
        };
        self.arms(&alone).into_iter().filter_map(sentence).collect()
    }

    /// `2.170 (+5,567 insn) on 1 CPU`
    fn times(&self, (ratio, difference, table): &Compared<'_, '_>) -> String {
        let [value, precision] = number::ratio(ratio);
        let known = match difference {
            Some(difference) => format!("({} insn)", number::difference(*difference)),
            None => precision,
        };
        format!("{value} {known}{}", self.at(table))
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

/// The arm of `strategy` in its default mode.
fn default<'t, 'a>(table: &'t Table<'a>, strategy: &str) -> Option<&'t Arm<'a>> {
    let mut arms = table.arms.iter();
    arms.find(|arm| arm.cell.mode.is_empty() && arm.cell.strategy == strategy)
}

/// What `arm` costs in place of `other`, in the unit of `table`.
fn compared<'t, 'a>(
    table: &'t Table<'a>,
    arm: &Arm<'_>,
    other: &Arm<'_>,
    seed: u64,
) -> Option<Compared<'t, 'a>> {
    let [arm, other] = [arm, other].map(|arm| arm.figures.as_ref().ok());
    let ratio = between(arm?, other?, table.unit, seed).ok()?;
    let difference = arm?.median - other?.median;
    Some((
        ratio,
        (table.unit == Some(Unit::Insn)).then_some(difference),
        table,
    ))
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
