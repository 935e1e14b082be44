// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The tables and figures of the READMEs are those of recorded runs.
//! `UPDATE_README=1 cargo test -p harness --test readme` puts them there.
//!
//! A table stands between two comments. The first says what it is:
//! `<!-- recorded: overview of DIR [for WORKLOAD …] [where WORD …] -->`, the
//! comparison, of which only rows of these workloads with these words are shown; or
//! `<!-- recorded: arms of DIR for WORKLOAD … [with ARM …] -->`, medians. A figure stands
//! there as well: `<!-- recorded: figure FILE of DIR for WORKLOAD by PARAMETER with ARM … -->`, the
//! cost against a parameter for strategies (`NAME/*`: in all their modes), drawn into the
//! file. And
//! `<!-- recorded: added of DIR over STRATEGY for FAMILY/* where COUNTER=N by PARAMETER with STRATEGY -->`
//! is what a strategy, in each of its modes, adds to another in one workload of the
//! family, over those in which the other counts N per operation: the median of the
//! workloads, and their range.
#![expect(clippy::unwrap_used)]

use report::Figure;
use results::{Cell, Outcome, Run, stats, store};
use std::{collections::BTreeMap, fs, path::Path};

const BEGIN: &str = "<!-- recorded: ";
const END: &str = "<!-- recorded end -->";

/// The documents that hold such tables.
const DOCUMENTS: [&str; 2] = ["README.md", "workloads/README.md"];

#[test]
fn tables_and_figures_are_those_of_recorded_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for document in DOCUMENTS {
        let path = root.join(document);
        let text = fs::read_to_string(&path).unwrap();
        let expected = spliced(&root, &text);
        if std::env::var_os("UPDATE_README").is_some() {
            fs::write(&path, &expected).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            expected,
            "{document}: refresh it: see the top of this file"
        );
    }
}

/// The text with every marked part as the record has it.
fn spliced(root: &Path, text: &str) -> String {
    let mut parts = text.split(BEGIN);
    let mut expected = parts.next().unwrap_or_default().to_string();
    let mut spliced = 0;
    for part in parts {
        let (what, rest) = part.split_once(" -->").expect("a comment ends");
        let (_, after) = rest.split_once(END).expect("a table ends");
        let table = table(root, what);
        let figure = what.starts_with("figure ");
        assert!(figure || table.lines().count() > 2, "{what}: no table");
        expected += &format!("{BEGIN}{what} -->\n\n{table}\n{END}{after}");
        spliced += 1;
    }
    assert!(spliced > 0, "no table is marked");
    expected
}

/// The table that a comment asks for.
fn table(root: &Path, what: &str) -> String {
    let words: Vec<&str> = what.split_whitespace().collect();
    let run = |dir: &str| store::read(&root.join(dir)).unwrap();
    match words.as_slice() {
        ["overview", "of", dir, words @ ..] => {
            let mut parts = words.split(|word| *word == "where");
            let workloads = parts.next().unwrap_or_default();
            let workloads = workloads.strip_prefix(&["for"]).unwrap_or(workloads);
            overview(&run(dir), workloads, parts.next().unwrap_or_default())
        }
        ["arms", "of", dir, "for", words @ ..] => {
            let mut parts = words.split(|word| *word == "with");
            let table = report::pivot(&run(dir), parts.next().unwrap_or_default());
            only(&table, parts.next().unwrap_or(&["*"]))
        }
        [
            "figure",
            file,
            "of",
            dir,
            "for",
            workload,
            "by",
            parameter,
            "with",
            arms @ ..,
        ] => {
            let drawn = report::cost(&run(dir), workload, parameter, arms).unwrap();
            figure(root, file, &drawn.expect("a sweep of the parameter"))
        }
        [
            "added",
            "of",
            dir,
            "over",
            base,
            "for",
            family,
            "where",
            counter,
            "by",
            parameter,
            "with",
            strategy,
        ] => {
            let counter = counter.split_once('=').unwrap();
            added(&run(dir), [base, strategy], family, counter, parameter)
        }
        _ => panic!("{what}: see the top of this file"),
    }
}

