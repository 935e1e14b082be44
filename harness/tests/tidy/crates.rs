// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which crate may need which, for building and for tests too.

use crate::sources::root;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};
use toml::Table;

/// Each crate by its folder, and what it or its build script needs of ours.
const ARROWS: [(&str, &[&str]); 16] = [
    ("results", &[]),
    ("report", &["results"]),
    ("strategies", &["results"]),
    ("workloads/abi", &[]),
    ("workloads/embed", &[]),
    ("workloads/guest", &["abi", "embed"]),
    ("workloads/init", &["abi"]),
    ("workloads", &["models", "results"]),
    ("harness/lab", &["observe"]),
    (
        "workloads/models",
        &["abi", "embed", "observe", "results", "strategies", "vmm"],
    ),
    ("harness/observe", &["results"]),
    ("harness/tlb-model", &["abi"]),
    ("harness/vmm", &["abi", "strategies"]),
    ("harness/vmm/fuzz", &["vmm"]),
    ("results/fuzz", &["results"]),
    (
        "harness",
        &[
            "abi",
            "embed",
            "lab",
            "models",
            "observe",
            "report",
            "results",
            "strategies",
            "vmm",
            "workloads",
        ],
    ),
];

const KINDS: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];

fn manifest(folder: &str) -> Table {
    let path = root().join(folder).join("Cargo.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// The dependencies of one kind, for all targets and for some.
fn dependencies(manifest: &Table, kind: &str) -> Table {
    let targets = manifest.get("target").and_then(|t| t.as_table());
    let targets = targets.into_iter().flatten();
    let targets = targets.filter_map(|(_, target)| target.as_table());
    let all = targets.chain([manifest]);
    let all = all.filter_map(|place| place.get(kind)?.as_table());
    all.flatten()
        .map(|(name, spec)| (name.clone(), spec.clone()))
        .collect()
}

#[test]
fn crates_depend_only_along_the_arrows() {
    let arrows: BTreeMap<_, _> = ARROWS.into();
    let workspace = manifest("");
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let members: Vec<&str> = members.iter().filter_map(|m| m.as_str()).collect();
    assert_eq!(members.len(), arrows.len(), "a crate without a rule");
    let name = |member: &&str| {
        let manifest = manifest(member);
        manifest["package"]["name"].as_str().unwrap().to_string()
    };
    let ours: BTreeSet<String> = members.iter().map(name).collect();
    for member in members {
        let manifest = manifest(member);
        let allowed: BTreeSet<String> = arrows[member].iter().map(|n| n.to_string()).collect();
        let found = |kinds: &[&str]| -> BTreeSet<String> {
            let all = kinds.iter().flat_map(|kind| dependencies(&manifest, kind));
            let names = all.map(|(name, _)| name);
            names.filter(|name| ours.contains(name)).collect()
        };
        assert_eq!(found(&KINDS[..2]), allowed, "{member}");
        // What tests a crate comes by the same arrows.
        let tests = found(&KINDS[2..]);
        assert!(tests.is_subset(&allowed), "{member}: {tests:?}");
    }
}

#[test]
fn versions_and_lints_are_those_of_the_workspace() {
    for (member, _) in ARROWS {
        let manifest = manifest(member);
        for kind in KINDS {
            for (name, spec) in dependencies(&manifest, kind) {
                let shared = spec.get("workspace").and_then(|w| w.as_bool());
                assert_eq!(shared, Some(true), "{member}: {kind} {name}");
            }
        }
        let lints = manifest["lints"]["workspace"].as_bool();
        assert_eq!(lints, Some(true), "{member} has its own lints");
    }
}

#[test]
fn every_kind_of_dependency_is_looked_at() {
    let manifest = "\
[dependencies]
a = \"1\"
[target.'cfg(unix)'.dev-dependencies]
b = \"1\"
[dev-dependencies]
c = \"1\"
[build-dependencies]
d = \"1\"
";
    let manifest: Table = manifest.parse().unwrap();
    let found = KINDS.map(|kind| dependencies(&manifest, kind).keys().cloned().collect());
    let found: [Vec<String>; 3] = found;
    assert_eq!(found, [vec!["a"], vec!["d"], vec!["b", "c"]]);
}
