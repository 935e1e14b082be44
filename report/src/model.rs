// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A run compared and in the order of a report, from which every section is made: testbed,
//! family, workload, table.
//!
//! Nothing of the record is dropped on the way: every table of
//! [`results::compare`] is in exactly one section.

use crate::number::{Mark, Scale};
use results::{
    BASELINE, Cell, Run, Testbed, Unit,
    cell::Group,
    compare::{Arm, Figures, Hole, Table, compare, sort_arms},
    run::WorkloadInfo,
    stats::Precision,
};

/// Everything a section needs to know about a run.
pub(crate) struct Model<'a> {
    pub(crate) run: &'a Run,
    /// Whether the reader sees figures.
    pub(crate) drawn: bool,
    pub(crate) beds: Vec<Bed<'a>>,
}

/// All that was run on one testbed.
pub(crate) struct Bed<'a> {
    pub(crate) testbed: Testbed,
    /// The run's seed, for ratios that are not in any table.
    pub(crate) seed: u64,
    pub(crate) families: Vec<Family<'a>>,
    /// A cell of every arm in any table, in the order of the arms.
    pub(crate) arms: Vec<&'a Cell>,
}

/// The workloads that share the part of their id before the slash.
pub(crate) struct Family<'a> {
    pub(crate) name: String,
    pub(crate) workloads: Vec<Workload<'a>>,
}

/// One workload with a table for each setting of its parameters.
pub(crate) struct Workload<'a> {
    pub(crate) id: String,
    /// `None` if the plan does not know the workload.
    pub(crate) info: Option<&'a WorkloadInfo>,
    pub(crate) tables: Vec<Table<'a>>,
}

impl<'a> Model<'a> {
    pub(crate) fn of(run: &'a Run) -> Self {
        let mut beds: Vec<Bed<'a>> = Vec::new();
        for table in compare(run) {
            let testbed = table.group.testbed;
            let family = family(&table.group.workload).to_string();
            let id = table.group.workload.clone();
            let bed = entry(
                &mut beds,
                |b| b.testbed == testbed,
                || Bed {
                    testbed,
                    seed: run.header.seed,
                    families: Vec::new(),
                    arms: Vec::new(),
                },
            );
            let family = entry(
                &mut bed.families,
                |f| f.name == family,
                || Family {
                    name: family.clone(),
                    workloads: Vec::new(),
                },
            );
            let workload = entry(
                &mut family.workloads,
                |w| w.id == id,
                || Workload {
                    info: run.workload(&id),
                    id: id.clone(),
                    tables: Vec::new(),
                },
            );
            workload.tables.push(table);
        }
        beds.sort_by_key(|bed| bed.testbed);
        for bed in &mut beds {
            for workload in bed.families.iter_mut().flat_map(|f| &mut f.workloads) {
                // By number where parameters are numbers: 4 CPUs before 16.
                workload
                    .tables
                    .sort_by(|a, b| a.group.params.cmp(&b.group.params));
            }
            let mut arms: Vec<&Cell> = Vec::new();
            for arm in bed.tables().flat_map(|t| &t.arms) {
                if arms.iter().all(|known| !same_arm(known, arm.cell)) {
                    arms.push(arm.cell);
                }
            }
            sort_arms(&run.plan, &mut arms, |cell| cell.arm_id());
            bed.arms = arms;
        }
        Model {
            run,
            drawn: false,
            beds,
        }
    }

    /// The same for a reader who sees figures.
    pub(crate) fn drawn(run: &'a Run) -> Self {
        Model {
            drawn: true,
            ..Model::of(run)
        }
    }

    /// Every table of every testbed.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Table<'a>> {
        self.beds.iter().flat_map(Bed::tables)
    }

    /// Whether anything was run on `testbed`.
    pub(crate) fn ran_on(&self, testbed: Testbed) -> bool {
        self.beds.iter().any(|bed| bed.testbed == testbed)
    }

    /// The strategy that the one of `cell` differs from in the fewest things; the baseline
    /// if the record does not say.
    pub(crate) fn counterpart(&self, cell: &Cell) -> String {
        let mut infos = self.run.plan.strategies.iter();
        let info = infos.find(|info| info.name == cell.strategy);
        let other = info.and_then(|info| info.differs_from.clone());
        other.unwrap_or_else(|| BASELINE.to_string())
    }

    /// Whether the strategy of `cell` claims to hide guest memory.
    pub(crate) fn hides(&self, cell: &Cell) -> bool {
        let mut infos = self.run.plan.strategies.iter();
        infos.any(|info| info.isolating && info.name == cell.strategy)
    }
}

/// The parameter that says how many CPUs the lab has.
pub(crate) const LAB_CPUS: &str = "lab_cpus";

/// `1 CPU`, `4 CPUs`.
pub(crate) fn cpus(n: u64) -> String {
    match n {
        1 => "1 CPU".to_string(),
        n => format!("{n} CPUs"),
    }
}

/// `tables` that differ in parameter `name` alone, together with what they have in common.
pub(crate) fn across<'t, 'a: 't>(
    tables: impl IntoIterator<Item = &'t Table<'a>>,
    name: &str,
) -> Vec<(Group, Vec<&'t Table<'a>>)> {
    let mut all: Vec<(Group, Vec<&'t Table<'a>>)> = Vec::new();
    for table in tables {
        let mut group = table.group.clone();
        group.params.remove(name);
        let same = |(known, _): &(Group, _)| *known == group;
        let of = entry(&mut all, same, || (group.clone(), Vec::new()));
        of.1.push(table);
    }
    all
}

