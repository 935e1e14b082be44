// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The invariants of ARCHITECTURE.md, held by a machine.
#![expect(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The longest source file, tests apart.
const LINES_MAX: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// Every file of the repository outside build output, with its path from the
/// root.
fn files() -> Vec<(String, String)> {
    fn walk(dir: &Path, root: &Path, out: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_string();
            if [
                "target",
                ".git",
                "results/runs",
                "results/latest",
                "results/recorded",
            ]
            .contains(&name.as_str())
            {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                walk(&path, root, out);
            } else if let Ok(text) = fs::read_to_string(&path) {
                out.push((name, text));
            }
        }
    }
    let mut out = Vec::new();
    walk(&root(), &root(), &mut out);
    out.sort();
    out
}

fn rust() -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|(name, _)| name.ends_with(".rs"))
        .collect()
}

/// A source file up to its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap()
}

fn is_test(name: &str) -> bool {
    name.contains("/tests/") || name.ends_with("/tests.rs") || name.contains("/benches/")
}

#[test]
fn crates_depend_only_along_the_arrows() {
    let arrows: BTreeMap<&str, &[&str]> = [
        ("results", &[][..]),
        ("report", &["results"]),
        ("strategies", &[]),
        ("workloads/abi", &[]),
        ("workloads/embed", &[]),
        ("workloads/guest", &["abi"]),
        ("workloads/init", &["abi"]),
        ("workloads", &["abi", "results"]),
        ("harness/observe", &["results"]),
        ("harness/tlb-model", &["abi"]),
        ("harness/vmm", &["abi", "strategies"]),
        ("harness/vmm/fuzz", &["vmm"]),
        ("results/fuzz", &["results"]),
        (
            "harness",
            &[
                "abi",
                "observe",
                "report",
                "results",
                "strategies",
                "vmm",
                "workloads",
            ],
        ),
    ]
    .into();
    let ours: BTreeSet<&str> = [
        "abi",
        "harness",
        "init",
        "observe",
        "payload",
        "report",
        "results",
        "strategies",
        "tlb-model",
        "vmm",
        "workloads",
    ]
    .into();
    let manifest = |path: &str| -> toml::Table {
        let path = root().join(path).join("Cargo.toml");
        fs::read_to_string(path).unwrap().parse().unwrap()
    };
    let members = manifest("")["workspace"]["members"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(members.len(), arrows.len(), "a crate without a rule");
    for member in members {
        let member = member.as_str().unwrap();
        let table = manifest(member);
        let dependencies = table
            .get("dependencies")
            .and_then(|d| d.as_table())
            .cloned()
            .unwrap_or_default();
        let found: BTreeSet<&str> = dependencies
            .keys()
            .map(String::as_str)
            .filter(|d| ours.contains(d))
            .collect();
        assert_eq!(found, arrows[member].iter().copied().collect(), "{member}");
        for (name, spec) in dependencies {
            assert_eq!(
                spec["workspace"].as_bool(),
                Some(true),
                "{member}: {name} has its version elsewhere"
            );
        }
        assert_eq!(
            table["lints"]["workspace"].as_bool(),
            Some(true),
            "{member} has its own lints"
        );
    }
}

#[test]
fn files_are_small() {
    let mut lengths = Vec::new();
    for (name, text) in rust() {
        let lines = without_tests(&text).lines().count();
        if !is_test(&name) {
            assert!(lines <= LINES_MAX, "{name} has {lines} lines");
            lengths.push(lines);
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 200, "the median file has {median} lines");
}

#[test]
fn every_source_file_has_its_licence() {
    for (name, text) in files() {
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
fn unsafe_code_stays_on_its_islands() {
    let islands: BTreeSet<&str> = [
        // guest memory
        "strategies/src/guest_memfd.rs",
        "strategies/src/mapping.rs",
        "strategies/src/memfd.rs",
        "strategies/src/memfd_secret.rs",
        // the VMM
        "harness/vmm/src/clock.rs",
        "harness/vmm/src/deadline.rs",
        "harness/vmm/src/linux/vcpu.rs",
        "harness/vmm/src/marker.rs",
        "harness/vmm/src/memory.rs",
        "harness/vmm/src/prefault.rs",
        "harness/vmm/src/stats.rs",
        "harness/vmm/src/userfault.rs",
        "harness/vmm/src/vcpu.rs",
        "harness/vmm/src/virtio/packet.rs",
        "harness/vmm/src/virtio/raw.rs",
        "harness/vmm/src/virtio/uring.rs",
        // readers of memory
        "harness/observe/src/raw.rs",
        // the emulator's plugin
        "harness/tlb-model/src/plugin/mod.rs",
        // the payload
        "workloads/guest/src/arch/x86_64/asm.rs",
        "workloads/guest/src/arch/x86_64/interrupt.rs",
        "workloads/guest/src/arch/x86_64/start.rs",
        "workloads/guest/src/main.rs",
        "workloads/guest/src/memory.rs",
        "workloads/guest/src/ops.rs",
        // each of its operations
        "workloads/guest/src/ops",
        // the first process of a Linux guest
        "workloads/init/src/arch/x86_64/mod.rs",
        "workloads/init/src/main.rs",
        // the bare side of a benchmark
        "harness/benches/exit_overhead.rs",
    ]
    .into();
    let attribute = ["expect(", "unsafe_code)"].concat();
    let mut found = BTreeSet::new();
    let sources = rust();
    for (name, text) in &sources {
        if text.contains(&attribute) {
            assert!(
                text.contains("// UNSAFETY: "),
                "{name} does not say why it must"
            );
            // A new operation is a file and needs no line here.
            let operation = name.starts_with("workloads/guest/src/ops/");
            found.insert(if operation {
                "workloads/guest/src/ops"
            } else {
                name
            });
        }
    }
    assert_eq!(found, islands);
}

/// `cargo fmt` follows `mod` lines, which files that a build script finds do not have.
#[test]
fn files_that_build_scripts_find_are_formatted() {
    let found = |name: &str| name.starts_with("workloads/guest/src/ops/");
    let files: Vec<_> = rust().into_iter().map(|(name, _)| name).collect();
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
fn only_observe_reads_proc_and_sys() {
    for (name, text) in rust() {
        if name.starts_with("harness/observe/") || is_test(&name) {
            continue;
        }
        let reads = |line: &&str| {
            !line.trim_start().starts_with("//")
                && ["\"/proc/", "\"/sys/"]
                    .iter()
                    .any(|path| line.contains(path))
        };
        assert_eq!(without_tests(&text).lines().find(reads), None, "{name}");
    }
}

#[test]
fn no_strategy_is_named_outside_its_crate() {
    let names: Vec<_> = strategies::registry::ALL
        .iter()
        .map(|s| format!("\"{}\"", s.name))
        .collect();
    for (name, text) in rust() {
        let baseline = name == "results/src/lib.rs";
        if name.starts_with("strategies/") || is_test(&name) || baseline {
            continue;
        }
        for strategy in &names {
            assert!(
                !without_tests(&text).contains(strategy),
                "{name} names {strategy}"
            );
        }
    }
}

#[test]
fn names_say_what_is_inside() {
    for (name, _) in files() {
        let stem = Path::new(&name).file_stem().unwrap().to_str().unwrap();
        assert!(
            !["util", "utils", "common", "prelude", "helpers", "misc"].contains(&stem),
            "{name}"
        );
    }
}

#[test]
fn scripts_are_thin_and_strict() {
    for (name, text) in files() {
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
