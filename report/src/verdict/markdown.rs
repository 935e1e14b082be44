// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A comparison for a pull request: the answer open, the evidence folded. It has to
//! fit into a comment, of which GitHub takes no more than 65,536 characters.

use super::{
    Pair, stat,
    view::{Room, View},
    words::{both, counted, delta, detects, interval, medians, outcome, reasons, sign, word},
};
use crate::{
    clean,
    markdown::{escape, fence, fold, grid, table},
    prose,
};
use results::gate::Metric;

const ROOM: Room = Room {
    rows: 120,
    moved: 20,
    same: false,
};

/// How many of the cells that a run lacks for one reason are named.
const CELLS_NAMED: usize = 10;

/// The longest value that is not cut, so that one fact cannot take all the room.
const FACT: usize = 400;

pub(super) fn markdown(pair: &Pair<'_>) -> String {
    let view = View::of(pair, ROOM);
    let comparison = pair.comparison;
    let mut out = format!(
        "# Two runs: {}\n\n{}.\n",
        outcome(comparison),
        escape(&counted(comparison))
    );
    for caution in &view.cautions {
        out += &format!("\n> **{}**\n", escape(&clean::shorten(caution, 2 * FACT)));
    }
    heads(&mut out, &view);
    stats(&mut out, &view);
    listed(&mut out, "What moved", &view.moved);
    listed(&mut out, "What cannot be told", &view.open);
    losses(&mut out, &view);
    for family in &view.families {
        let title = format!("{} ({})", clean::shorten(family.name, 60), family.testbed);
        fold(&mut out, &title, |out| {
            for series in &family.tables {
                *out += &format!("{}\n\n", escape(&series.title()));
                let head = [
                    "strategy", "A", "B", "delta", "interval", "MDE", "", "verdict",
                ];
                let rows = series.rows.iter().map(|metric| {
                    let mut row = vec![escape(&metric.cell.arm())];
                    row.extend(medians(metric, series.scale));
                    row.extend(tail(metric));
                    row
                });
                table(out, &head, 1, rows);
                out.push('\n');
            }
            if let Some(left_out) = family.left_out() {
                *out += &format!("{}\n", escape(&left_out));
            }
        });
    }
    if !view.counts.rows.is_empty() || !view.uncounted.is_empty() {
        fold(&mut out, "Exact counts", |out| {
            match view.counts.rows.is_empty() {
                true => *out += &format!("{}\n\n", view.counts.about()),
                false => grid(out, &view.counts.grid()),
            }
            for sentence in &view.uncounted {
                *out += &format!("{}\n\n", escape(sentence));
            }
        });
    }
    fold(
        &mut out,
        "Threats to validity, and what the columns mean",
        |out| {
            for threat in &view.threats {
                *out += &format!("- {}\n", escape(threat));
            }
            *out += &format!("- {}\n", escape(super::COLUMNS));
        },
    );
    for (name, run) in [("A", pair.baseline), ("B", pair.current)] {
        let command = prose::command(&run.header.command);
        let fence = fence(&command);
        out += &format!("\nCommand of {name}:\n\n{fence}sh\n{command}\n{fence}\n");
    }
    clean::document(out)
}

/// Delta, interval, MDE, sign and verdict with its reasons.
fn tail(metric: &Metric) -> [String; 5] {
    let why = reasons(metric);
    let verdict = match why.is_empty() {
        true => word(metric).to_string(),
        false => format!("{}: {}", word(metric), escape(&why.join("; "))),
    };
    [
        delta(metric),
        interval(metric),
        detects(metric),
        sign(metric).to_string(),
        verdict,
    ]
}

fn heads(out: &mut String, view: &View<'_>) {
    *out += "\n## A and B\n\n";
    let row = |fact: &super::heads::Fact| {
        let [a, b] = fact.shown();
        let [name, a, b] = [&fact.name, a, b].map(|text| escape(&clean::shorten(text, FACT)));
        let sign = if fact.differs() { "≠" } else { "=" };
        vec![name, a, sign.to_string(), b]
    };
    let head = ["", "A: baseline", "", "B: current"];
    table(out, &head, 4, view.heads.first.iter().map(row));
    if !view.heads.further.is_empty() {
        let title = format!("Further facts that differ: {}", view.heads.further.len());
        fold(out, &title, |out| {
            table(out, &head, 4, view.heads.further.iter().map(row));
        });
    }
}

fn stats(out: &mut String, view: &View<'_>) {
    if view.stats.is_empty() {
        return;
    }
    *out += &format!("\n## By workload\n\n{}.\n\n", stat::total(&view.stats));
    let stirred: Vec<_> = view.stats.iter().filter(|s| s.stirs()).collect();
    if stirred.is_empty() {
        return;
    }
    let head = [
        "workload",
        "dearer ▲",
        "cheaper ▼",
        "open ?",
        "still",
        "gone",
        "new",
    ];
    let rows = stirred.iter().take(ROOM.rows).map(|s| {
        let name = clean::shorten(s.workload, 120);
        let name = format!("{} ({})", escape(&name), s.testbed);
        let counts = [s.dearer, s.cheaper, s.open, s.still, s.gone, s.new];
        std::iter::once(name)
            .chain(counts.map(|n| n.to_string()))
            .collect()
    });
    table(out, &head, 1, rows);
}

fn listed(out: &mut String, title: &str, (metrics, all): &(Vec<&Metric>, usize)) {
    if metrics.is_empty() {
        return;
    }
    *out += &format!("\n## {title}\n\n");
    let head = [
        "cell", "metric", "A", "B", "delta", "interval", "MDE", "", "verdict",
    ];
    let rows = metrics.iter().map(|metric| {
        let cell = format!("{}: {}", metric.cell.testbed, metric.cell);
        let names = [cell.as_str(), metric.name.text()];
        let mut row: Vec<String> = names.map(|n| escape(&clean::shorten(n, 200))).into();
        row.extend(both(metric));
        row.extend(tail(metric));
        row
    });
    table(out, &head, 2, rows);
    if *all > metrics.len() {
        *out += &format!(
            "\nThese are the gravest and largest, {} of {all}.\n",
            metrics.len()
        );
    }
}

fn losses(out: &mut String, view: &View<'_>) {
    if view.losses.is_empty() {
        return;
    }
    *out += "\n## Missing from one of the runs\n\n";
    for loss in &view.losses {
        *out += &format!("- {}\n", escape(&clean::shorten(&loss.title(), FACT)));
        let (some, more) = loss.some(CELLS_NAMED);
        for cell in some {
            *out += &format!("  - {}\n", escape(&clean::shorten(cell, 200)));
        }
        if more > 0 {
            *out += &format!("  - and {more} more\n");
        }
    }
}
