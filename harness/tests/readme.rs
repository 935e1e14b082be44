// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The README's result table is the recorded run's, not a memory of it.
//! `UPDATE_README=1 cargo test -p harness --test readme` puts it there.

use std::{fs, path::Path};

const BEGIN: &str = "<!-- result: the table of ";
const END: &str = "<!-- result end -->";

#[test]
fn the_result_table_is_that_of_the_recorded_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme
        .split_once(BEGIN)
        .expect("the README marks its table");
    let (comment, rest) = rest.split_once('\n').expect("a line ends");
    let (_, after) = rest
        .split_once(END)
        .expect("the README marks the table's end");
    let recorded = comment.split(';').next().expect("split yields something");
    let run = results::store::read(&root.join(recorded)).unwrap();
    let table: String = report::markdown(&run)
        .lines()
        .skip_while(|line| !line.starts_with("| workload |"))
        .take_while(|line| line.starts_with('|'))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(table.lines().count() > 2, "the recorded run has no table");
    let expected = format!("{before}{BEGIN}{comment}\n\n{table}\n{END}{after}");
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        expected,
        "refresh it: see the top of this file"
    );
}
