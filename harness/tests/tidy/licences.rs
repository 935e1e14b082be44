// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is depended on has licences that `.deny.toml` allows. `cargo deny` looks at
//! advisories and sources too, for which it needs a network.

use crate::sources::root;
use serde_json::Value;
use std::{collections::BTreeSet, fs, process::Command};

/// Whether an SPDX expression can be met by licences of `allowed`. In older manifests a
/// slash means OR; WITH belongs to its licence.
fn met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ");
    let spaced = spaced.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let is_met = either(&mut rest, allowed);
    is_met && rest.is_empty()
}

fn either(rest: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut is_met = both(rest, allowed);
    while rest.first() == Some(&"OR") {
        *rest = &rest[1..];
        is_met |= both(rest, allowed);
    }
    is_met
}

fn both(rest: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut is_met = one(rest, allowed);
    while rest.first() == Some(&"AND") {
        *rest = &rest[1..];
        is_met &= one(rest, allowed);
    }
    is_met
}

fn one(rest: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    match *rest {
        ["(", inner @ ..] => {
            *rest = inner;
            let is_met = either(rest, allowed);
            let closed = rest.first() == Some(&")");
            *rest = rest.get(1..).unwrap_or_default();
            is_met && closed
        }
        [licence, "WITH", exception, after @ ..] => {
            *rest = after;
            allowed.contains(&format!("{licence} WITH {exception}"))
        }
        [licence, after @ ..] => {
            *rest = after;
            allowed.contains(*licence)
        }
        [] => false,
    }
}

#[test]
fn dependencies_have_allowed_licences() {
    let config = fs::read_to_string(root().join(".deny.toml")).unwrap();
    let config: Value = toml::from_str(&config).unwrap();
    let words = |list: &Value| -> BTreeSet<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|word| word.as_str().unwrap().to_string())
            .collect()
    };
    let allowed = words(&config["licenses"]["allow"]);
    // Sources of other systems' packages need not be here.
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "{error}");
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let mut exceptions = config["licenses"]["exceptions"].as_array().unwrap().clone();
    for package in packages {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or("none");
        let exception = exceptions.iter().position(|e| e["crate"] == *name);
        let allowed = match exception {
            Some(at) => &words(&exceptions.swap_remove(at)["allow"]),
            None => &allowed,
        };
        assert!(met(licence, allowed), "{name}: {licence}");
    }
    assert_eq!(exceptions, Vec::<Value>::new(), "an exception without need");
}

#[test]
fn an_expression_is_met_by_what_it_says() {
    let allowed = BTreeSet::from(["MIT", "Apache-2.0 WITH LLVM-exception", "NCSA"].map(Into::into));
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("GPL-3.0 OR MIT AND NCSA", true),
        ("(MIT OR GPL-3.0) AND NCSA", true),
        ("(MIT OR GPL-3.0) AND GPL-3.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
        ("(MIT", false),
        ("MIT NCSA", false),
        ("", false),
    ] {
        assert_eq!(met(expression, &allowed), expected, "{expression:?}");
    }
}