/// The entry that `is` finds, made at the end if there is none.
pub(crate) fn entry<T>(
    list: &mut Vec<T>,
    is: impl Fn(&T) -> bool,
    make: impl FnOnce() -> T,
) -> &mut T {
    let at = list.iter().position(is).unwrap_or_else(|| {
        list.push(make());
        list.len() - 1
    });
    &mut list[at]
}

fn family(workload: &str) -> &str {
    workload.split('/').next().unwrap_or(workload)
}

impl<'a> Bed<'a> {
    /// All tables, in order.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Table<'a>> {
        let workloads = self.families.iter().flat_map(|f| &f.workloads);
        workloads.flat_map(|w| &w.tables)
    }

    /// The tables of a workload, in order; `ID?NAME=VALUE` narrows them to one value of
    /// a parameter.
    pub(crate) fn select(&self, wanted: &str) -> Vec<&Table<'a>> {
        let mut words = wanted.split('?');
        let id = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        let has = |table: &&Table<'_>| {
            words.iter().all(|word| {
                let (name, value) = word.split_once('=').unwrap_or((word, ""));
                let has = table.group.params.get(name);
                has.is_none_or(|has| has.to_string() == value)
            })
        };
        let of = self.tables().filter(|table| table.group.workload == id);
        of.filter(has).collect()
    }

    /// The arms of strategies with their defaults.
    pub(crate) fn defaults(&self) -> Vec<&'a Cell> {
        let arms = self.arms.iter().filter(|cell| cell.mode.is_empty());
        arms.copied().collect()
    }

    /// For each strategy that has modes, all its arms, the defaults first.
    pub(crate) fn modes(&self) -> Vec<Vec<&'a Cell>> {
        let strategies = self.arms.chunk_by(|a, b| a.strategy == b.strategy);
        let moded = strategies.filter(|arms| arms.iter().any(|cell| !cell.mode.is_empty()));
        moded.map(<[_]>::to_vec).collect()
    }

    /// How each of `arms` but the baseline came out, over all tables.
    pub(crate) fn tallies(&self, arms: &[&Cell]) -> Vec<Tally> {
        let others = arms.iter().filter(|cell| !cell.is_baseline());
        others.map(|cell| self.tally(cell)).collect()
    }

    fn tally(&self, cell: &Cell) -> Tally {
        let mut tally = Tally {
            arm: cell.arm(),
            ..Tally::default()
        };
        for table in self.tables() {
            let Some(arm) = arm(table, cell) else {
                continue;
            };
            tally.of += 1;
            let Ok(ratio) = &arm.ratio else {
                tally.without += 1;
                continue;
            };
            match Mark::of(ratio) {
                Mark::Open if ratio.precision == Precision::Exact => tally.same += 1,
                Mark::Open => tally.open += 1,
                Mark::Less => tally.less += 1,
                Mark::More => {
                    tally.more += 1;
                    tally.ratios.push(ratio.value);
                }
            }
        }
        tally.ratios.sort_by(f64::total_cmp);
        tally
    }
}

/// The arm of `table` that is of the same strategy in the same mode as `cell`.
pub(crate) fn arm<'t, 'a>(table: &'t Table<'a>, cell: &Cell) -> Option<&'t Arm<'a>> {
    table.arms.iter().find(|arm| same_arm(arm.cell, cell))
}

/// The arm of `table` that is of `strategy` in its default mode.
pub(crate) fn default_arm<'t, 'a>(table: &'t Table<'a>, strategy: &str) -> Option<&'t Arm<'a>> {
    let mut arms = table.arms.iter();
    arms.find(|arm| arm.cell.mode.is_empty() && arm.cell.strategy == strategy)
}

/// Whether both are of one strategy in one mode.
pub(crate) fn same_arm(a: &Cell, b: &Cell) -> bool {
    a.arm_id() == b.arm_id()
}

/// How many more instructions than the baseline an arm takes; `None` for the
/// baseline, without figures of either, and where instructions are not counted.
pub(crate) fn difference(table: &Table<'_>, arm: &Arm<'_>) -> Option<f64> {
    let counted = table.unit == Some(Unit::Insn) && !arm.cell.is_baseline();
    let arm = arm.figures.as_ref().ok().filter(|_| counted)?;
    Some(arm.median - table.baseline()?.median)
}

/// Whether a table counts instructions and every arm repeats its count.
pub(crate) fn exact(table: &Table<'_>) -> bool {
    table.unit == Some(Unit::Insn) && figures(table).all(Figures::repeats)
}

/// The figures of every arm that has some.
pub(crate) fn figures<'t>(table: &'t Table<'_>) -> impl Iterator<Item = &'t Figures> {
    table
        .arms
        .iter()
        .filter_map(|arm| arm.figures.as_ref().ok())
}

/// Why an arm has no figures, in one word.
pub(crate) fn short(hole: &Hole) -> &'static str {
    match hole {
        Hole::Missing { .. } => "missing",
        Hole::Failed { .. } => "failed",
        Hole::Units { .. } => "units",
        Hole::NotRun => "not run",
    }
}

/// The scale of a table.
pub(crate) fn scale(table: &Table<'_>) -> Scale {
    let unit = table.unit.unwrap_or(Unit::Ns);
    Scale::of(unit, figures(table).map(|f| f.median))
}

/// How one arm came out over all tables of a testbed.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) arm: String,
    /// In how many tables it has an arm.
    pub(crate) of: usize,
    /// [`Mark::More`].
    pub(crate) more: usize,
    /// [`Mark::Less`].
    pub(crate) less: usize,
    /// An exact ratio of 1.
    pub(crate) same: usize,
    /// [`Mark::Open`] otherwise: nothing is known of a difference.
    pub(crate) open: usize,
    /// There is no ratio.
    pub(crate) without: usize,
    /// The ratios marked as more, ascending.
    pub(crate) ratios: Vec<f64>,
}
