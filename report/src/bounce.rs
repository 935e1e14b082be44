// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What bouncing costs: of workloads with a parameter `bounce`, each arm's ways of
//! bouncing one below the other, against none at all and against the baseline that
//! bounces in the same way.
//!
//! An arm that cannot do without keeps its line for `none`, with the word of the
//! kernel, and its other lines say that for want of it they have no ratio.

use crate::{
    counters,
    missing::word,
    model::{self, Model, Workload},
    number::{self, Scale},
    shape::{BOUNCE, UNBOUNCED},
};
use results::{
    Cell, Unit,
    cell::Group,
    compare::{Arm, NoRatio, Table, between, pooled},
    counter::virtio,
    stats::{NotEnough, Precision, Ratio, Sorted, Tail},
};

/// The ways of bouncing of every arm, with all other parameters the same.
pub(crate) struct Bouncing<'a> {
    /// The workload and the other parameters.
    pub(crate) group: Group,
    /// The series of the costs.
    pub(crate) series: &'a str,
    /// The unit of the costs; `None` if nothing was measured.
    unit: Option<Unit>,
    /// The scale of the costs.
    pub(crate) scale: Scale,
    /// The arms in the order of the report, each with every way of bouncing.
    pub(crate) arms: Vec<(&'a Cell, Vec<Way>)>,
}

/// One way of bouncing of one arm.
pub(crate) struct Way {
    /// The value of the parameter.
    pub(crate) bounce: String,
    /// What it costs, or why nothing is known.
    pub(crate) cost: Result<Cost, NoCost>,
    /// The ratio to no bouncing of the same arm, or what stands in its place.
    pub(crate) over_none: Result<Ratio, String>,
    /// The ratio to the baseline that bounces the same way, or the like.
    pub(crate) over_baseline: Result<Ratio, String>,
}

/// What one way of bouncing costs, in the unit of the samples.
pub(crate) struct Cost {
    /// How many blocks count.
    pub(crate) blocks: usize,
    /// The median over blocks of one request.
    pub(crate) median: f64,
    /// Half of all requests are at or below it.
    pub(crate) p50: Result<f64, NotEnough>,
    /// 99 % are.
    pub(crate) p99: Result<f64, NotEnough>,
    /// Bytes of a request over its median: MB/s, or bytes per 1,000 instructions;
    /// `None` if the parameters name no size.
    pub(crate) rate: Option<f64>,
    /// Bytes copied, by the VMM or the guest, per byte moved; `None` if not counted.
    pub(crate) copied: Option<f64>,
}

/// Why a way of bouncing has no figures.
pub(crate) struct NoCost {
    /// In a word: `EFAULT`.
    pub(crate) word: String,
}

/// What it is, as a title.
pub(crate) const TITLE: &str = "What bouncing costs";

/// How many samples p50 takes by the rule of [`Tail`]: 100 beyond it.
const HALF: usize = 200;

/// What the columns mean, whatever the unit.
const ABOUT: &str = "over none: against bounce=none of the same arm; over memfd: against memfd \
that bounces in the same way; both by the ratio in the same block. The ways of bouncing of a block \
ran one after another, in a fixed order. copied: bytes that the VMM or the guest copied, per \
byte that the disk moved. p50, p99: of the samples of all blocks together, if 100 lie beyond.";

/// The ways of bouncing of `workload`, a table for each setting of the others of
/// its parameters; none if it does not bounce. `seed` is the header's.
pub(crate) fn of<'a>(workload: &Workload<'a>, seed: u64) -> Vec<Bouncing<'a>> {
    let mut settings: Vec<(Group, Ways<'_, 'a>)> = Vec::new();
    for table in &workload.tables {
        let mut group = table.group.clone();
        if let Some(bounce) = group.params.remove(BOUNCE) {
            let same = |(other, _): &(Group, _)| *other == group;
            let setting = model::entry(&mut settings, same, || (group.clone(), vec![]));
            setting.1.push((bounce.to_string(), table));
        }
    }
    let settings = settings.into_iter();
    settings
        .map(|(group, ways)| bouncing(group, &ways, seed))
        .collect()
}

