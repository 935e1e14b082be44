// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A run of two arms that bounce, built in code, against figures by hand.

use super::*;
use crate::model::Model;
use results::{Fingerprint, Header, Outcome, ParamValue, Plan, Row, Run, Testbed};

const REFUSED: &str = "not pinned (Bad address (os error 14))";

fn cell(strategy: &str, bounce: &str) -> Cell {
    let text = ParamValue::Text(bounce.into());
    Cell {
        testbed: Testbed::Host,
        strategy: strategy.into(),
        workload: "virtio/blk-bounce".into(),
        params: [("bounce", text), ("bytes", ParamValue::Int(4_000))]
            .map(|(k, v)| (k.to_string(), v))
            .into(),
        mode: [].into(),
    }
}

/// `n` samples of `cost` in each of five blocks, every byte copied `by` somebody.
fn rows(cell: &Cell, unit: Unit, cost: u64, n: usize, by: &[&str]) -> Vec<Row> {
    let moved = (!by.is_empty()).then_some(&"moved");
    let counted = by.iter().chain(moved);
    let counters = counted.map(|by| (format!("virtio.{by}"), 600)).collect();
    let outcome = Outcome::Measured {
        unit,
        samples: [("latency".to_string(), vec![cost; n])].into(),
        batch: [].into(),
        counters,
        unavailable: [].into(),
    };
    let row = |block| Row {
        cell: cell.clone(),
        block: Some(block),
        order: None,
        outcome: outcome.clone(),
    };
    (1..=5).map(row).collect()
}

fn run(rows: Vec<Vec<Row>>) -> Run {
    Run {
        header: Header {
            schema: results::record::SCHEMA,
            tool: String::new(),
            git: String::new(),
            seed: 7,
            profile: String::new(),
            command: vec![],
            started_unix: 0,
        },
        plan: Plan::default(),
        host: Fingerprint::default(),
        rows: rows.concat(),
        audits: vec![],
        notes: vec![],
    }
}

/// The lines of the only table: arm, way, cost (median, p50, p99, rate, copied), over
/// none and over memfd with three decimals.
fn lines(run: &Run) -> Vec<String> {
    let model = Model::of(run);
    let workload = &model.beds[0].families[0].workloads[0];
    let [table] = &of(workload, 7)[..] else {
        panic!("one table")
    };
    let over = |over: &Result<Ratio, String>| match over {
        Ok(ratio) => number::times(ratio.value),
        Err(why) => why.clone(),
    };
    let line = |cell: &Cell, way: &Way| {
        let cost = match &way.cost {
            Ok(cost) => cost.shown(table.scale).join(" "),
            Err(no) => no.word.clone(),
        };
        let [none, memfd] = [&way.over_none, &way.over_baseline].map(over);
        format!("{} {}: {cost}; {none}; {memfd}", cell.strategy, way.bounce)
    };
    let arms = table.arms.iter();
    arms.flat_map(|(cell, ways)| ways.iter().map(|way| line(cell, way)))
        .collect()
}

#[test]
fn costs_copies_and_ratios_are_those_of_hand() {
    let refused = |strategy| {
        vec![Row {
            outcome: Outcome::missing(REFUSED, "bounce"),
            ..rows(&cell(strategy, "none"), Unit::Ns, 1, 1, &[]).remove(0)
        }]
    };
    let measured = |strategy, bounce, cost, n, by: &[&str]| {
        rows(&cell(strategy, bounce), Unit::Ns, cost, n, by)
    };
    let run = run(vec![
        measured("memfd", "none", 500, 40, &[]),
        measured("memfd", "pool", 800, 39, &["copied"]),
        measured(
            "memfd",
            "swiotlb",
            1_000,
            2_000,
            &["copied", "guest_copied"],
        ),
        refused("memfd-secret"),
        measured("memfd-secret", "pool", 1_000, 1, &["guest_copied"]),
    ]);
    // 4000 bytes in 500 ns are 8 GB/s.
    let expected = [
        "memfd none: 500.0 500.0 needs 10,000 8,000 -; base; base",
        "memfd pool: 800.0 needs 200 needs 10,000 5,000 1; 1.600; base",
        "memfd swiotlb: 1,000 1,000 1,000 4,000 2; 2.000; base",
        "memfd-secret none: EFAULT; -; -",
        "memfd-secret pool: 1,000 needs 200 needs 10,000 4,000 1; - (EFAULT); 1.250",
        "memfd-secret swiotlb: not run; -; -",
    ];
    assert_eq!(lines(&run), expected);
    // Pool and swiotlb of memfd; an arm without none has no ratio to it.
    assert_eq!(intervals(&Model::of(&run)), 2);
}

#[test]
fn instructions_are_no_time_and_units_never_mix() {
    let measured = |bounce, unit, cost| rows(&cell("memfd", bounce), unit, cost, 1, &[]);
    let run = run(vec![
        measured("none", Unit::Insn, 10_000),
        measured("pool", Unit::Insn, 20_000),
        measured("swiotlb", Unit::Ns, 20_000),
    ]);
    let expected = [
        "memfd none: 10,000 needs 200 needs 10,000 400.0 -; base; base",
        "memfd pool: 20,000 needs 200 needs 10,000 200.0 -; 2.000; base",
        "memfd swiotlb: units; - (units); base",
    ];
    assert_eq!(lines(&run), expected);
    let model = Model::of(&run);
    let tables = of(&model.beds[0].families[0].workloads[0], 7);
    assert_eq!(tables[0].rate(), "B/kinsn");
    let few = "p50: not enough samples (5 of 200); p99: not enough samples (5 of 10000)";
    assert_eq!(tables[0].few().as_deref(), Some(few));
    assert!(about(&tables).unwrap().contains("not how fast"));
}

#[test]
fn what_does_not_bounce_has_no_table() {
    let mut plain = cell("memfd", "none");
    plain.params.remove("bounce");
    let run = run(vec![rows(&plain, Unit::Ns, 1, 1, &[])]);
    let model = Model::of(&run);
    let tables = of(&model.beds[0].families[0].workloads[0], 7);
    assert!(tables.is_empty() && about(&tables).is_none());
}

#[test]
fn without_none_in_the_run_the_ratio_says_so() {
    let pool = rows(&cell("memfd", "pool"), Unit::Ns, 500, 1, &[]);
    let expected = ["memfd pool: 500.0 needs 200 needs 10,000 8,000 -; - (not run); base"];
    assert_eq!(lines(&run(vec![pool])), expected);
}
