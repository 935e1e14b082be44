// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A run in the order of a report, computed once and written down by each format:
//! testbed, family, workload, table; then the holes, gathered by their reason.
//!
//! Nothing of the record is dropped on the way: every table of
//! [`results::compare`] is in exactly one section.

use crate::number::{Mark, Scale};
use results::{
    BASELINE, Run, Testbed, Unit,
    compare::{Arm, Figures, Hole, NoRatio, Table, compare},
    run::WorkloadInfo,
};

/// Everything a format needs to know about a run.
pub(crate) struct Digest<'a> {
    pub(crate) run: &'a Run,
    pub(crate) beds: Vec<Bed<'a>>,
}

/// All that was run on one testbed.
pub(crate) struct Bed<'a> {
    pub(crate) testbed: Testbed,
    pub(crate) families: Vec<Family<'a>>,
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

impl<'a> Digest<'a> {
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
                    families: Vec::new(),
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
        Digest { run, beds }
    }

    /// Every hole, loss of blocks and undefined ratio, gathered.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        self.beds.iter().flat_map(Bed::gaps).collect()
    }
}

/// The entry that `is` finds, made at the end if there is none.
fn entry<T>(list: &mut Vec<T>, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> &mut T {
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

    /// The strategies that have an arm in any table, in the order of the arms.
    pub(crate) fn strategies(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> = Vec::new();
        for arm in self.tables().flat_map(|t| &t.arms) {
            if !names.contains(&arm.cell.strategy.as_str()) {
                names.push(&arm.cell.strategy);
            }
        }
        names
    }

    /// How each strategy but the baseline came out, over all tables.
    pub(crate) fn tallies(&self) -> Vec<Tally> {
        let others = self.strategies().into_iter().filter(|s| *s != BASELINE);
        others.map(|strategy| self.tally(strategy)).collect()
    }

    fn tally(&self, strategy: &str) -> Tally {
        let mut tally = Tally {
            strategy: strategy.to_string(),
            ..Tally::default()
        };
        for table in self.tables() {
            let Some(arm) = arm(table, strategy) else {
                continue;
            };
            tally.of += 1;
            let Ok(ratio) = &arm.ratio else {
                tally.without += 1;
                continue;
            };
            match Mark::of(ratio) {
                Mark::Open => tally.open += 1,
                Mark::Less => tally.less += 1,
                Mark::More => {
                    tally.more += 1;
                    if tally
                        .most
                        .as_ref()
                        .is_none_or(|(most, _)| *most < ratio.value)
                    {
                        tally.most = Some((ratio.value, table.group.to_string()));
                    }
                }
            }
        }
        tally
    }

    fn gaps(&self) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = Vec::new();
        for table in self.tables() {
            let arms = table.arms.iter();
            for (arm, (what, remedy)) in arms.flat_map(|arm| reasons(arm).map(move |r| (arm, r))) {
                let strategy = &arm.cell.strategy;
                let same =
                    |g: &Gap| g.strategy == *strategy && g.what == what && g.remedy == remedy;
                let gap = entry(&mut gaps, same, || Gap {
                    testbed: self.testbed,
                    strategy: strategy.clone(),
                    what: what.clone(),
                    remedy: remedy.clone(),
                    groups: Vec::new(),
                    of: self.tables().filter(|t| arm_exists(t, strategy)).count(),
                });
                gap.groups.push(table.group.to_string());
            }
        }
        gaps
    }
}

/// The arm of `strategy`.
pub(crate) fn arm<'t, 'a>(table: &'t Table<'a>, strategy: &str) -> Option<&'t Arm<'a>> {
    table.arms.iter().find(|arm| arm.cell.strategy == strategy)
}

fn arm_exists(table: &Table<'_>, strategy: &str) -> bool {
    arm(table, strategy).is_some()
}

/// The figures of every arm that has some.
pub(crate) fn figures<'t>(table: &'t Table<'_>) -> impl Iterator<Item = &'t Figures> {
    table
        .arms
        .iter()
        .filter_map(|arm| arm.figures.as_ref().ok())
}

/// The scale of a table.
pub(crate) fn scale(table: &Table<'_>) -> Scale {
    let unit = table.unit.unwrap_or(Unit::Ns);
    Scale::of(unit, figures(table).map(|f| f.median))
}

/// How one strategy came out over all tables of a testbed.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) strategy: String,
    /// In how many tables it has an arm.
    pub(crate) of: usize,
    /// The interval lies above 1.
    pub(crate) more: usize,
    /// The interval lies below 1.
    pub(crate) less: usize,
    /// The interval contains 1, or there are too few blocks for one.
    pub(crate) open: usize,
    /// There is no ratio.
    pub(crate) without: usize,
    /// The greatest ratio whose interval lies above 1, and its group.
    pub(crate) most: Option<(f64, String)>,
}

/// One reason for one strategy's holes, lost blocks or undefined ratios.
pub(crate) struct Gap {
    pub(crate) testbed: Testbed,
    pub(crate) strategy: String,
    pub(crate) what: String,
    pub(crate) remedy: Option<String>,
    /// The groups concerned.
    pub(crate) groups: Vec<String>,
    /// In how many groups of the testbed the strategy has an arm.
    pub(crate) of: usize,
}

impl Gap {
    /// `all 15 cells`, or the names of their groups.
    pub(crate) fn scope(&self) -> String {
        match self.groups.len() {
            n if n == self.of && n > 1 => format!("all {n} cells"),
            _ => self.groups.join(", "),
        }
    }
}

/// Why an arm has no figures, fewer blocks, or no ratio; and the remedy.
fn reasons(arm: &Arm<'_>) -> impl Iterator<Item = (String, Option<String>)> {
    let hole = arm.figures.as_ref().err().map(|hole| match hole {
        Hole::Missing { remedy, .. } => (hole.to_string(), Some(remedy.clone())),
        _ => (hole.to_string(), None),
    });
    let lost = arm.lost.as_ref().map(|lost| {
        let what = format!("{} of {} blocks lost: {}", lost.blocks, lost.of, lost.error);
        (what, None)
    });
    let ratio = match &arm.ratio {
        Ok(_) | Err(NoRatio::IsBaseline | NoRatio::NoFigures) => None,
        Err(why) => Some((format!("no ratio: {why}"), None)),
    };
    hole.into_iter().chain(lost).chain(ratio)
}
