// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a metric says, in the words that every form uses.

use crate::{
    clean,
    number::{self, Scale},
};
use results::gate::{Comparison, Flag, Method, Metric, Name, Outcome, Role, Verdict};
use std::cmp::Ordering;

/// What a reader must know of a metric, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It decides, and grew.
    Regression,
    /// The machine did not keep its speed.
    ControlMoved,
    /// It decides, or says whether the machine can be believed, and cannot be told.
    Open,
    /// It decides, and shrank.
    Improvement,
    /// It moved and decides nothing: within the tolerance, or listed only.
    Changed,
    /// Nothing was shown of it.
    Still,
    /// One run lacks it.
    Missing,
}

impl Standing {
    pub(super) fn of(metric: &Metric) -> Self {
        match (metric.role, metric.verdict) {
            (_, Verdict::Missing) => Standing::Missing,
            (Role::Gated, Verdict::Regression) => Standing::Regression,
            (Role::Control, Verdict::Regression | Verdict::Improvement) => Standing::ControlMoved,
            (Role::Gated | Role::Control, Verdict::Inconclusive) => Standing::Open,
            (Role::Gated, Verdict::Improvement) => Standing::Improvement,
            _ if moved(metric) => Standing::Changed,
            _ => Standing::Still,
        }
    }
}

/// Whether it is not the same: a count by its digits, a time by its verdict.
fn moved(metric: &Metric) -> bool {
    match metric.method {
        Method::Exact => metric.changed(),
        Method::Unpaired => direction(metric).is_some(),
    }
}

/// Whether it was shown to have grown or shrunk.
pub(super) fn direction(metric: &Metric) -> Option<Ordering> {
    match (metric.method, metric.verdict) {
        (_, Verdict::Regression) => Some(Ordering::Greater),
        (_, Verdict::Improvement) => Some(Ordering::Less),
        (Method::Exact, Verdict::NoChange | Verdict::Inconclusive) => {
            let (a, b) = metric.baseline.zip(metric.current)?;
            Some(b.median.total_cmp(&a.median)).filter(|o| o.is_ne())
        }
        _ => None,
    }
}

/// The verdict in a word or three; what a person must look at is in capitals.
pub(super) fn word(metric: &Metric) -> &'static str {
    match (metric.role, metric.verdict) {
        (Role::Control, Verdict::Regression | Verdict::Improvement) => "CONTROL MOVED",
        (Role::Control, Verdict::NoChange) => "control: clean",
        (Role::Control, _) => "control: open",
        (Role::Listed, _) if moved(metric) => "changed",
        (Role::Listed, _) => "listed",
        (Role::Gated, Verdict::NoChange) if metric.changed() => "within tolerance",
        (Role::Gated, Verdict::Regression) => "REGRESSION",
        (Role::Gated, verdict) => verdict.name(),
    }
}

/// `▲` costs more, `▼` costs less, `?` cannot be told, `≠` other samples with the same median.
pub(super) fn sign(metric: &Metric) -> &'static str {
    match (Standing::of(metric), direction(metric)) {
        (Standing::Open, _) => "?",
        (_, Some(Ordering::Greater)) => "▲",
        (_, Some(Ordering::Less)) => "▼",
        (Standing::Changed, _) => "≠",
        _ => "",
    }
}

/// The scale in which all of `metrics`, of one unit, can be read; of counts there is
/// none.
pub(super) fn scale<'m>(metrics: impl IntoIterator<Item = &'m Metric>) -> Option<Scale> {
    let mut metrics = metrics.into_iter().peekable();
    let unit = metrics.peek()?.unit?;
    let figures = metrics.flat_map(|m| [m.baseline, m.current]).flatten();
    Some(Scale::of(unit, figures.map(|f| f.median)))
}

/// Both medians without their unit, a dash for one that is not there.
pub(super) fn medians(metric: &Metric, scale: Option<Scale>) -> [String; 2] {
    [metric.baseline, metric.current].map(|figure| match (figure, scale) {
        (None, _) => "–".to_string(),
        (Some(f), Some(scale)) => scale.show(f.median),
        (Some(f), None) => number::count(f.median),
    })
}

/// Both medians, each with its unit.
pub(super) fn both(metric: &Metric) -> [String; 2] {
    let scale = scale([metric]);
    let unit = scale.map_or(String::new(), |s| format!(" {}", s.symbol));
    let figures = [metric.baseline, metric.current];
    let mut shown = medians(metric, scale);
    for (text, _) in shown.iter_mut().zip(figures).filter(|(_, f)| f.is_some()) {
        *text += &unit;
    }
    shown
}