/// What `strategy` adds to `base`, by mode and by the values of `parameter`.
fn added(
    run: &Run,
    [base, strategy]: [&str; 2],
    family: &str,
    (counter, per_operation): (&str, &str),
    parameter: &str,
) -> String {
    let family = family.strip_suffix('*').unwrap();
    let per_operation: u64 = per_operation.parse().unwrap();
    let figures = run.rows.iter().filter_map(|row| match &row.outcome {
        Outcome::Measured {
            samples, counters, ..
        } if row.cell.workload.starts_with(family) => {
            let figure = stats::sample_median(samples.get("latency")?)?;
            let expected = counters.get("operations")? * per_operation;
            let counted = counters.get(counter).copied().unwrap_or(0);
            Some((&row.cell, figure, counted == expected))
        }
        _ => None,
    });
    let figures: Vec<(&Cell, f64, bool)> = figures.collect();
    let bases: BTreeMap<_, f64> = figures
        .iter()
        .filter(|(cell, _, counts)| cell.strategy == base && cell.mode.is_empty() && *counts)
        .map(|(cell, figure, _)| ((&cell.workload, &cell.params), *figure))
        .collect();
    let mut rows: BTreeMap<String, BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
    for (cell, figure, _) in figures.iter().filter(|(c, ..)| c.strategy == strategy) {
        if let Some(base) = bases.get(&(&cell.workload, &cell.params)) {
            let column = cell.int(parameter).unwrap();
            let row = rows.entry(cell.arm()).or_default();
            row.entry(column).or_default().push(figure - base);
        }
    }
    let columns: Vec<u64> = rows.values().next().unwrap().keys().copied().collect();
    let settings = rows.values().next().unwrap()[&columns[0]].len();
    let heads: String = columns
        .iter()
        .map(|c| format!(" {parameter}={c} |"))
        .collect();
    let mut table = format!("| over {base}, insn, {settings} settings |{heads}\n| --- |");
    table += &" ---: |".repeat(columns.len());
    for (arm, cells) in rows {
        table += &format!("\n| {arm} |");
        for added in cells.values() {
            assert_eq!(added.len(), settings, "{arm}: a setting is not measured");
            let least = added.iter().copied().fold(f64::INFINITY, f64::min);
            let most = added.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let [median, least, most] = [stats::median(added).unwrap(), least, most].map(thousands);
            table += &match least == most {
                true => format!(" {median} |"),
                false => format!(" {median} ({least} to {most}) |"),
            };
        }
    }
    table + "\n"
}

/// `+12,345`.
fn thousands(figure: f64) -> String {
    let digits = figure.abs().round().to_string();
    let mut text = String::from(if figure < 0.0 { "-" } else { "+" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The rows of these arms, named as on the command line (`NAME/MODE=VALUE`), or
/// `NAME/*`: a strategy in all its modes, or `*`: all.
fn only(table: &str, arms: &[&str]) -> String {
    let shown = |line: &str| {
        let arm = line.trim_start_matches("| ").split(" |").next().unwrap();
        arms.iter().any(|wanted| match wanted.strip_suffix("/*") {
            Some(name) => arm.split(' ').next() == Some(name),
            None => *wanted == "*" || wanted.replace(['/', ','], " ") == arm,
        })
    };
    let lines = table.lines().enumerate();
    let kept = lines.filter(|(i, line)| *i < 2 || shown(line));
    kept.map(|(_, line)| format!("{line}\n")).collect()
}

/// The image of a figure, whose file must be what the record gives.
fn figure(root: &Path, file: &str, figure: &Figure) -> String {
    let path = root.join(file);
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, &figure.svg).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == figure.svg,
        "{file}: refresh it: see the top of this file"
    );
    format!("![{}]({file})\n", figure.title)
}

fn overview(run: &Run, workloads: &[&str], words: &[&str]) -> String {
    let shown = |line: &str| {
        let has: Vec<&str> = line.split_whitespace().collect();
        let of = |id: &&str| has.get(1) == Some(id);
        (workloads.is_empty() || workloads.iter().any(of)) && words.iter().all(|w| has.contains(w))
    };
    report::overview_table(run)
        .lines()
        .enumerate()
        .filter(|(i, line)| *i < 2 || shown(line))
        .map(|(_, line)| format!("{line}\n"))
        .collect()
}
