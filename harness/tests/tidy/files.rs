// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Sizes, names and places of files, and what stands at their top.

use crate::sources::{File, files, root, rust};
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// The longest source file, tests apart.
const LINES_MAX: usize = 500;
/// The median one.
const LINES_MEDIAN: usize = 150;

#[test]
fn files_are_small() {
    let mut lengths = Vec::new();
    for source in rust() {
        let lines = source.code.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", source.name);
        if lines > 0 {
            lengths.push(lines);
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= LINES_MEDIAN, "the median file has {median} lines");
}

#[test]
fn every_source_file_has_its_licence() {
    for File { name, text } in files() {
        let script = name.starts_with("scripts/") || name == ".ci/run";
        if [".rs", ".toml", ".ld", ".sh"]
            .iter()
            .any(|end| name.ends_with(end))
            && name != ".clippy.toml"
            || script
        {
            let head: Vec<_> = text.lines().take(2).collect();
            let within = |dir: &str| name.starts_with(dir);
            let licence = match (within("strategies/kernel/"), within("harness/tlb-model/")) {
                // Part of Linux, part of QEMU: each beside its licence's text.
                (true, _) => "SPDX-License-Identifier: GPL-2.0-only",
                (_, true) => "SPDX-License-Identifier: GPL-2.0-or-later",
                _ => "SPDX-License-Identifier: Apache-2.0 OR MIT",
            };
            assert!(head.iter().any(|l| l.contains(licence)), "{name}");
        }
    }
}

#[test]
fn names_say_what_is_inside() {
    for File { name, .. } in files() {
        let stem = Path::new(name).file_stem().unwrap().to_str().unwrap();
        assert!(
            !["util", "utils", "common", "prelude", "helpers", "misc"].contains(&stem),
            "{name}"
        );
    }
}

/// `cargo fmt` follows `mod` lines, which files that a build script finds do not have.
#[test]
fn files_that_build_scripts_find_are_formatted() {
    let folders = [
        "workloads/guest/src/ops/",
        "workloads/guest/src/arch/x86_64/ops/",
        "workloads/models/src/model/",
    ];
    let found = |name: &str| folders.iter().any(|folder| name.starts_with(folder));
    let files: Vec<_> = rust().iter().map(|source| &source.name).collect();
    let output = Command::new("rustfmt")
        .args(["--check", "--edition", "2024"])
        .args(files.iter().filter(|name| found(name)))
        .current_dir(root())
        .output()
        .expect("rustfmt, which cargo fmt needs as well");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn scripts_are_thin_and_strict() {
    for File { name, text } in files() {
        if name.starts_with("scripts/") {
            assert!(text.lines().count() <= 100, "{name} is long");
            let sourced = name.ends_with(".sh");
            assert!(sourced || text.contains("set -euo pipefail"), "{name}");
        }
    }
}

/// What a user sees first stays what it was agreed to be.
#[test]
fn the_top_level_is_the_agreed_one() {
    let visible: BTreeSet<_> = fs::read_dir(root())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    let agreed = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "harness",
        "report",
        "results",
        "scripts",
        "strategies",
        "workloads",
    ];
    assert_eq!(visible, agreed.iter().map(|s| s.to_string()).collect());
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 250);
}
