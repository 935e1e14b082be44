// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A calibration for a person: how often gates were wrong, what they found, and what
//! is resolved of each metric.

use crate::{clean, wrap::wrap};
use results::{
    Cell,
    calibrate::{Calibration, How, Rate, Source},
};

/// The widest line, in characters.
const COLUMNS: usize = 100;

/// The calibration as plain text of at most 100 columns.
pub fn calibration(c: &Calibration) -> String {
    let source = match c.source {
        Source::Measured => "runs made one after the other",
        Source::Resampled => {
            "RESAMPLED from one recorded run: what moves between runs is not in it"
        }
    };
    let mut lines = vec![
        format!("{} blocks a run, {source}", c.blocks),
        format!(
            "false positives  {} (kept to {} %)",
            rate(&c.false_positives),
            c.level * 100.0
        ),
        format!("inconclusive     {}", rate(&c.inconclusive)),
    ];
    if let Some(injected) = &c.injected {
        let how = match injected.how {
            How::Work => "by work in the VMM's answers",
            How::Arithmetic => "by ARITHMETIC on recorded samples",
        };
        lines.push(format!("slowed by {} % {how}", injected.percent));
        lines.push(format!("  caught         {}", rate(&injected.caught)));
        for m in &injected.metrics {
            let detects = m.detects.map_or("?".into(), percent);
            lines.push(format!(
                "  {}, came out {} %, detects {detects} %",
                rate(&m.caught),
                percent(m.ratio)
            ));
            lines.extend(metric(&m.cell, &m.series));
        }
    }
    lines.push("resolved: the least change that is told from none".into());
    for m in &c.metrics {
        let most = m.apart_at_most.map_or("?".into(), percent);
        let apart = m.apart.map(|a| {
            format!(
                "; equal runs within {} % of each other in 9 of 10 (at most {most} %)",
                percent(a)
            )
        });
        lines.push(format!(
            "  {} %{}",
            percent(m.resolves),
            apart.unwrap_or_default()
        ));
        lines.extend(metric(&m.cell, &m.series));
    }
    clean::document(lines.join("\n") + "\n")
}

/// Which metric the line before is about.
fn metric(cell: &Cell, series: &str) -> Vec<String> {
    let name = format!("{cell} {series}");
    wrap("      ", &clean::line(&name), COLUMNS)
}

fn percent(ratio: f64) -> String {
    format!("{:+.1}", 100.0 * (ratio - 1.0))
}

fn rate(rate: &Rate) -> String {
    let part = 100.0 * rate.hits as f64 / rate.of as f64;
    format!(
        "{} of {}: {part:.1} % [{:.1}, {:.1}]",
        rate.hits,
        rate.of,
        100.0 * rate.low,
        100.0 * rate.high
    )
}