/// What the columns mean; nothing if there are no tables.
pub(crate) fn about(tables: &[Bouncing<'_>]) -> Option<String> {
    let rate = match tables.first()?.unit {
        Some(Unit::Insn) => {
            "B/kinsn: bytes of a request per 1,000 instructions of it; how far a path carries, \
             not how fast."
        }
        _ => "MB/s: bytes of a request over its median time.",
    };
    Some(format!("{rate} {ABOUT}"))
}

/// How many intervals of ratios to no bouncing a run has.
pub(crate) fn intervals(model: &Model<'_>) -> usize {
    let workloads = model.beds.iter().flat_map(|bed| {
        let workloads = bed.families.iter().flat_map(|family| &family.workloads);
        workloads.map(|workload| (workload, bed.seed))
    });
    let tables = workloads.flat_map(|(workload, seed)| of(workload, seed));
    let ways = tables
        .flat_map(|table| table.arms)
        .flat_map(|(_, ways)| ways);
    let ratios = ways.filter_map(|way| way.over_none.ok());
    let known = ratios.filter(|r| matches!(r.precision, Precision::Interval(_)));
    known.count()
}

impl Bouncing<'_> {
    /// What [`Cost::rate`] is in.
    pub(crate) fn rate(&self) -> &'static str {
        match self.unit {
            Some(Unit::Insn) => "B/kinsn",
            _ => "MB/s",
        }
    }

    /// Each percentile with whether any way of bouncing has it; if not, from the
    /// most samples.
    pub(crate) fn percentiles(&self) -> [(&'static str, Result<(), NotEnough>); 2] {
        let ways = self.arms.iter().flat_map(|(_, ways)| ways);
        let costs: Vec<&Cost> = ways.filter_map(|way| way.cost.as_ref().ok()).collect();
        let most = |of: fn(&Cost) -> Result<f64, NotEnough>| {
            let found = costs.iter().map(|cost| of(cost).map(|_| ()));
            let have =
                |found: &Result<(), NotEnough>| found.map_or_else(|few| few.have, |()| usize::MAX);
            found.max_by_key(have).unwrap_or(Ok(()))
        };
        [
            ("p50", most(|cost| cost.p50)),
            ("p99", most(|cost| cost.p99)),
        ]
    }

    /// Which percentiles no way of bouncing has, and why; nothing if all are known.
    pub(crate) fn few(&self) -> Option<String> {
        let few = self
            .percentiles()
            .map(|(name, most)| Some(format!("{name}: {}", most.err()?)));
        let few: Vec<String> = few.into_iter().flatten().collect();
        (!few.is_empty()).then(|| few.join("; "))
    }
}

impl Cost {
    /// As the columns have it: median, p50, p99, rate, copied.
    pub(crate) fn shown(&self, scale: Scale) -> [String; 5] {
        let percentile = |value: &Result<f64, NotEnough>| match value {
            Ok(value) => scale.show(*value),
            Err(few) => format!("needs {}", number::grouped(&few.need.to_string())),
        };
        let known = |value: Option<f64>, show: fn(f64) -> String| {
            value.map_or_else(|| "-".to_string(), show)
        };
        [
            scale.show(self.median),
            percentile(&self.p50),
            percentile(&self.p99),
            known(self.rate, |rate| number::significant(rate, 4)),
            known(self.copied, number::count),
        ]
    }
}

/// Tables that differ in the way of bouncing only.
type Ways<'t, 'a> = Vec<(String, &'t Table<'a>)>;

fn bouncing<'a>(group: Group, ways: &Ways<'_, 'a>, seed: u64) -> Bouncing<'a> {
    let tables = || ways.iter().map(|(_, table)| *table);
    let unit = tables().find_map(|table| table.unit);
    let none = ways.iter().find(|(bounce, _)| bounce == UNBOUNCED);
    let none = none.map(|(_, table)| *table);
    let mut cells: Vec<&'a Cell> = Vec::new();
    for arm in tables().flat_map(|table| &table.arms) {
        if cells.iter().all(|known| known.arm() != arm.cell.arm()) {
            cells.push(arm.cell);
        }
    }
    let arms = cells.into_iter().map(|cell| {
        let way = |(bounce, table): &(String, &Table<'_>)| {
            let arm = model::arm(table, cell);
            Way {
                bounce: bounce.clone(),
                cost: cost(table, arm, unit),
                over_none: over_none((table, arm), none, cell, seed),
                over_baseline: over_baseline(table, arm),
            }
        };
        (cell, ways.iter().map(way).collect())
    });
    let medians = tables().flat_map(model::figures).map(|f| f.median);
    Bouncing {
        series: tables().next().map_or("", |table| table.series),
        scale: Scale::of(unit.unwrap_or(Unit::Ns), medians),
        unit,
        arms: arms.collect(),
        group,
    }
}

