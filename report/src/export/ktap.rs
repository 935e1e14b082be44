// SPDX-License-Identifier: Apache-2.0 OR MIT
//! KTAP version 1 (Documentation/dev-tools/ktap.rst): a test a group, in it one an arm.
//! Measured is ok, missing a skip, failed not ok; figures are comments.

use super::entry::{Entry, digits, groups, symbol};
use results::{Run, compare::Hole};
use std::fmt::Write;

pub(super) fn ktap(run: &Run) -> String {
    let mut plan = 0;
    let tests = groups(run, |name, entries| {
        plan += 1;
        let mut out = format!("  KTAP version 1\n  1..{}\n", entries.len());
        let mut ok = true;
        for (i, entry) in entries.iter().enumerate() {
            let (good, text) = line(i + 1, entry);
            ok &= good;
            out += &text;
        }
        let result = if ok { "ok" } else { "not ok" };
        let _ = writeln!(out, "{result} {plan} {}", plain(name));
        out
    });
    format!("KTAP version 1\n1..{}\n{}", tests.len(), tests.concat())
}

fn line(number: usize, entry: &Entry<'_>) -> (bool, String) {
    let arm = plain(&entry.arm());
    match &entry.figures {
        Ok((figures, unit)) => {
            let [median, min, max] = [figures.median, figures.min, figures.max].map(digits);
            let (n, unit) = (figures.blocks.len(), symbol(*unit));
            let series = plain(entry.series);
            let figures =
                format!("  # {arm}: {series} median={median} min={min} max={max} {unit} n={n}\n");
            (true, format!("{figures}  ok {number} {arm}\n"))
        }
        Err(hole @ (Hole::Missing { .. } | Hole::NotRun)) => {
            let why = plain(&hole.to_string());
            (true, format!("  ok {number} {arm} # SKIP {why}\n"))
        }
        Err(hole) => {
            let why = plain(&hole.to_string());
            (
                false,
                format!("  # {arm}: {why}\n  not ok {number} {arm}\n"),
            )
        }
    }
}

/// Without what would begin a directive, on one line.
fn plain(text: &str) -> String {
    crate::clean::line(text).replace('#', "")
}
