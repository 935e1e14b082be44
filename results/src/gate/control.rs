// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A machine that became faster or slower between two runs explains whatever else
//! did, and hides what did not. A control is a workload that measures the machine
//! alone. It is clean if all of its interval lies within its tolerance: for a metric
//! to have moved, that the machine did must have been excluded. With controls that
//! were only not shown to have moved, 2 of 100 gates of equal runs on a busy machine
//! were wrong. For a metric not to have moved, it is enough that the machine was not
//! shown to be faster: asking for more left 60 of these 100 open, instead of 24.

use super::metric::{Comparison, Method, Metric, Role, Verdict};
use crate::Testbed;
use std::collections::BTreeMap;

/// What the controls of a testbed leave open.
#[derive(Debug, Default)]
struct Doubt {
    /// Why the machine may have become slower.
    slower: Option<String>,
    /// Why it may have become faster.
    faster: Option<String>,
    /// Why it did become faster: its interval excludes that it did not.
    shown_faster: Option<String>,
}

/// Withdraws the verdicts that an unclean control contradicts.
pub(super) fn mind(comparison: &mut Comparison) {
    for testbed in [Testbed::Host, Testbed::Fake] {
        let on = |m: &&Metric| {
            let timed = m.method == Method::Unpaired && m.change.is_some();
            m.cell.testbed == testbed && timed
        };
        let mut timed = comparison.metrics.iter().filter(on).peekable();
        if timed.peek().is_none() {
            continue;
        }
        let controls: Vec<&Metric> = timed.filter(|m| m.role == Role::Control).collect();
        if controls.is_empty() {
            comparison.notes.push(format!(
                "{testbed}: no control in both runs: whether the machine kept its speed is not known; run calibrate/* as well"
            ));
            continue;
        }
        let doubts = Doubts::of(&controls);
        for metric in &mut comparison.metrics {
            if !on(&&*metric) {
                continue;
            }
            let doubt = doubts.on(metric);
            let why = match (metric.role, metric.verdict) {
                // It did not grow, and must not have shrunk either.
                (Role::Control, Verdict::NoChange) if !stands_still(metric) => &doubt.faster,
                (Role::Control, _) => continue,
                (_, Verdict::Regression) => &doubt.slower,
                (_, Verdict::Improvement) => &doubt.faster,
                (_, Verdict::NoChange) => &doubt.shown_faster,
                (_, Verdict::Inconclusive | Verdict::Missing) => continue,
            };
            if let Some(why) = why {
                metric.verdict = Verdict::Inconclusive;
                metric.reason = Some(why.clone());
            }
        }
        let Doubt { slower, faster, .. } = doubts.all;
        let notes = slower.or(faster).map(|why| format!("{testbed}: {why}"));
        comparison.notes.extend(notes);
    }
}

/// What is doubted of each arm: by its own controls, or where it has none by all.
struct Doubts {
    arms: BTreeMap<String, Doubt>,
    all: Doubt,
}

impl Doubts {
    fn of(controls: &[&Metric]) -> Self {
        let mut arms: BTreeMap<String, Vec<&Metric>> = BTreeMap::new();
        for control in controls {
            arms.entry(control.cell.arm()).or_default().push(control);
        }
        let arms = arms.into_iter().map(|(arm, own)| (arm, doubt(&own)));
        Doubts {
            arms: arms.collect(),
            all: doubt(controls),
        }
    }

    fn on(&self, metric: &Metric) -> &Doubt {
        self.arms.get(&metric.cell.arm()).unwrap_or(&self.all)
    }
}

/// Whether all of a control's interval lies within its tolerance.
fn stands_still(control: &Metric) -> bool {
    let doubt = doubt(&[control]);
    doubt.slower.is_none() && doubt.faster.is_none()
}

fn doubt(controls: &[&Metric]) -> Doubt {
    let mut doubt = Doubt::default();
    for control in controls {
        let (Some(baseline), Some(change)) = (control.baseline, control.change) else {
            continue;
        };
        let most = control.tolerance.ratio(baseline.median);
        let (low, high) = change
            .interval
            .map_or((0.0, f64::INFINITY), |i| (i.low, i.high));
        let seen = match change.interval {
            None => "has too few blocks".to_string(),
            Some(i) => {
                let [low, high] = [i.low, i.high].map(|ratio| 100.0 * (ratio - 1.0));
                format!("may have moved by {low:+.1} to {high:+.1} %")
            }
        };
        let why = |how: &str| {
            format!(
                "the control {} {seen}: the machine may be {how}",
                control.cell
            )
        };
        if high > most && doubt.slower.is_none() {
            doubt.slower = Some(why("slower"));
        }
        if low < 1.0 / most && doubt.faster.is_none() {
            doubt.faster = Some(why("faster"));
        }
        if low < 1.0 / most && high < 1.0 && doubt.shown_faster.is_none() {
            doubt.shown_faster = Some(why("faster"));
        }
    }
    doubt
}
