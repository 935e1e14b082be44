// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The benchmark format of Go ("Go Benchmark Data Format", golang.org/design/14313) for
//! benchstat: a line a counted block, the parameters in the name.

use super::entry::{Entry, groups, symbol};
use results::Run;
use std::fmt::Write;

pub(super) fn gobench(run: &Run) -> String {
    let mut out = format!("tool: {}\ngit: {}\n", run.header.tool, run.header.git);
    for fact in ["cpu.model", "kernel", "lab.kernel", "lab.qemu"] {
        if let Some(value) = run.host.get(fact) {
            let _ = writeln!(out, "{}: {value}", fact.replace('.', "-"));
        }
    }
    out = crate::clean::document(out);
    // Go's own unit; the lab's repeats, which benchstat is told.
    out += "Unit ns/op better=lower\nUnit insn/op better=lower assume=exact\n";
    let lines = groups(run, |_, entries| {
        entries.iter().map(lines).collect::<Vec<_>>().concat()
    });
    out + &lines.concat()
}

/// The median of each block, of one operation: a count of 1.
fn lines(entry: &Entry<'_>) -> String {
    let Ok((figures, unit)) = &entry.figures else {
        return String::new();
    };
    let unit = symbol(*unit);
    let name = name(entry);
    let lines = figures.blocks.values();
    lines
        .map(|value| format!("Benchmark{name} 1 {value} {unit}/op\n"))
        .collect()
}

/// `MmioUserRead/testbed=lab/strategy=memfd/cpus=1`: letters and digits in camel case,
/// then keys and values without spaces.
fn name(entry: &Entry<'_>) -> String {
    let cell = entry.cell;
    let words = cell.workload.split(|c: char| !c.is_ascii_alphanumeric());
    let mut name: String = words
        .filter_map(|word| {
            let mut letters = word.chars();
            let first = letters.next()?.to_ascii_uppercase();
            Some(std::iter::once(first).chain(letters).collect::<String>())
        })
        .collect();
    let testbed = cell.testbed.to_string();
    let keys = [("testbed", testbed), ("strategy", cell.strategy.clone())];
    let keys = keys.map(|(key, value)| (key.to_string(), value));
    let params = cell.mode.iter().chain(&cell.params);
    let params = params.map(|(key, value)| (key.clone(), value.to_string()));
    for (key, value) in keys.into_iter().chain(params) {
        let plain = |text: &str| text.replace(|c: char| c.is_whitespace() || c == '/', "_");
        let _ = write!(name, "/{}={}", plain(&key), plain(&value));
    }
    crate::clean::line(&name).replace(' ', "_")
}
