// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is missing from a run, gathered by its cause: cells without figures, lost blocks,
//! ratios that do not exist, counts that should have repeated. One entry serves all arms
//! of a strategy that share the reason and all groups concerned.

use crate::{
    model::{self, Bed, Model, entry},
    number::NOT_DETERMINISTIC,
};
use results::{
    Testbed, Unit,
    cell::{Group, ParamValue},
    compare::{Arm, Hole, NoRatio, Table},
};
use std::collections::{BTreeMap, BTreeSet};

/// One cause of missing figures, lost blocks or undefined ratios of one strategy.
#[derive(PartialEq)]
pub(crate) struct Cause {
    pub(crate) testbed: Testbed,
    strategy: String,
    /// The arms of the strategy concerned.
    arms: Vec<String>,
    /// How many arms the strategy has on the testbed.
    arms_of: usize,
    pub(crate) what: String,
    pub(crate) remedy: Option<String>,
    /// The groups concerned.
    groups: Vec<Group>,
    /// In how many groups of the testbed the arm is.
    of: usize,
}

/// A reason without the sizes in it: `len=0x1000` and `len=0x40000` are one.
fn sizeless(what: &str) -> String {
    let mut parts = what.split("0x");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        out += part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    out
}

impl Cause {
    /// Whether both have one reason and one remedy.
    fn same_reason(&self, other: &Cause) -> bool {
        sizeless(&self.what) == sizeless(&other.what) && self.remedy == other.remedy
    }

    /// The arms concerned, by name or as `memfd-x (all 6 modes)`.
    pub(crate) fn who(&self) -> String {
        match self.arms.len() {
            n if n == self.arms_of && n > 1 => format!("{} (all {n} modes)", self.strategy),
            _ => self.arms.join(", "),
        }
    }

    /// `all 15 cells`, or the names of their groups.
    pub(crate) fn scope(&self) -> String {
        match self.groups.len() {
            n if n == self.of && n > 1 => format!("all {n} cells"),
            _ => scope(&self.groups),
        }
    }
}

/// The groups' names; of a workload in every combination of some values, one name with
/// the values: `fault/populate batch=1,64 method=write`.
fn scope(groups: &[Group]) -> String {
    let mut workloads: Vec<(&str, Vec<&Group>)> = Vec::new();
    for group in groups {
        let id = group.workload.as_str();
        entry(&mut workloads, |(known, _)| *known == id, || (id, vec![]))
            .1
            .push(group);
    }
    let names = workloads.into_iter().map(|(id, groups)| {
        let mut values: BTreeMap<&str, BTreeSet<&ParamValue>> = BTreeMap::new();
        for (name, value) in groups.iter().flat_map(|group| &group.params) {
            values.entry(name).or_default().insert(value);
        }
        let alike = groups
            .iter()
            .all(|group| group.params.len() == values.len());
        let combinations: usize = values.values().map(BTreeSet::len).product();
        if !alike || combinations != groups.len() {
            let names: Vec<String> = groups.iter().map(|group| group.to_string()).collect();
            return names.join(", ");
        }
        let words = values.into_iter().map(|(name, values)| {
            let values: Vec<String> = values.iter().map(|v| v.to_string()).collect();
            format!(" {name}={}", values.join(","))
        });
        id.to_string() + &words.collect::<String>()
    });
    names.collect::<Vec<_>>().join(", ")
}

/// Every cause of a run.
pub(crate) fn causes(model: &Model<'_>) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for cause in model.beds.iter().flat_map(of_bed) {
        // Arms of a strategy that differ in nothing else share an entry.
        let same = |other: &&mut Cause| {
            let key = |g: &Cause| (g.testbed, g.strategy.clone(), g.of);
            key(other) == key(&cause) && other.same_reason(&cause) && other.groups == cause.groups
        };
        match causes.iter_mut().find(same) {
            Some(other) => other.arms.extend(cause.arms),
            None => causes.push(cause),
        }
    }
    causes
}

/// How many arms of a run counted instructions that did not repeat.
pub(crate) fn not_deterministic(model: &Model<'_>) -> usize {
    let tables = model.beds.iter().flat_map(Bed::tables);
    let arms = tables.flat_map(|table| table.arms.iter().map(move |arm| (table, arm)));
    arms.filter(|(table, arm)| moved(table, arm).is_some())
        .count()
}

