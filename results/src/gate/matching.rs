// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From two runs to metrics: which numbers are the same metric, which may be
//! compared at all, and by which method.

use super::{
    control, exact,
    identity::{Aspect, differences},
    metric::{About, Comparison, Figure, Flag, Method, Metric, Name, Role, Side as Which, Verdict},
    policy::{Policy, Tolerance},
    rebuilt,
    side::{Measured, Series, Side, figure},
    timed::{self, Raw},
};
use crate::stats::{MIN_BLOCKS, mode_gap, trend};
use crate::{Cell, Run, Testbed, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// The version of [`Comparison`] as JSON.
const SCHEMA: u32 = 1;

/// The parameter that tells the kernels of one run apart.
const KERNEL: &str = "kernel";

/// The counter that says over how many operations the others were counted.
const OPERATIONS: &str = crate::counter::OPERATIONS.key;

/// A trend this unlikely by chance is flagged.
const DRIFT_LEVEL: f64 = 0.01;

/// How two runs are to be compared.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What is tolerated.
    pub policy: Policy,
    /// Aspects of identity whose differences are compared across, not refused.
    pub across: Vec<Aspect>,
    /// Whether cells that the current run was not meant to measure are left out. They
    /// are missing otherwise: a metric that vanished unnoticed is not "fine".
    pub partial: bool,
}

/// Compares `current` with `baseline` on these `terms`.
pub fn compare(baseline: &Run, current: &Run, terms: &Terms) -> Comparison {
    let Terms { policy, across, .. } = terms;
    let mut comparison = Comparison {
        schema: SCHEMA,
        baseline: about(baseline),
        current: about(current),
        level: policy.level,
        tested: 0,
        refused: Vec::new(),
        crossed: Vec::new(),
        metrics: Vec::new(),
        notes: Vec::new(),
    };
    let testbeds = shared_testbeds(baseline, current);
    let mut rebuilds = Vec::new();
    for testbed in &testbeds {
        for difference in differences(*testbed, &baseline.host, &current.host) {
            match across.contains(&difference.aspect) {
                true => comparison.crossed.push(difference),
                false if difference.is_rebuild() => rebuilds.push(difference),
                false => comparison.refused.push(difference),
            }
        }
    }
    let key = |cell: &Cell| {
        let mut cell = cell.clone();
        if across.contains(&Aspect::Kernel) {
            cell.params.remove(KERNEL);
        }
        cell
    };
    let [(old, twice), (new, twice_now)] = [baseline, current].map(|run| Side::of(run, key));
    if let Some(cell) = twice.or(twice_now) {
        comparison.notes.push(format!(
            "{cell}: one run has several kernels, of which the first is compared"
        ));
    }
    match rebuilt::prove(rebuilds, &old, &new, policy) {
        Ok(remark) => comparison.notes.extend(remark),
        Err(refused) => comparison.refused.extend(refused),
    }
    let refused: BTreeSet<Testbed> = comparison.refused.iter().map(|d| d.testbed).collect();
    let mut pairs = Pairs {
        policy,
        baseline,
        old: &old,
        new: &new,
        metrics: Vec::new(),
        timed: Vec::new(),
    };
    let empty = Measured::default();
    let news: BTreeMap<&Cell, &Measured<'_>> = new.cells.iter().map(|(c, m)| (c, m)).collect();
    let olds: BTreeSet<&Cell> = old.cells.iter().map(|(c, _)| c).collect();
    let planned: BTreeSet<Cell> = current.plan.cells.iter().map(key).collect();
    let mut left_out = 0;
    for (cell, was) in &old.cells {
        let unasked = terms.partial && !planned.contains(cell);
        left_out += usize::from(unasked);
        if !refused.contains(&cell.testbed) && !unasked {
            pairs.cell(cell, was, news.get(cell).copied().unwrap_or(&empty));
        }
    }
    for (cell, is) in &new.cells {
        if !refused.contains(&cell.testbed) && !olds.contains(cell) {
            pairs.cell(cell, &empty, is);
        }
    }
    let Pairs { metrics, timed, .. } = pairs;
    comparison.metrics = metrics;
    if left_out > 0 {
        comparison.notes.push(format!(
            "left out: {left_out} cells of the baseline that the current run was not to measure"
        ));
    }
    for (which, side) in [(Which::Baseline, &old), (Which::Current, &new)] {
        for (cell, measured) in &side.cells {
            if let (Some(why), true) = (measured.lost, measured.blocks > 0) {
                comparison.notes.push(format!(
                    "{which}: {cell}: only {} blocks were measured: {why}",
                    measured.blocks
                ));
            }
        }
    }
    decide(&mut comparison, timed, policy.level);
    control::mind(&mut comparison);
    comparison
}

fn about(run: &Run) -> About {
    About {
        git: run.header.git.clone(),
        started_unix: run.header.started_unix,
        command: run.header.command.clone(),
    }
}

