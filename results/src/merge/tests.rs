// SPDX-License-Identifier: Apache-2.0 OR MIT

use super::*;
use crate::{
    Testbed, Unit,
    audit::{Reader, Verdict},
    compare::compare,
    run::StrategyInfo,
};

/// A run of `memfd` and an isolating strategy, of which it found `verdict`.
fn run(kernel: &str, cost: u64, verdict: Option<Verdict>) -> Run {
    let cell = |strategy: &str| Cell {
        testbed: Testbed::Host,
        strategy: strategy.into(),
        workload: "mmio/user-read".into(),
        params: Default::default(),
        mode: Default::default(),
    };
    let row = |strategy: &str, cost: u64| Row {
        cell: cell(strategy),
        block: Some(1),
        order: Some(0),
        outcome: Outcome::Measured {
            unit: Unit::Ns,
            samples: [("latency".to_string(), vec![cost])].into(),
            batch: Default::default(),
            counters: Default::default(),
            unavailable: Default::default(),
        },
    };
    let mut host = Fingerprint::default();
    host.push("cpu.model", Some("A CPU".into()));
    host.push("kernel", Some(kernel.into()));
    host.warnings.push("Both are virtual.".into());
    let info = |name: &str| StrategyInfo {
        name: name.into(),
        about: String::new(),
        isolating: name == "hidden",
        differs_from: None,
        parameters: Vec::new(),
    };
    let audit = verdict.map(|verdict| Audit {
        testbed: Testbed::Host,
        strategy: "hidden".into(),
        mode: Default::default(),
        isolating: true,
        claim: None,
        findings: vec![Finding {
            reader: Reader::DirectMap,
            verdict,
            seen: "what was seen".into(),
        }],
    });
    Run {
        header: Header {
            schema: SCHEMA,
            tool: "test".into(),
            git: "test".into(),
            seed: 1,
            profile: "quick".into(),
            command: vec![],
            started_unix: cost,
        },
        plan: Plan {
            seed: 1,
            profile: "quick".into(),
            blocks: 1,
            strategies: vec![info("memfd"), info("hidden")],
            workloads: vec![],
            cells: vec![cell("memfd"), cell("hidden")],
        },
        host,
        rows: vec![row("memfd", cost), row("hidden", 2 * cost)],
        audits: audit.into_iter().collect(),
        notes: vec![],
    }
}

/// The merged record as a reader gets it.
fn merged(runs: &[(&str, Run)]) -> Result<Run, Error> {
    let label = |name: &str| Label(name.to_string());
    let parts: Vec<Part> = runs
        .iter()
        .map(|(name, run)| Part::of(label(name), run))
        .collect();
    let merged = merge(&parts)?;
    let rows = runs.iter().flat_map(|(name, run)| {
        let rows = run.rows.iter().cloned();
        rows.map(move |row| label(name).row(row))
    });
    Ok(Run {
        header: merged.header.unwrap(),
        plan: merged.plan,
        host: merged.host,
        rows: rows.collect::<Result<_, _>>()?,
        audits: merged.audits,
        notes: vec![],
    })
}

#[test]
fn arms_are_compared_within_a_machine() {
    let hidden = Some(Verdict::Hidden);
    let run = merged(&[("a", run("1", 10, hidden)), ("b", run("2", 1000, hidden))]).unwrap();
    let tables = compare(&run);
    assert_eq!(tables.len(), 2);
    for (table, host) in tables.iter().zip(["a", "b"]) {
        assert_eq!(table.group.params[HOST], ParamValue::Text(host.into()));
        let ratio = table.arms[1].ratio.as_ref().unwrap();
        assert_eq!(ratio.value, 2.0);
    }
}

#[test]
fn facts_are_said_once_where_all_agree() {
    let run = merged(&[("a", run("1", 10, None)), ("b", run("2", 10, None))]).unwrap();
    let get = |name| run.host.get(name);
    assert_eq!(get("merged"), Some("a, b"));
    assert_eq!(get("cpu.model"), Some("A CPU"));
    assert_eq!(
        (get("kernel"), get("a: kernel"), get("b: kernel")),
        (None, Some("1"), Some("2"))
    );
    let common = run
        .host
        .warnings
        .iter()
        .filter(|w| *w == "Both are virtual.");
    assert_eq!(common.count(), 1);
}

/// A machine on which the claim does not hold, or was not checked, is not covered by
/// one on which it does.
#[test]
fn a_broken_claim_stays_visible() {
    let good = run("1", 10, Some(Verdict::Hidden));
    let broken = run("2", 10, Some(Verdict::Readable));
    let both = merged(&[("a", good.clone()), ("b", broken), ("c", good.clone())]).unwrap();
    let found: Vec<String> = both.audits.iter().filter_map(Audit::broken).collect();
    assert_eq!((both.audits.len(), found.len()), (2, 1));
    assert!(found[0].contains("b: what was seen"), "{found:?}");
    let unchecked = merged(&[("a", good), ("b", run("2", 10, None))]).unwrap();
    let warning = "b: isolation was not checked for: hidden on host";
    assert!(unchecked.host.warnings.iter().any(|w| w == warning));
}

#[test]
fn names_must_tell_runs_apart() {
    let of = |names: &[&'static str]| {
        let runs: Vec<_> = names
            .iter()
            .map(|name| (*name, run("1", 10, None)))
            .collect();
        merged(&runs).unwrap_err()
    };
    assert_eq!(of(&["a", "b", "a"]), Error::Twice("a".into()));
    assert_eq!(of(&["a", " "]), Error::Unnamed);
    let again = merged(&[("x", merged(&[("a", run("1", 10, None))]).unwrap())]);
    assert!(matches!(again.unwrap_err(), Error::Merged { label, .. } if label == "x"));
}
