// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A comparison for a person: the outcome, then what decides it cell by cell, then
//! what else changed. At most [`COLUMNS`] wide.

use super::{Pair, Scope};
use crate::{
    clean,
    number::{self, Scale},
    wrap::wrap,
};
use std::collections::{BTreeMap, BTreeSet};

use results::gate::{Comparison, Flag, Method, Metric, Name, Outcome, Role, Verdict};

/// The widest line, in characters.
const COLUMNS: usize = 100;

/// How many of the cells that a run lacks for one reason are named.
const CELLS_NAMED: usize = 5;

pub(super) fn text(pair: &Pair<'_>) -> String {
    let &Pair { comparison, scope } = pair;
    let mut out = String::new();
    for (title, group) in [
        ("refused", &comparison.refused),
        ("compared all the same", &comparison.crossed),
    ] {
        for d in group {
            let line = format!(
                "{title}: {} {} ({}): baseline {:?}, current {:?}",
                d.testbed, d.aspect, d.fact, d.baseline, d.current
            );
            out += &paragraph("! ", &line);
        }
    }
    for note in &comparison.notes {
        out += &paragraph("! ", note);
    }
    out += &missing(comparison);
    out += &metrics(comparison, scope);
    if comparison
        .metrics
        .iter()
        .any(|m| m.method == Method::Unpaired)
    {
        out += &paragraph("", &explained(comparison));
    }
    out += &paragraph("", &summary(comparison));
    clean::document(out)
}

/// What one of the runs lacks: a few cells of each kind by name, the rest by number.
fn missing(comparison: &Comparison) -> String {
    let mut groups: BTreeMap<(bool, &str), BTreeSet<String>> = BTreeMap::new();
    let gone = comparison.metrics.iter().filter(|m| {
        let series = matches!(m.name, Name::Series(_));
        m.verdict == Verdict::Missing && series
    });
    for metric in gone {
        let why = metric.reason.as_deref().unwrap_or_default();
        let cells = groups.entry((metric.current.is_some(), why)).or_default();
        cells.insert(format!("{}: {}", metric.cell.testbed, metric.cell));
    }
    let mut out = String::new();
    for ((new, why), cells) in groups {
        let title = if new { "new" } else { "MISSING" };
        let title = format!("{title}: {} cells {}", cells.len(), clean::line(why));
        out += &paragraph("! ", &title);
        for cell in cells.iter().take(CELLS_NAMED) {
            out += &paragraph("    ", &clean::line(cell));
        }
        if let Some(more @ 1..) = cells.len().checked_sub(CELLS_NAMED) {
            out += &format!("    and {more} more\n");
        }
    }
    out
}

/// Every shown metric below the name of its cell.
fn metrics(comparison: &Comparison, scope: Scope) -> String {
    let mut out = String::new();
    let mut cell = None;
    for metric in comparison.metrics.iter().filter(|m| shown(m, scope)) {
        if cell != Some(&metric.cell) {
            cell = Some(&metric.cell);
            let name = format!("{}: {}", metric.cell.testbed, metric.cell);
            out += &format!("\n{}", paragraph("", &clean::line(&name)));
        }
        out += &line(metric);
        for why in reasons(metric) {
            out += &paragraph("                 ", &why);
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn shown(metric: &Metric, scope: Scope) -> bool {
    if metric.verdict == Verdict::Missing {
        return false;
    }
    let exact = metric.method == Method::Exact;
    let decides = metric.role != Role::Listed && metric.verdict != Verdict::NoChange;
    match (scope, &metric.name) {
        // Of a thousand counts, those that are the same say nothing.
        (_, Name::Counter(_)) => decides || exact && metric.changed(),
        (Scope::All, Name::Series(_)) => true,
        (Scope::Decisive, Name::Series(_)) => decides || exact && metric.changed(),
    }
}

fn line(metric: &Metric) -> String {
    let text = match (metric.role, metric.verdict) {
        (Role::Control, Verdict::Regression | Verdict::Improvement) => "CONTROL MOVED".to_string(),
        (Role::Control, Verdict::NoChange) => "control: clean".to_string(),
        (Role::Control, _) => "control: open".to_string(),
        (Role::Listed, _) if metric.changed() => "changed".to_string(),
        (Role::Listed, _) => "listed".to_string(),
        (Role::Gated, Verdict::NoChange) if metric.changed() => "within tolerance".to_string(),
        (Role::Gated, Verdict::Regression) => "REGRESSION".to_string(),
        (Role::Gated, verdict) => verdict.to_string(),
    };
    let name = clean::shorten(metric.name.text(), 28);
    let mut text = format!("  {text:<17}{name:<18} {}", figures(metric));
    if let Some(change) = metric.change {
        text += &format!("  {} %", number::percent(change.ratio));
        if let Some(i) = change.interval {
            text += &format!(" [{}, {}]", number::percent(i.low), number::percent(i.high));
        }
        if let Some(detects) = change.detects {
            text += &format!("  detects {} %", number::percent(detects));
        }
    }
    text.trim_end().to_string() + "\n"
}

/// `30.12 µs → 33.10 µs`, with a dash for what is not there.
pub(super) fn figures(metric: &Metric) -> String {
    let both = [metric.baseline, metric.current];
    let values = || both.iter().flatten().map(|f| f.median);
    let show: Box<dyn Fn(f64) -> String> = match metric.unit {
        Some(unit) => {
            let scale = Scale::of(unit, values());
            Box::new(move |v| scale.with_unit(v))
        }
        None => Box::new(number::count),
    };
    let show = |f: Option<results::gate::Figure>| f.map_or("–".to_string(), |f| show(f.median));
    format!("{} → {}", show(both[0]), show(both[1]))
}

/// Why, and what should be known besides.
fn reasons(metric: &Metric) -> Vec<String> {
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

/// What the figures of times are.
fn explained(comparison: &Comparison) -> String {
    format!(
        "Times: the blocks of separate runs are not pairs; every block of one is compared with every \
         block of the other (Hodges-Lehmann, 95 % interval, rank sum test, Holm over {} metrics at \
         {} %). \"detects\": the least slowdown called a regression in 4 cases of 5.",
        comparison.tested,
        comparison.level * 100.0
    )
}

/// One line: what it comes to, and of how many.
pub(super) fn summary(comparison: &Comparison) -> String {
    let outcome = match comparison.outcome() {
        Outcome::Fine => "fine",
        Outcome::Regression => "REGRESSION",
        Outcome::Inconclusive => "inconclusive",
        Outcome::Nothing => "nothing to compare",
        Outcome::Unfit => "nothing was measured",
    };
    let gated = comparison.metrics.iter().filter(|m| m.role == Role::Gated);
    let counts = Verdict::ALL.map(|v| format!("{} {v}", comparison.gated(v).count()));
    let exact = comparison.metrics.iter();
    let changed = exact.filter(|m| m.method == Method::Exact && m.changed());
    format!(
        "{outcome}: of {} gated metrics {}; {} exact counts changed",
        gated.count(),
        counts.join(", "),
        changed.count()
    )
}

fn paragraph(first: &str, text: &str) -> String {
    wrap(first, text, COLUMNS).join("\n") + "\n"
}