fn shared_testbeds(a: &Run, b: &Run) -> BTreeSet<Testbed> {
    let of = |run: &Run| -> BTreeSet<Testbed> { run.rows.iter().map(|r| r.cell.testbed).collect() };
    &of(a) & &of(b)
}

/// The metrics of all cells as they come, those of time still without a verdict.
struct Pairs<'a> {
    policy: &'a Policy,
    baseline: &'a Run,
    old: &'a Side<'a>,
    new: &'a Side<'a>,
    metrics: Vec<Metric>,
    /// The comparisons of times, by the place of their metric.
    timed: Vec<(usize, Raw)>,
}

impl Pairs<'_> {
    fn cell(&mut self, cell: &Cell, was: &Measured<'_>, is: &Measured<'_>) {
        let names: BTreeSet<&str> = was.series.keys().chain(is.series.keys()).copied().collect();
        if names.is_empty() {
            return; // Neither run has it: nothing is lost and nothing gained.
        }
        for name in names {
            let both = [was.series.get(name), is.series.get(name)];
            let lost = match both {
                [Some(_), None] => is.lost,
                _ => was.lost,
            };
            self.series(cell, name, both, lost);
        }
        if was.blocks > 0 && is.blocks > 0 {
            self.counters(cell, was, is);
        }
    }

    fn series(
        &mut self,
        cell: &Cell,
        name: &str,
        [was, is]: [Option<&Series<'_>>; 2],
        lost: Option<&str>,
    ) {
        let Some(unit) = was.or(is).map(|series| series.unit) else {
            return;
        };
        let tolerance = self.policy.series(&cell.workload, unit);
        let mut metric = Metric {
            cell: cell.clone(),
            name: Name::Series(name.to_string()),
            unit: Some(unit),
            role: self.role(cell, name, unit),
            method: match unit {
                Unit::Insn => Method::Exact,
                Unit::Ns => Method::Unpaired,
            },
            baseline: was.and_then(|s| figure(&s.values)),
            current: is.and_then(|s| figure(&s.values)),
            change: None,
            tolerance,
            verdict: Verdict::Missing,
            reason: None,
            flags: Vec::new(),
        };
        let (Some(was), Some(is)) = (was, is) else {
            let run = if is.is_none() { "current" } else { "baseline" };
            let why = lost.map(|why| format!(": {why}")).unwrap_or_default();
            metric.reason = Some(format!("not in the {run} run{why}"));
            self.metrics.push(metric);
            return;
        };
        if was.mixed || is.mixed || was.unit != is.unit {
            metric.verdict = Verdict::Inconclusive;
            metric.reason = Some("units differ, and are not compared".into());
            self.metrics.push(metric);
            return;
        }
        match unit {
            Unit::Insn => exactly(&mut metric, was, is),
            Unit::Ns => match Raw::of(&was.values, &is.values, &tolerance) {
                Ok(raw) => {
                    flag(&mut metric, was, is);
                    self.timed.push((self.metrics.len(), raw));
                }
                Err(why) => {
                    metric.verdict = Verdict::Inconclusive;
                    metric.reason = Some(why);
                }
            },
        }
        self.metrics.push(metric);
    }

    /// In the lab every series is exact and decides; of times only the headline does,
    /// as the others are parts of it or the same samples once more.
    fn role(&self, cell: &Cell, series: &str, unit: Unit) -> Role {
        let control = self.policy.is_control(&cell.workload);
        let planned = self.baseline.workload(&cell.workload);
        let headline = planned.is_none_or(|w| w.headline == series);
        match (unit, control) {
            // A loop of a million instructions holds ticks of the timer, as many as
            // the build has it; it measures no path.
            (Unit::Insn, true) => Role::Listed,
            (Unit::Ns, true) => Role::Control,
            (Unit::Insn, false) => Role::Gated,
            (Unit::Ns, false) if headline => Role::Gated,
            (Unit::Ns, false) => Role::Listed,
        }
    }

    fn counters(&mut self, cell: &Cell, was: &Measured<'_>, is: &Measured<'_>) {
        let names: BTreeSet<&str> = was
            .counters
            .keys()
            .chain(is.counters.keys())
            .copied()
            .collect();
        let operations = |m: &Measured<'_>| m.counters.get(OPERATIONS).cloned();
        let (before, now) = (operations(was), operations(is));
        let comparable = match (&before, &now) {
            (Some(a), Some(b)) => a.iter().chain(b).all(|n| n == &a[0]),
            (None, None) => true,
            _ => false,
        };
        for name in names {
            let side = |side: &Side<'_>, m: &Measured<'_>| -> Option<Vec<f64>> {
                let none = || vec![0.0; m.blocks];
                let counted = side.counted.contains(&(cell.testbed, name));
                let counted = counted && !m.unavailable.contains(name);
                counted.then(|| m.counters.get(name).cloned().unwrap_or_else(none))
            };
            let (a, b) = (side(self.old, was), side(self.new, is));
            self.counter(cell, name, [a, b], comparable);
        }
    }

    fn counter(
        &mut self,
        cell: &Cell,
        name: &str,
        [was, is]: [Option<Vec<f64>>; 2],
        comparable: bool,
    ) {
        let gated = self.policy.counter(name);
        let exempt = self.policy.is_control(&cell.workload);
        let mut metric = Metric {
            cell: cell.clone(),
            name: Name::Counter(name.to_string()),
            unit: None,
            role: if gated.is_some() && !exempt {
                Role::Gated
            } else {
                Role::Listed
            },
            method: Method::Exact,
            baseline: was.as_deref().and_then(figure),
            current: is.as_deref().and_then(figure),
            change: None,
            tolerance: gated.unwrap_or(Tolerance {
                percent: 0.0,
                absolute: 0.0,
            }),
            verdict: Verdict::Missing,
            reason: None,
            flags: Vec::new(),
        };
        let (Some(a), Some(b)) = (metric.baseline, metric.current) else {
            // A version that counts more, or less, than the other.
            metric.role = Role::Listed;
            let run = if metric.current.is_none() {
                "current"
            } else {
                "baseline"
            };
            metric.reason = Some(format!("not counted by the {run} run"));
            self.metrics.push(metric);
            return;
        };
        let judged = exact::judge(&a, &b, &metric.tolerance);
        (metric.verdict, metric.change, metric.reason) =
            (judged.verdict, judged.change, judged.reason);
        if !repeats_where_it_must(cell.testbed, &a, &b) {
            metric.role = Role::Listed;
            metric.reason = Some("varies from block to block here".into());
        }
        if !comparable && name != OPERATIONS {
            metric.verdict = Verdict::Inconclusive;
            metric.reason = Some("counted over another number of operations".into());
        }
        self.metrics.push(metric);
    }
}