/// `30.12 µs → 33.10 µs`, with a dash for what is not there.
pub(super) fn figures(metric: &Metric) -> String {
    both(metric).join(" → ")
}

/// The change in percent, or a dash where there is no ratio.
pub(super) fn delta(metric: &Metric) -> String {
    let change = metric.change;
    change.map_or("–".to_string(), |c| number::percent(c.ratio) + "%")
}

/// How well the change is known: `[+2.1, +5.5]` in percent, `-5 exact` of counts (`-5 one run` from one block), or
/// that it is not.
pub(super) fn interval(metric: &Metric) -> String {
    match (metric.method, metric.change.and_then(|c| c.interval)) {
        (Method::Exact, _) => match metric.baseline.zip(metric.current) {
            Some((a, b)) => {
                // One block shows nothing of whether its count repeats.
                let known = match a.blocks.min(b.blocks) {
                    0 | 1 => number::ONE_RUN,
                    _ => "exact",
                };
                match a.median == b.median {
                    true => known.to_string(),
                    false => format!("{} {known}", number::difference(b.median - a.median)),
                }
            }
            None => "none".to_string(),
        },
        (Method::Unpaired, None) => "none".to_string(),
        (Method::Unpaired, Some(i)) => {
            let [low, high] = [i.low, i.high].map(number::percent);
            format!("[{low}, {high}]")
        }
    }
}

/// The minimum detectable effect in percent; nothing where every change is seen.
pub(super) fn detects(metric: &Metric) -> String {
    let least = metric.change.and_then(|c| c.detects);
    let shown = least.map(|ratio| number::percent(ratio).trim_start_matches('+').to_string());
    shown.unwrap_or_default()
}

/// Why, and what should be known besides.
pub(super) fn reasons(metric: &Metric) -> Vec<String> {
    let mut all: Vec<String> = metric.reason.iter().map(|r| clean::line(r)).collect();
    for flag in &metric.flags {
        all.push(match flag {
            Flag::Drift(side) => format!("blocks of the {side} run drift from first to last"),
            Flag::TwoModes(side) => format!("blocks of the {side} run fall into two groups"),
            Flag::SamplesDiffer => "the medians agree, the samples behind them do not".into(),
            Flag::ToleranceTooFine(ratio) => format!(
                "the tolerance of {} % is finer than what is resolved here: {} %",
                metric.tolerance.percent,
                number::percent(*ratio)
            ),
        });
    }
    all
}

/// Whether it is a series of samples, not a count beside them.
pub(super) fn is_series(metric: &Metric) -> bool {
    matches!(metric.name, Name::Series(_))
}

/// What the figures of times are; nothing if there are none.
pub(super) fn explained(comparison: &Comparison) -> Option<String> {
    let mut metrics = comparison.metrics.iter();
    metrics.any(|m| m.method == Method::Unpaired).then(|| {
        format!(
            "Times: the blocks of separate runs are not pairs; every block of one is compared with every \
             block of the other (Hodges-Lehmann, 95 % interval, rank sum test, Holm over {} metrics at \
             {} %). \"detects\": the least slowdown called a regression in 4 cases of 5.",
            comparison.tested,
            comparison.level * 100.0
        )
    })
}

/// What it comes to, in a word.
pub(super) fn outcome(comparison: &Comparison) -> &'static str {
    match comparison.outcome() {
        Outcome::Fine => "fine",
        Outcome::Regression => "REGRESSION",
        Outcome::Inconclusive => "inconclusive",
        Outcome::Nothing => "nothing to compare",
        Outcome::Unfit => "nothing was measured",
    }
}

/// Of how many that is said, and how each came out.
pub(super) fn counted(comparison: &Comparison) -> String {
    let gated = comparison.metrics.iter().filter(|m| m.role == Role::Gated);
    let counts = Verdict::ALL.map(|v| format!("{} {v}", comparison.gated(v).count()));
    let exact = comparison.metrics.iter();
    let changed = exact.filter(|m| m.method == Method::Exact && m.changed());
    format!(
        "of {} gated metrics {}; {} counts changed",
        gated.count(),
        counts.join(", "),
        changed.count()
    )
}

/// One line: what it comes to, and of how many.
pub(super) fn summary(comparison: &Comparison) -> String {
    format!("{}: {}", outcome(comparison), counted(comparison))
}
