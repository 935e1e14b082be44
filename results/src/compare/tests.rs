// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Comparison of runs built in code, two arms of one group, and of every hole.

use super::*;
use crate::{Fingerprint, Header, Plan, Testbed, run::StrategyInfo};

const MMIO: &str = "mmio/user-read";

fn cell(strategy: &str) -> Cell {
    Cell {
        testbed: Testbed::Fake,
        strategy: strategy.into(),
        workload: MMIO.into(),
        params: [].into(),
        mode: [].into(),
    }
}

fn row(strategy: &str, block: u32, outcome: Outcome) -> Row {
    Row {
        cell: cell(strategy),
        block: Some(block),
        order: Some(0),
        outcome,
    }
}

fn measured(unit: Unit, samples: &[u64]) -> Outcome {
    Outcome::Measured {
        unit,
        samples: [("latency".to_string(), samples.to_vec())].into(),
        batch: [].into(),
        counters: [].into(),
        unavailable: [].into(),
    }
}

/// A run of two planned strategies, `memfd` first.
fn run(rows: Vec<Row>) -> Run {
    let strategies = ["memfd", "guest-memfd"];
    Run {
        header: serde_json::from_str::<Header>(
            r#"{"schema":1,"tool":"t","git":"g","seed":7,"profile":"quick","command":[]}"#,
        )
        .unwrap(),
        plan: Plan {
            strategies: strategies
                .map(|name| StrategyInfo {
                    name: name.into(),
                    about: String::new(),
                    isolating: false,
                    differs_from: None,
                    parameters: Vec::new(),
                })
                .into(),
            cells: strategies.map(cell).into(),
            ..Plan::default()
        },
        host: Fingerprint::default(),
        rows,
        audits: vec![],
        notes: vec![],
    }
}

/// Both arms measured in blocks 0 to 8; guest-memfd costs a tenth more.
fn two_arms() -> Vec<Row> {
    let block = |b: u32| {
        let base = if b == 0 { 9_000 } else { 1_000 + u64::from(b) };
        [("memfd", 10), ("guest-memfd", 11)].map(|(strategy, tenths)| {
            let samples = [base * tenths - 1, base * tenths, base * tenths + 1];
            row(strategy, b, measured(Unit::Ns, &samples))
        })
    };
    (0..9).flat_map(block).collect()
}

#[test]
fn pairs_blocks_and_leaves_out_the_warm_up() {
    let run = run(two_arms());
    let [table] = &compare(&run)[..] else {
        panic!("one group")
    };
    assert_eq!((table.series, table.unit), ("latency", Some(Unit::Ns)));
    let [base, arm] = &table.arms[..] else {
        panic!("two arms")
    };
    assert_eq!(base.ratio, Err(NoRatio::IsBaseline));
    let figures = base.figures.as_ref().unwrap();
    assert_eq!(figures.blocks.len(), 8);
    assert_eq!(
        (figures.min, figures.median, figures.max),
        (10_010.0, 10_045.0, 10_080.0)
    );
    assert_eq!(figures.samples, 24);
    let ratio = arm.ratio.clone().unwrap();
    assert!((ratio.value - 1.1).abs() < 1e-12 && ratio.differs());
    assert_eq!((ratio.pairs, base.rows.len()), (8, 9));
}

#[test]
fn order_of_rows_does_not_matter_within_a_cell() {
    let mut rows = two_arms();
    rows.reverse();
    let (forward, backward) = (run(two_arms()), run(rows));
    let figures = |run| -> Vec<_> {
        let tables: Vec<Table<'_>> = compare(run);
        let arms = tables.into_iter().flat_map(|t| t.arms);
        arms.map(|a| (a.figures, a.ratio)).collect()
    };
    assert_eq!(figures(&forward), figures(&backward));
}

#[test]
fn divides_by_the_batch() {
    let mut outcome = measured(Unit::Ns, &[500, 700]);
    if let Outcome::Measured { batch, .. } = &mut outcome {
        batch.insert("latency".into(), 100);
    }
    let row = row("memfd", 1, outcome);
    assert_eq!(blocks(&[&row], "latency"), [(1, 6.0)].into());
    assert_eq!(pooled(&[&row], "latency").values(), [5.0, 7.0]);
    assert!(pooled(&[&row], "other").is_empty());
}