fn cost(table: &Table<'_>, arm: Option<&Arm<'_>>, unit: Option<Unit>) -> Result<Cost, NoCost> {
    let not = |word: &str| NoCost {
        word: word.to_string(),
    };
    let arm = arm.ok_or_else(|| not("not run"))?;
    let figures = arm.figures.as_ref();
    let figures = figures.map_err(|hole| not(&word(hole)))?;
    if table.unit != unit {
        return Err(not("units"));
    }
    let samples = pooled(&arm.rows, table.detail);
    // A byte a nanosecond is 1,000 MB/s.
    let rate = |bytes: u64| bytes as f64 * 1_000.0 / figures.median;
    Ok(Cost {
        blocks: figures.blocks.len(),
        median: figures.median,
        p50: half(&samples),
        p99: Tail::P99.of(&samples),
        rate: arm
            .cell
            .int("bytes")
            .filter(|_| figures.median > 0.0)
            .map(rate),
        copied: copied(arm),
    })
}

fn half(samples: &Sorted) -> Result<f64, NotEnough> {
    let have = samples.len();
    let value = samples.quantile(0.5).filter(|_| have >= HALF);
    value.ok_or(NotEnough { have, need: HALF })
}

/// By counters of the VMM and of the guest, of which a record may lack one.
fn copied(arm: &Arm<'_>) -> Option<f64> {
    let counts = counters::medians(&arm.rows);
    let [vmm, guest] =
        [virtio::COPIED, virtio::GUEST_COPIED].map(|counter| counts.get(counter.key));
    vmm.or(guest)?;
    let moved = counts
        .get(virtio::MOVED.key)
        .filter(|moved| **moved > 0.0)?;
    Some((vmm.unwrap_or(&0.0) + guest.unwrap_or(&0.0)) / moved)
}

/// Of the arm of `cell`, here with its table, to the same arm in `none`.
fn over_none(
    (table, arm): (&Table<'_>, Option<&Arm<'_>>),
    none: Option<&Table<'_>>,
    cell: &Cell,
    seed: u64,
) -> Result<Ratio, String> {
    let figures = arm.and_then(|arm| arm.figures.as_ref().ok());
    let figures = figures.ok_or_else(|| nothing(""))?;
    if none.is_some_and(|none| none.group == table.group) {
        return Err("base".into());
    }
    let base = none.and_then(|none| Some((none, model::arm(none, cell)?)));
    let (none, base) = base.ok_or_else(|| nothing("not run"))?;
    let base = base.figures.as_ref();
    let base = base.map_err(|hole| nothing(&word(hole)))?;
    if table.unit != none.unit {
        return Err(nothing("units"));
    }
    between(figures, base, table.unit, seed).map_err(|why| nothing(&why.to_string()))
}

fn over_baseline(table: &Table<'_>, arm: Option<&Arm<'_>>) -> Result<Ratio, String> {
    let ratio = &arm.ok_or_else(|| nothing(""))?.ratio;
    ratio.clone().map_err(|why| match why {
        NoRatio::IsBaseline => "base".into(),
        NoRatio::NoFigures => nothing(""),
        NoRatio::NoBaseline(_) => {
            let base = table.arms.iter().find(|arm| arm.cell.is_baseline());
            let hole = base.and_then(|arm| arm.figures.as_ref().err());
            nothing(&hole.map_or("not run".into(), word))
        }
        NoRatio::Undefined(why) => nothing(&why.to_string()),
    })
}

/// No ratio, and why, if that is not plain from the line.
fn nothing(why: &str) -> String {
    match why {
        "" => "-".to_string(),
        why => format!("- ({why})"),
    }
}

#[cfg(test)]
mod tests;