/// On a machine with noise a count is exact only if it is seen to be: the same in
/// every block of both runs, of which there must be enough. In the lab it is exact,
/// and blocks that differ are a defect.
fn repeats_where_it_must(testbed: Testbed, a: &Figure, b: &Figure) -> bool {
    let repeats = |f: &Figure| f.min == f.max && f.blocks >= MIN_BLOCKS;
    testbed == Testbed::Lab || repeats(a) && repeats(b)
}

fn exactly(metric: &mut Metric, was: &Series<'_>, is: &Series<'_>) {
    let (Some(a), Some(b)) = (metric.baseline, metric.current) else {
        return;
    };
    let judged = exact::judge(&a, &b, &metric.tolerance);
    (metric.verdict, metric.change, metric.reason) = (judged.verdict, judged.change, judged.reason);
    // Blocks repeat, so that the first stands for all.
    if a.median == b.median && was.samples.first() != is.samples.first() {
        metric.flags.push(Flag::SamplesDiffer);
    }
}

fn flag(metric: &mut Metric, was: &Series<'_>, is: &Series<'_>) {
    for (which, series) in [(Which::Baseline, was), (Which::Current, is)] {
        if trend(&series.values).is_some_and(|p| p < DRIFT_LEVEL) {
            metric.flags.push(Flag::Drift(which));
        }
        let logs: Vec<f64> = series.values.iter().map(|v| v.ln()).collect();
        let tolerance = metric
            .baseline
            .map_or(0.0, |f| metric.tolerance.log(f.median));
        if mode_gap(&logs).is_some_and(|gap| gap > tolerance) {
            metric.flags.push(Flag::TwoModes(which));
        }
    }
}

/// Verdicts on times. The gated ones share one level, and so do those of each other
/// role among themselves.
fn decide(comparison: &mut Comparison, timed: Vec<(usize, Raw)>, level: f64) {
    let mut roles: [(Role, Vec<usize>, Vec<Raw>); 3] =
        [Role::Gated, Role::Control, Role::Listed].map(|role| (role, Vec::new(), Vec::new()));
    for (place, raw) in timed {
        let role = comparison.metrics[place].role;
        if let Some((_, places, raws)) = roles.iter_mut().find(|(r, ..)| *r == role) {
            places.push(place);
            raws.push(raw);
        }
    }
    for (role, places, raws) in roles {
        if role == Role::Gated {
            comparison.tested = raws.len();
        }
        for (place, judged) in places.into_iter().zip(timed::decide(&raws, level)) {
            let metric = &mut comparison.metrics[place];
            metric.verdict = judged.verdict;
            metric.reason = judged.reason;
            metric.change = Some(judged.change);
            if let (true, Some(resolves)) = (judged.too_fine, judged.change.resolves) {
                metric.flags.push(Flag::ToleranceTooFine(resolves));
            }
        }
    }
}
