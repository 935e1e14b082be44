// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From a run to tables: within each group, every arm against the baseline. An
//! arm is a strategy in a mode.
//!
//! A table is complete. Every arm of the plan or the record has a line with
//! figures or with the reason why there are none, so that nothing a run was
//! meant to measure can go unnoticed. Only blocks after the warm-up count, one
//! number a block; a ratio pairs the blocks of two arms and never mixes units.

use crate::cell::{ArmId, Group};
use crate::stats::{Interval, Precision, Ratio, Sorted, Undefined, median, median_interval};
use crate::stats::{counted_ratio, paired_ratio, sample_median};
use crate::{BASELINE, Cell, Outcome, Plan, Row, Run, Unit, record};
use std::collections::BTreeMap;

/// One number a block, by block; block 0 is never among them.
pub type Blocks = BTreeMap<u32, f64>;

/// The arms of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<'a> {
    /// What the arms have in common.
    pub group: Group,
    /// The series compared: the workload's headline, or the first series of the
    /// record if the plan does not know the workload.
    pub series: &'a str,
    /// The series that curves, histograms and tails show: the plan's detail, or
    /// the series compared.
    pub detail: &'a str,
    /// The unit of every figure; `None` if there are no figures.
    pub unit: Option<Unit>,
    /// The arms in the order of the plan's strategies; within a strategy its
    /// defaults first, then its modes in name order.
    pub arms: Vec<Arm<'a>>,
}

/// One strategy in one mode in one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm<'a> {
    /// Its cell.
    pub cell: &'a Cell,
    /// Every row of the cell, warm-up included, in the order of the record.
    pub rows: Vec<&'a Row>,
    /// The figures, or why there are none.
    pub figures: Result<Figures, Hole>,
    /// The ratio to the baseline, or why there is none.
    pub ratio: Result<Ratio, NoRatio>,
    /// Counted blocks that yielded nothing although others did.
    pub lost: Option<Lost>,
}

/// What is known of an arm's headline series. Numbers are in the unit of the
/// table and are per operation: a sample over several is divided by its batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The median of each counted block.
    pub blocks: Blocks,
    /// The median over blocks.
    pub median: f64,
    /// Its 95 % interval; `None` with too few blocks.
    pub interval: Option<Interval>,
    /// The least block.
    pub min: f64,
    /// The greatest block.
    pub max: f64,
    /// How many samples stand behind the blocks.
    pub samples: u64,
}

/// Why an arm has no figures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Hole {
    /// The machine lacks something.
    #[error("missing: {reason}")]
    Missing {
        /// What it lacks.
        reason: String,
        /// What would provide it.
        remedy: String,
        /// The errno of the call that said so, where it is known.
        errno: Option<i32>,
    },
    /// No counted block yielded samples.
    #[error("failed in {failed} of {of} blocks: {error}")]
    Failed {
        /// The first error.
        error: String,
        /// How many blocks failed, warm-up included.
        failed: usize,
        /// How many were recorded, warm-up included; without it where rows
        /// claim to be measured and hold nothing.
        of: usize,
    },
    /// The samples have a unit other than that of the rows beside them or of the
    /// baseline, and comparing them would mean nothing.
    #[error("samples in {found} among samples in {expected}: not compared")]
    Units {
        /// The unit that does not belong.
        found: Unit,
        /// The unit of the first row, or of the table.
        expected: Unit,
    },
    /// The run ended before a counted block of this cell was recorded.
    #[error("not run: the run ended before this cell had a block after the warm-up")]
    NotRun,
}

/// Why an arm has no ratio.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRatio {
    /// It is what the others are compared with.
    #[error("the baseline")]
    IsBaseline,
    /// It has no figures itself.
    #[error("no figures")]
    NoFigures,
    /// The baseline has none; the reason is the baseline's.
    #[error("no baseline: {0}")]
    NoBaseline(String),
    /// Both have figures and yet the ratio does not exist.
    #[error("{0}")]
    Undefined(Undefined),
}

/// Blocks that did not yield samples although others of the same cell did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// How many of the counted blocks.
    pub blocks: usize,
    /// How many counted blocks were recorded.
    pub of: usize,
    /// Why the first was lost.
    pub error: String,
}

