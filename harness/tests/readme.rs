// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The README's tables are those of recorded runs, not a memory of them.
//! `UPDATE_README=1 cargo test -p harness --test readme` puts them there.
//!
//! A table stands between two comments. The first says what it is:
//! `<!-- recorded: overview of DIR [for WORKLOAD …] [where WORD …] -->`, the
//! comparison, of which only rows of these workloads with these words are shown; or
//! `<!-- recorded: arms of DIR for WORKLOAD … -->`, medians.
#![expect(clippy::unwrap_used)]

use results::{Run, store};
use std::{fs, path::Path};

const BEGIN: &str = "<!-- recorded: ";
const END: &str = "<!-- recorded end -->";

#[test]
fn the_tables_are_those_of_recorded_runs() {
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
        assert!(table.lines().count() > 2, "{what}: no table");
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
        _ => panic!("{what}: see the top of this file"),
    }
}

fn overview(run: &Run, workloads: &[&str], words: &[&str]) -> String {
    let shown = |line: &str| {
        let has: Vec<&str> = line.split_whitespace().collect();
        let of = |id: &&str| has.get(1) == Some(id);
        (workloads.is_empty() || workloads.iter().any(of)) && words.iter().all(|w| has.contains(w))
    };
    report::markdown(run)
        .lines()
        .skip_while(|line| !line.starts_with("| workload |"))
        .take_while(|line| line.starts_with('|'))
        .enumerate()
        .filter(|(i, line)| *i < 2 || shown(line))
        .map(|(_, line)| format!("{line}\n"))
        .collect()
}
