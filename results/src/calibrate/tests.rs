// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Gates of resampled runs: how often they are wrong, and how often they see.

use super::*;
use crate::gate::{Outcome, Policy, Terms, Verdict, compare};
use crate::{Run, store};
use std::{collections::BTreeMap, path::Path};

fn recorded(name: &str) -> Run {
    let results = Path::new(env!("CARGO_MANIFEST_DIR"));
    store::read(&results.join("recorded").join(name)).unwrap()
}

/// The recorded run without most of its samples: medians of blocks are the same.
fn medians(mut run: Run) -> Run {
    for row in &mut run.rows {
        if let crate::Outcome::Measured { samples, .. } = &mut row.outcome {
            for series in samples.values_mut() {
                let middle = crate::stats::sample_median(series).unwrap_or(0.0);
                *series = vec![middle.round() as u64];
            }
        }
    }
    run
}

fn terms() -> Terms {
    Terms {
        policy: Policy::defaults().unwrap(),
        across: vec![],
        partial: false,
    }
}

/// The rate that the gate promises, 1 % over all its metrics together, on blocks as a
/// noisy machine had them: bimodal, lopsided, one in fifteen off by half.
#[test]
fn equal_runs_seldom_differ() {
    let run = medians(recorded("host-pvm"));
    let mut tally = Tally::default();
    for seed in 0..200 {
        let [a, b] = [2 * seed, 2 * seed + 1].map(|s| resampled(&run, 15, s));
        tally.equal(&compare(&a, &b, &terms()));
    }
    let rate = tally.false_positives().unwrap();
    assert_eq!(rate.of, 200);
    assert!(rate.hits <= 2, "{rate:?}");
    // Nine in ten of them come out within what one gate resolves.
    for metric in tally.resolutions() {
        let apart = metric.apart.unwrap();
        assert!(
            1.0 < metric.resolves && apart < metric.resolves * 1.05,
            "{metric:?}"
        );
        assert!(metric.apart_at_most.unwrap() >= apart);
    }
}

/// What a gate says it would detect it does: 4 times in 5, less what 60 trials
/// scatter. Of what it does not say so, it makes no promise.
#[test]
fn a_slowdown_is_caught_as_promised() {
    let run = medians(recorded("host-pvm"));
    let slow = run
        .plan
        .cells
        .iter()
        .filter(|cell| cell.family() != "calibrate");
    let factors: BTreeMap<Cell, f64> = slow.map(|cell| (cell.clone(), 1.05)).collect();
    let mut tally = Tally::default();
    for seed in 0..60 {
        let [a, b] = [2 * seed, 2 * seed + 1].map(|s| resampled(&run, 15, s));
        let gated = compare(&a, &slowed(&b, &factors), &terms());
        tally.slowed(&gated, factors.keys());
    }
    let injected = tally.injected(5.0, How::Arithmetic).unwrap();
    let mut promised = 0;
    for metric in &injected.metrics {
        let caught = metric.caught.hits as f64 / metric.caught.of as f64;
        if metric.detects.unwrap() <= 1.05 {
            promised += 1;
            assert!(caught >= 0.75, "{metric:?}");
        }
        assert!(caught < 0.9 || metric.detects.unwrap() < 1.06, "{metric:?}");
    }
    assert!(promised >= 15, "{promised}");
}

#[test]
fn a_lab_record_differs_by_what_was_changed_and_nothing_else() {
    let run = recorded("lab-virtio");
    let cells: Vec<Cell> = run
        .by_cell()
        .into_iter()
        .map(|(cell, _)| cell.clone())
        .collect();
    for i in 0..20 {
        assert_eq!(compare(&run, &run, &terms()).outcome(), Outcome::Fine);
        let one = cells[i * 7 % cells.len()].clone();
        let slow = slowed(&run, &[(one.clone(), 1.005)].into());
        let gated = compare(&run, &slow, &terms());
        assert_eq!(gated.outcome(), Outcome::Regression, "{one}");
        assert!(gated.gated(Verdict::Regression).all(|m| m.cell == one));
    }
}

fn calibration(tally: &Tally, host: Fingerprint) -> Calibration {
    Calibration {
        schema: SCHEMA,
        git: "g".into(),
        command: vec![],
        started_unix: 0,
        source: Source::Resampled,
        host,
        testbed: Testbed::Host,
        blocks: 15,
        level: 0.01,
        false_positives: tally.false_positives().unwrap(),
        inconclusive: tally.inconclusive().unwrap(),
        injected: None,
        metrics: tally.resolutions(),
    }
}

#[test]
fn a_gate_hears_of_what_its_machine_cannot_resolve() {
    let run = medians(recorded("host-pvm"));
    let mut tally = Tally::default();
    for seed in 0..10 {
        let [a, b] = [2 * seed, 2 * seed + 1].map(|s| resampled(&run, 15, s));
        tally.equal(&compare(&a, &b, &terms()));
    }
    let known = calibration(&tally, run.host.clone());
    assert!(known.fits(&run.host));
    let mut other = run.host.clone();
    other.facts.retain(|fact| fact.name != "cpu.model");
    assert!(!known.fits(&other));
    let flagged = |percent: f64| {
        let mut terms = terms();
        for pattern in [
            "mmio/*",
            "pio/*",
            "clock/*",
            "fault/*",
            "boot/*",
            "teardown/*",
        ] {
            terms
                .policy
                .overlay_word(&format!("{pattern}={percent}%"))
                .unwrap();
        }
        let mut gated = compare(&run, &run, &terms);
        known.warn(&mut gated, "here");
        let note = gated.notes.last().unwrap().clone();
        let fine = |m: &&crate::gate::Metric| {
            m.flags
                .iter()
                .any(|f| matches!(f, Flag::ToleranceTooFine(_)))
        };
        let of = gated.metrics.iter().filter(|m| m.role == Role::Gated);
        (of.filter(fine).count(), note)
    };
    let (all, note) = flagged(0.1);
    assert!(all >= 38 && note.contains("is finer than"), "{all} {note}");
    let (none, note) = flagged(90.0);
    assert!(
        none == 0 && note.contains("resolves the tolerances of all"),
        "{note}"
    );
    let json = serde_json::to_string(&known).unwrap();
    let read: Calibration = serde_json::from_str(&json).unwrap();
    assert_eq!(read.metrics.len(), known.metrics.len());
}
