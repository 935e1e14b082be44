// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A comparison for a person: the outcome, then what decides it cell by cell, then
//! what else changed. At most [`COLUMNS`] wide.

use super::{
    Pair, Scope, losses,
    words::{explained, figures, reasons, summary, word},
};
use crate::{clean, number, wrap::wrap};
use results::gate::{Comparison, Method, Metric, Name, Role, Verdict};

/// The widest line, in characters.
const COLUMNS: usize = 100;

/// How many of the cells that a run lacks for one reason are named.
const CELLS_NAMED: usize = 5;

pub(super) fn terminal(pair: &Pair<'_>) -> String {
    let &Pair {
        comparison, scope, ..
    } = pair;
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
    if let Some(explained) = explained(comparison) {
        out += &paragraph("", &explained);
    }
    out += &paragraph("", &summary(comparison));
    clean::document(out)
}

/// What one of the runs lacks: a few cells of each kind by name, the rest by number.
fn missing(comparison: &Comparison) -> String {
    let mut out = String::new();
    for loss in losses::of(comparison) {
        out += &paragraph("! ", &clean::line(&loss.title()));
        let (some, more) = loss.some(CELLS_NAMED);
        for cell in some {
            out += &paragraph("    ", &clean::line(cell));
        }
        if more > 0 {
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
    let text = word(metric);
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

fn paragraph(first: &str, text: &str) -> String {
    wrap(first, text, COLUMNS).join("\n") + "\n"
}
