// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Annotations of a GitHub job ("Workflow commands", `::error::`): a line for each gated
//! metric that decides, so that they stand beside the change. At most [`MOST`] of a kind
//! are shown there; the last line says how many there were.

use super::{
    pair::Pair,
    words::{figures, summary},
};
use crate::{clean, number};
use results::gate::{Metric, Role, Verdict};

/// How many annotations of a kind a job's step shows.
const MOST: usize = 10;

pub(super) fn github(pair: &Pair<'_>) -> String {
    let comparison = pair.comparison;
    let kinds = [
        ("error", Verdict::Regression),
        ("warning", Verdict::Inconclusive),
        ("warning", Verdict::Missing),
        ("notice", Verdict::Improvement),
    ];
    let mut out = String::new();
    for (kind, verdict) in kinds {
        let all = comparison.metrics.iter();
        let decisive = all.filter(|m| m.role == Role::Gated && m.verdict == verdict);
        for metric in decisive.take(MOST) {
            out += &line(kind, metric);
        }
    }
    out += &command("notice", "unmapbench gate", &summary(comparison));
    clean::document(out)
}

fn line(kind: &str, metric: &Metric) -> String {
    let title = format!(
        "{}: {} {}",
        metric.cell.testbed, metric.cell, metric.verdict
    );
    let mut said = format!("{} {}", metric.name.text(), figures(metric));
    if let Some(change) = metric.change {
        said += &format!(" {} %", number::percent(change.ratio));
        if let Some(i) = change.interval {
            said += &format!(" [{}, {}]", number::percent(i.low), number::percent(i.high));
        }
    }
    if let Some(reason) = &metric.reason {
        said += &format!("; {reason}");
    }
    command(kind, &title, &said)
}

/// A workflow command on one line, with what would end it or a property escaped.
fn command(kind: &str, title: &str, text: &str) -> String {
    let escaped = |text: &str| {
        let text = clean::line(text).replace('%', "%25");
        text.replace('\r', "%0D").replace('\n', "%0A")
    };
    let title = escaped(title).replace(':', "%3A").replace(',', "%2C");
    format!("::{kind} title={title}::{}\n", escaped(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_neither_its_command_nor_its_property() {
        assert_eq!(
            command("error", "a: b, c", "100 %\n::error::x"),
            "::error title=a%3A b%2C c::100 %25 ::error::x\n"
        );
    }
}
