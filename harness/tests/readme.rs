// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The README's tables and figures are those of recorded runs, not a memory of them.
//! `UPDATE_README=1 cargo test -p harness --test readme` puts them there.
//!
//! A table stands between two comments. The first says what it is:
//! `<!-- recorded: overview of DIR [for WORKLOAD …] [where WORD …] -->`, the
//! comparison, of which only rows of these workloads with these words are shown; or
//! `<!-- recorded: arms of DIR for WORKLOAD … -->`, medians. A figure stands there as
//! well: `<!-- recorded: figure FILE of DIR for WORKLOAD by PARAMETER with ARM … -->`, the
//! cost against a parameter for strategies (`NAME/*`: in all their modes), drawn into the
//! file.
#![expect(clippy::unwrap_used)]

use report::Figure;
use results::{Run, store};
use std::{fs, path::Path};

const BEGIN: &str = "<!-- recorded: ";
const END: &str = "<!-- recorded end -->";

#[test]
fn tables_and_figures_are_those_of_recorded_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let mut parts = readme.split(BEGIN);
    let mut expected = parts.next().unwrap_or_default().to_string();
    let mut spliced = 0;
    for part in parts {
        let (what, rest) = part.split_once(" -->").expect("a comment ends");
        let (_, after) = rest.split_once(END).expect("a table ends");
        let table = table(&root, what);
        let figure = what.starts_with("figure ");
        assert!(figure || table.lines().count() > 2, "{what}: no table");
        expected += &format!("{BEGIN}{what} -->\n\n{table}\n{END}{after}");
        spliced += 1;
    }
    assert!(spliced > 0, "the README marks no table");
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        expected,
        "refresh it: see the top of this file"
    );
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
        ["arms", "of", dir, "for", workloads @ ..] => report::pivot(&run(dir), workloads),
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
        _ => panic!("{what}: see the top of this file"),
    }
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
