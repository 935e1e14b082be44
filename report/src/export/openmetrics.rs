// SPDX-License-Identifier: Apache-2.0 OR MIT
//! OpenMetrics text 1.0: base units, labels for testbed, workload, parameters and
//! strategy, `# EOF` at the end. A cell without figures has none, and says in
//! `unmapbench_cell` what became of it.

use super::entry::{Entry, groups};
use results::{Run, Unit, cell::Params, compare::Hole};
use std::fmt::Write;

pub(super) fn openmetrics(run: &Run) -> String {
    let (mut seconds, mut instructions, mut cells) = (String::new(), String::new(), String::new());
    groups(run, |_, entries| {
        for entry in entries {
            let labels = labels(entry);
            let state = match &entry.figures {
                Ok((figures, unit)) => {
                    let (out, metric, scale) = match unit {
                        Unit::Ns => (&mut seconds, "unmapbench_operation_seconds", 1e-9),
                        Unit::Insn => (&mut instructions, "unmapbench_operation_instructions", 1.0),
                    };
                    let ends = figures.interval.map(|i| [("low", i.low), ("high", i.high)]);
                    let values = [("median", figures.median)].into_iter();
                    for (stat, value) in values.chain(ends.into_iter().flatten()) {
                        let value = value * scale;
                        let _ = writeln!(out, "{metric}{{{labels},stat=\"{stat}\"}} {value}");
                    }
                    "measured"
                }
                Err(Hole::Missing { .. }) => "missing",
                Err(Hole::NotRun) => "not-run",
                Err(Hole::Failed { .. } | Hole::Units { .. }) => "failed",
            };
            let _ = writeln!(cells, "unmapbench_cell{{{labels},state=\"{state}\"}} 1");
        }
    });
    let family = |name: &str, unit: &str, help: &str, lines: &str| {
        let unit = match unit {
            "" => String::new(),
            unit => format!("# UNIT {name} {unit}\n"),
        };
        format!("# TYPE {name} gauge\n{unit}# HELP {name} {help}\n{lines}")
    };
    let mut out = String::new();
    if !seconds.is_empty() {
        let help = "One operation: the median over blocks and the ends of its 95 % interval.";
        out += &family("unmapbench_operation_seconds", "seconds", help, &seconds);
    }
    if !instructions.is_empty() {
        let help = "The same in instructions of an emulated machine: a path length, no time.";
        let name = "unmapbench_operation_instructions";
        out += &family(name, "instructions", help, &instructions);
    }
    out += &family("unmapbench_cell", "", "What became of a cell.", &cells);
    out + "# EOF\n"
}

/// The same labels for all, as the readers of the format want it: parameters are one.
fn labels(entry: &Entry<'_>) -> String {
    let cell = entry.cell;
    let words = |params: &Params| {
        let words = params.iter().map(|(name, value)| format!("{name}={value}"));
        words.collect::<Vec<_>>().join(" ")
    };
    let labels = [
        ("testbed", cell.testbed.to_string()),
        ("workload", cell.workload.clone()),
        ("params", words(&cell.params)),
        ("strategy", cell.strategy.clone()),
        ("mode", words(&cell.mode)),
        ("series", entry.series.to_string()),
    ];
    labels
        .map(|(key, value)| format!("{key}=\"{}\"", escaped(&value)))
        .join(",")
}

fn escaped(text: &str) -> String {
    let text = crate::clean::line(text);
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