/// Compares every group of `run`, in the order of the plan. The header's seed
/// decides the bootstrap, so that one run has one set of intervals.
pub fn compare(run: &Run) -> Vec<Table<'_>> {
    let mut rows: BTreeMap<&Cell, Vec<&Row>> = run.by_cell().into_iter().collect();
    let recorded: Vec<&Cell> = run.by_cell().into_iter().map(|(cell, _)| cell).collect();
    let mut order: Vec<Group> = Vec::new();
    let mut groups: BTreeMap<Group, Vec<Arm<'_>>> = BTreeMap::new();
    for cell in run.plan.cells.iter().chain(recorded) {
        let arms = groups.entry(cell.group()).or_default();
        if arms.is_empty() {
            order.push(cell.group());
        }
        if arms.iter().all(|arm| arm.cell != cell) {
            arms.push(Arm {
                cell,
                rows: rows.remove(cell).unwrap_or_default(),
                figures: Err(Hole::NotRun),
                ratio: Err(NoRatio::NoFigures),
                lost: None,
            });
        }
    }
    let tables = order.into_iter().map(|group| {
        let mut arms = groups.remove(&group).unwrap_or_default();
        sort_arms(&run.plan, &mut arms, |arm| arm.cell.arm_id());
        let planned = run.workload(&group.workload);
        let headline = planned.map(|w| w.headline.as_str());
        let series = headline.unwrap_or_else(|| first_series(&arms));
        let detail = planned.and_then(|w| w.detail.as_deref());
        Table {
            detail: detail.unwrap_or(series),
            ..table(group, series, arms, run.header.seed)
        }
    });
    tables.collect()
}

/// Sorts what belongs to arms as tables have them: by the plan's strategies, then
/// by first appearance, and within a strategy by mode, the defaults first.
pub fn sort_arms<T>(plan: &Plan, items: &mut [T], arm: impl Fn(&T) -> ArmId<'_>) {
    let mut names: Vec<String> = plan.strategies.iter().map(|s| s.name.clone()).collect();
    for item in items.iter() {
        let name = arm(item).strategy;
        if names.iter().all(|known| known != name) {
            names.push(name.to_string());
        }
    }
    items.sort_by_cached_key(|item| {
        let ArmId { strategy, mode } = arm(item);
        (names.iter().position(|n| n == strategy), mode.clone())
    });
}

impl Table<'_> {
    /// The figures of the baseline, if it has some.
    pub fn baseline(&self) -> Option<&Figures> {
        let arm = self.arms.iter().find(|arm| arm.cell.is_baseline())?;
        arm.figures.as_ref().ok()
    }
}

impl Figures {
    /// Whether every block has the same figure.
    pub fn repeats(&self) -> bool {
        self.min == self.max
    }
}

/// The median of `series` in each counted block of `rows`, per operation. Rows
/// without that series, or with nothing in it, are passed over.
pub fn blocks(rows: &[&Row], series: &str) -> Blocks {
    let mut blocks = Blocks::new();
    for (block, row) in counted(rows) {
        if let Ok((_, samples, batch)) = series_of(row, series)
            && let Some(median) = sample_median(samples)
        {
            blocks.entry(block).or_insert(median / batch as f64);
        }
    }
    blocks
}

/// All samples of `series` in the counted blocks of `rows`, per operation. For
/// description only: samples of one block are not independent of one another.
pub fn pooled(rows: &[&Row], series: &str) -> Sorted {
    let mut values = Vec::new();
    for (_, row) in counted(rows) {
        if let Ok((_, samples, batch)) = series_of(row, series) {
            values.extend(samples.iter().map(|&s| s as f64 / batch as f64));
        }
    }
    Sorted::new(values)
}

/// The rows of blocks after the warm-up.
fn counted<'a>(rows: &[&'a Row]) -> impl Iterator<Item = (u32, &'a Row)> {
    let rows = rows.iter().filter_map(|row| Some((row.block?, *row)));
    rows.filter(|(block, _)| *block != 0)
}

/// The unit, the samples (one at least) and the batch (not 0) of `series`, or
/// why the row has none.
fn series_of<'a>(row: &'a Row, series: &str) -> Result<(Unit, &'a [u64], u64), String> {
    match &row.outcome {
        Outcome::Measured {
            unit,
            samples,
            batch,
            ..
        } => {
            let batch = batch.get(series).copied().unwrap_or(1);
            match samples.get(series) {
                None => Err(format!("the record has no series {series}")),
                Some(s) if s.is_empty() => Err(format!("the series {series} is empty")),
                Some(_) if batch == 0 => Err(format!("the series {series} has a batch of 0")),
                Some(s) => Ok((*unit, s, batch)),
            }
        }
        Outcome::Missing { reason, .. } => Err(reason.clone()),
        Outcome::Failed { error, .. } => Err(error.clone()),
    }
}

/// The first series of the first measured row.
fn first_series<'a>(arms: &[Arm<'a>]) -> &'a str {
    let mut rows = arms.iter().flat_map(|arm| arm.rows.iter().copied());
    let series = rows.find_map(|row| match &row.outcome {
        Outcome::Measured { samples, .. } => samples.keys().next(),
        _ => None,
    });
    series.map_or("", String::as_str)
}