#[test]
fn every_hole_says_why() {
    fn check(rows: Vec<Row>, hole: &str, ratio: &str) {
        let run = run([
            two_arms()
                .into_iter()
                .filter(|r| r.cell == cell("memfd"))
                .collect(),
            rows,
        ]
        .concat());
        let arm = compare(&run).remove(0).arms.remove(1);
        assert_eq!(arm.figures.unwrap_err().to_string(), hole);
        assert_eq!(arm.ratio.unwrap_err().to_string(), ratio);
    }
    let arm = |block, outcome| row("guest-memfd", block, outcome);
    check(vec![], &Hole::NotRun.to_string(), "no figures");
    check(
        vec![arm(0, measured(Unit::Ns, &[1]))],
        &Hole::NotRun.to_string(),
        "no figures",
    );
    check(
        vec![
            arm(0, Outcome::failed("hung")),
            arm(1, Outcome::failed("died")),
        ],
        "failed in 2 of 2 blocks: hung",
        "no figures",
    );
    check(
        vec![
            arm(1, Outcome::missing("KVM_RUN: EFAULT", "the lab")),
            arm(2, Outcome::failed("x")),
        ],
        "missing: KVM_RUN: EFAULT",
        "no figures",
    );
    check(
        vec![
            arm(0, measured(Unit::Ns, &[])),
            arm(1, measured(Unit::Ns, &[])),
        ],
        "failed in 1 of 1 blocks: the series latency is empty",
        "no figures",
    );
    let insn = "samples in insn among samples in ns: not compared";
    check(vec![arm(1, measured(Unit::Insn, &[5]))], insn, "no figures");
    let mixed = vec![
        arm(1, measured(Unit::Ns, &[5])),
        arm(2, measured(Unit::Insn, &[5])),
    ];
    check(mixed, insn, "no figures");
}

#[test]
fn no_ratio_without_a_baseline_or_against_zero() {
    fn check(base: Vec<Row>, expected: &str) {
        let arms = two_arms().into_iter().filter(|r| r.cell != cell("memfd"));
        let run = run(base.into_iter().chain(arms).collect());
        let arm = compare(&run).remove(0).arms.remove(1);
        assert!(arm.figures.is_ok());
        assert_eq!(arm.ratio.unwrap_err().to_string(), expected);
    }
    let base = |block, outcome| row("memfd", block, outcome);
    check(
        vec![base(1, Outcome::missing("no memory", "more"))],
        "no baseline: missing: no memory",
    );
    check(
        vec![base(1, measured(Unit::Ns, &[0]))],
        "the median of a block is 0",
    );
    check(
        vec![base(99, measured(Unit::Ns, &[5]))],
        "no block has both arms",
    );
}

#[test]
fn some_lost_blocks_are_counted() {
    let mut rows = two_arms();
    for row in rows.iter_mut().filter(|r| r.cell == cell("guest-memfd")) {
        if row.block.is_some_and(|b| b == 3 || b == 5) {
            row.outcome = Outcome::failed("guest hung");
        }
    }
    let run = run(rows);
    let arm = compare(&run).remove(0).arms.remove(1);
    let expected = Lost {
        blocks: 2,
        of: 8,
        error: "guest hung".into(),
    };
    assert_eq!(arm.lost, Some(expected));
    assert_eq!(arm.ratio.unwrap().pairs, 6);
}

#[test]
fn cells_outside_the_plan_come_last_and_an_empty_run_has_no_table() {
    let mut stray = row("anon", 1, measured(Unit::Ns, &[u64::MAX]));
    stray.cell.workload = "a/stray".into();
    let run = run([vec![stray], two_arms()].concat());
    let tables = compare(&run);
    let names: Vec<_> = tables.iter().map(|t| t.group.workload.as_str()).collect();
    assert_eq!(names, [MMIO, "a/stray"]);
    let gone = tables[1].arms[0].ratio.clone().unwrap_err().to_string();
    assert_eq!(gone, "no baseline: memfd is not in the run");
}