/// The causes of each arm by itself.
fn of_bed(bed: &Bed<'_>) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for table in bed.tables() {
        for arm in &table.arms {
            for (what, remedy) in reasons(table, arm) {
                let name = vec![arm.cell.arm()];
                let sized = sizeless(&what);
                let same =
                    |g: &Cause| g.arms == name && sizeless(&g.what) == sized && g.remedy == remedy;
                let cause = entry(&mut causes, same, || Cause {
                    testbed: bed.testbed,
                    strategy: arm.cell.strategy.clone(),
                    arms: name.clone(),
                    arms_of: arms_of(bed, &arm.cell.strategy),
                    what: what.clone(),
                    remedy: remedy.clone(),
                    groups: Vec::new(),
                    of: groups_of(bed, arm),
                });
                cause.groups.push(table.group.clone());
            }
        }
    }
    causes
}

fn arms_of(bed: &Bed<'_>, strategy: &str) -> usize {
    bed.arms.iter().filter(|c| c.strategy == strategy).count()
}

fn groups_of(bed: &Bed<'_>, arm: &Arm<'_>) -> usize {
    let with = bed.tables().filter(|t| model::arm(t, arm.cell).is_some());
    with.count()
}

/// Why an arm has no figures, fewer blocks, no ratio or unsteady counts; and the
/// remedy.
fn reasons(table: &Table<'_>, arm: &Arm<'_>) -> Vec<(String, Option<String>)> {
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
    let moved = moved(table, arm).map(|what| (what, None));
    [hole, lost, ratio, moved].into_iter().flatten().collect()
}

/// What an arm's blocks counted, if they should be equal and are not.
fn moved(table: &Table<'_>, arm: &Arm<'_>) -> Option<String> {
    let figures = arm.figures.as_ref().ok()?;
    let moved = table.unit == Some(Unit::Insn) && !figures.repeats();
    moved.then(|| {
        let scale = model::scale(table);
        let [min, max] = [figures.min, figures.max].map(|v| scale.show(v));
        let blocks = figures.blocks.len();
        format!(
            "{NOT_DETERMINISTIC}: {blocks} blocks counted {min} to {}",
            max + " " + scale.symbol
        )
    })
}

/// What is missing in a word: the errno, or as elsewhere.
pub(crate) fn word(hole: &Hole) -> String {
    match hole {
        Hole::Missing { errno, .. } => name(*errno),
        _ => model::short(hole).into(),
    }
}

/// The name of `errno`, as far as it is a common one.
fn name(errno: Option<i32>) -> String {
    match errno {
        Some(1) => "EPERM".into(),
        Some(14) => "EFAULT".into(),
        Some(22) => "EINVAL".into(),
        Some(95) => "EOPNOTSUPP".into(),
        Some(n) => format!("errno {n}"),
        None => "not here".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errno_is_named() {
        let check = |errno, expected: &str| assert_eq!(name(errno), expected);
        check(Some(14), "EFAULT");
        check(Some(7), "errno 7");
        check(None, "not here");
    }

    #[test]
    fn combinations_of_values_have_one_name() {
        fn check(groups: &[&[(&str, u64)]], expected: &str) {
            let group = |params: &&[(&str, u64)]| Group {
                testbed: Testbed::Lab,
                workload: "a/b".into(),
                params: params
                    .iter()
                    .map(|(n, v)| (n.to_string(), ParamValue::Int(*v)))
                    .collect(),
            };
            assert_eq!(
                scope(&groups.iter().map(group).collect::<Vec<_>>()),
                expected
            );
        }
        check(&[&[("x", 1)]], "a/b x=1");
        check(&[&[("x", 1)], &[("x", 12)], &[("x", 2)]], "a/b x=1,2,12");
        let all: [&[_]; 4] = [
            &[("x", 1), ("y", 5)],
            &[("x", 1), ("y", 6)],
            &[("x", 2), ("y", 5)],
            &[("x", 2), ("y", 6)],
        ];
        check(&all, "a/b x=1,2 y=5,6");
        check(&all[..3], "a/b x=1 y=5, a/b x=1 y=6, a/b x=2 y=5");
        check(&[&[("x", 1)], &[]], "a/b x=1, a/b");
        check(&[], "");
    }
}