fn table<'a>(group: Group, series: &'a str, mut arms: Vec<Arm<'a>>, seed: u64) -> Table<'a> {
    let mut units = Vec::new();
    for arm in &mut arms {
        let (unit, figures, lost) = figures(&arm.rows, series, seed);
        units.push(unit);
        (arm.figures, arm.lost) = (figures, lost);
    }
    let base = arms.iter().position(|arm| arm.cell.is_baseline());
    let measured = |i: &usize| arms[*i].figures.is_ok();
    let first = base.filter(measured).or((0..arms.len()).find(measured));
    let unit = first.and_then(|i| units[i]);
    for (arm, found) in arms.iter_mut().zip(units) {
        if let (Some(found), Some(expected), true) = (found, unit, arm.figures.is_ok())
            && found != expected
        {
            arm.figures = Err(Hole::Units { found, expected });
        }
    }
    let base = base.map(|i| arms[i].figures.clone());
    for arm in &mut arms {
        arm.ratio = ratio(arm, base.as_ref(), unit, seed);
    }
    Table {
        group,
        series,
        detail: series,
        unit,
        arms,
    }
}

type Summary = (Option<Unit>, Result<Figures, Hole>, Option<Lost>);

fn figures(rows: &[&Row], series: &str, seed: u64) -> Summary {
    let mut unit = None;
    let mut samples_behind = 0;
    let mut errors = Vec::new();
    let mut of = 0;
    for (_, row) in counted(rows) {
        of += 1;
        match series_of(row, series) {
            Ok((found, ..)) if unit.is_some_and(|unit| unit != found) => {
                let expected = unit.unwrap_or(found);
                return (None, Err(Hole::Units { found, expected }), None);
            }
            Ok((found, samples, _)) => {
                unit = Some(found);
                samples_behind += samples.len() as u64;
            }
            Err(error) => errors.push(error),
        }
    }
    let blocks = blocks(rows, series);
    let values: Vec<f64> = blocks.values().copied().collect();
    let Some(median) = median(&values) else {
        return (None, Err(hole(rows, &errors)), None);
    };
    let figures = Figures {
        median,
        interval: median_interval(&values, seed),
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(0.0, f64::max),
        samples: samples_behind,
        blocks,
    };
    let lost = errors.len();
    let lost = errors.into_iter().next().map(|error| Lost {
        blocks: lost,
        of,
        error,
    });
    (unit, Ok(figures), lost)
}

/// Why `rows`, which yielded no figures, did not; `errors` are those of its
/// counted blocks. A missing ability explains more than the failures that follow
/// from it, and goes first.
fn hole(rows: &[&Row], errors: &[String]) -> Hole {
    let mut failed = Vec::new();
    for row in rows {
        match &row.outcome {
            Outcome::Missing {
                reason,
                remedy,
                errno,
            } => {
                return Hole::Missing {
                    reason: reason.clone(),
                    remedy: remedy.clone(),
                    errno: errno.or_else(|| record::errno_in(reason)),
                };
            }
            Outcome::Failed { error, .. } => failed.push(error),
            Outcome::Measured { .. } => {}
        }
    }
    let (error, failed, of) = match (failed.first(), errors.first()) {
        (Some(error), _) => (error.to_string(), failed.len(), rows.len()),
        (None, Some(error)) => (error.clone(), errors.len(), errors.len()),
        (None, None) => return Hole::NotRun,
    };
    Hole::Failed { error, failed, of }
}

fn ratio(
    arm: &Arm<'_>,
    base: Option<&Result<Figures, Hole>>,
    unit: Option<Unit>,
    seed: u64,
) -> Result<Ratio, NoRatio> {
    if arm.cell.is_baseline() {
        return Err(NoRatio::IsBaseline);
    }
    let figures = arm.figures.as_ref().map_err(|_| NoRatio::NoFigures)?;
    let base = match base {
        None => return Err(NoRatio::NoBaseline(format!("{BASELINE} is not in the run"))),
        Some(Err(hole)) => return Err(NoRatio::NoBaseline(hole.to_string())),
        Some(Ok(base)) => base,
    };
    between(figures, base, unit, seed).map_err(NoRatio::Undefined)
}

/// The ratio of `figures` to `base`, both in `unit`, by the blocks that both have:
/// of two arms of a group, or of two cells of one arm. `seed` is the header's.
///
/// # Errors
/// [`Undefined`] if no block has both, or one of them is 0.
pub fn between(
    figures: &Figures,
    base: &Figures,
    unit: Option<Unit>,
    seed: u64,
) -> Result<Ratio, Undefined> {
    let both = figures.blocks.iter();
    let pairs: Vec<_> = both
        .filter_map(|(block, &value)| Some((value, *base.blocks.get(block)?)))
        .collect();
    match unit {
        Some(Unit::Insn) => counted_ratio(&pairs).map(|ratio| match () {
            () if figures.repeats() && base.repeats() => ratio,
            // Also where only a block without its pair differs.
            () => Ratio {
                precision: Precision::NotDeterministic,
                ..ratio
            },
        }),
        Some(Unit::Ns) | None => paired_ratio(&pairs, seed),
    }
}

#[cfg(test)]
mod tests;