fn moded(mode: &[(&str, &str)], outcome: Outcome) -> Row {
    let mut row = row("guest-memfd", 1, outcome);
    let value = |v: &&str| crate::ParamValue::Text(v.to_string());
    row.cell.mode = mode
        .iter()
        .map(|(k, v)| (k.to_string(), value(v)))
        .collect();
    row
}

#[test]
fn arms_are_strategies_in_modes_in_order() {
    let insn = |n| measured(Unit::Insn, &[n]);
    let mut strange = moded(&[("flush", "none")], insn(7));
    strange.cell.strategy = "memfd".into();
    let run = run(vec![
        moded(&[("flush", "none")], insn(8)),
        strange,
        moded(&[("access", "held"), ("flush", "none")], insn(5)),
        row("guest-memfd", 1, insn(10)),
        row("anon", 1, insn(4)),
        moded(&[("access", "held")], insn(6)),
        row("memfd", 1, insn(4)),
    ]);
    let [table] = &compare(&run)[..] else {
        panic!("one group")
    };
    let arms: Vec<_> = table.arms.iter().map(|arm| arm.cell.arm()).collect();
    assert_eq!(
        arms,
        [
            "memfd",
            "memfd flush=none",
            "guest-memfd",
            "guest-memfd access=held",
            "guest-memfd access=held flush=none",
            "guest-memfd flush=none",
            "anon",
        ]
    );
    let ratios: Vec<_> = table.arms.iter().map(|arm| arm.ratio.clone()).collect();
    assert_eq!(ratios[0], Err(NoRatio::IsBaseline));
    let exact = |value| Ok((value, Precision::Exact));
    let seen = ratios[1..].iter().map(|r| {
        let ratio = r.as_ref().map_err(|e| e.to_string());
        ratio.map(|r| (r.value, r.precision))
    });
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [1.75, 2.5, 1.5, 1.25, 2.0, 1.0].map(exact)
    );
    assert_eq!(table.baseline().unwrap().median, 4.0);
}

#[test]
fn instructions_that_do_not_repeat_have_no_interval() {
    let rows = (1..=9).flat_map(|block| {
        let moved = 10 + u64::from(block == 5);
        [("memfd", 10), ("guest-memfd", moved)]
            .map(|(strategy, n)| row(strategy, block, measured(Unit::Insn, &[n])))
    });
    let run = run(rows.collect());
    let arm = compare(&run).remove(0).arms.remove(1);
    assert!(!arm.figures.unwrap().repeats());
    let ratio = arm.ratio.unwrap();
    assert_eq!(ratio.precision, Precision::NotDeterministic);
    assert!(!ratio.differs());
}

/// The blocks are 2 to 4 of one cell and 3 to 5 of the other: two pairs.
#[test]
fn two_cells_of_one_arm_are_paired_by_block_too() {
    let cost = |first: u32, values: [u64; 3]| {
        let rows = (first..).zip(values);
        let rows = rows.map(|(b, v)| row("memfd", b, measured(Unit::Insn, &[v])));
        compare(&run(rows.collect()))
            .remove(0)
            .arms
            .remove(0)
            .figures
            .unwrap()
    };
    let ratio = |a: [u64; 3], b: [u64; 3], unit| {
        let ratio = between(&cost(2, a), &cost(3, b), Some(unit), 7).unwrap();
        (ratio.value, ratio.precision, ratio.pairs)
    };
    let exact = (1.5, Precision::Exact, 2);
    assert_eq!(ratio([3; 3], [2; 3], Unit::Insn), exact);
    let unsteady = (1.5, Precision::NotDeterministic, 2);
    assert_eq!(ratio([9, 3, 3], [2; 3], Unit::Insn), unsteady);
    let few = ratio([9, 3, 3], [2; 3], Unit::Ns);
    assert!((few.0 - 1.5).abs() < 1e-12 && (few.1, few.2) == (Precision::TooFew, 2));
    let apart = between(&cost(1, [3; 3]), &cost(4, [2; 3]), Some(Unit::Ns), 7);
    assert_eq!(apart, Err(Undefined::NoPairs));
}
