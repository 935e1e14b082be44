// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whole runs against each other, built in code.

use super::*;
use crate::{
    Cell, Fingerprint, Header, Plan, Row, Run, Testbed, Unit,
    cell::ParamValue,
    run::{View, WorkloadInfo},
    stats::simulate::Normals,
};

const MMIO: &str = "mmio/user-read";

/// A cell of `workload` on `testbed`.
fn cell(testbed: Testbed, workload: &str) -> Cell {
    Cell {
        testbed,
        strategy: "memfd".into(),
        workload: workload.into(),
        params: [].into(),
        mode: [].into(),
    }
}

/// A run with one row for each figure of each cell, blocks from 1 on.
fn run(cells: &[(Cell, &[u64])]) -> Run {
    let row = |cell: &Cell, block: usize, figure: u64| Row {
        cell: cell.clone(),
        block: Some(block as u32 + 1),
        order: Some(0),
        outcome: crate::Outcome::Measured {
            unit: match cell.testbed {
                Testbed::Lab => Unit::Insn,
                _ => Unit::Ns,
            },
            samples: [("latency".to_string(), vec![figure; 3])].into(),
            batch: [].into(),
            counters: [("kvm.direct_map_flushes".to_string(), 40)].into(),
            unavailable: [].into(),
        },
    };
    let rows = cells.iter().flat_map(|(cell, figures)| {
        let blocks = figures.iter().enumerate();
        blocks.map(move |(block, figure)| row(cell, block, *figure))
    });
    let workload = |id: &str| WorkloadInfo {
        id: id.into(),
        summary: String::new(),
        analysis: String::new(),
        view: View::Latency,
        headline: "latency".into(),
        detail: None,
        phases: vec![],
    };
    Run {
        header: Header {
            schema: 1,
            tool: "t".into(),
            git: "g".into(),
            seed: 7,
            profile: "quick".into(),
            command: vec![],
            started_unix: 0,
        },
        plan: Plan {
            workloads: cells.iter().map(|(c, _)| workload(&c.workload)).collect(),
            cells: cells.iter().map(|(c, _)| c.clone()).collect(),
            ..Plan::default()
        },
        host: Fingerprint::default(),
        rows: rows.collect(),
        audits: vec![],
        notes: vec![],
    }
}

fn gate(baseline: &Run, current: &Run) -> Comparison {
    across(baseline, current, &[])
}

fn across(baseline: &Run, current: &Run, across: &[Aspect]) -> Comparison {
    let terms = Terms {
        policy: Policy::defaults().unwrap(),
        across: across.to_vec(),
        partial: false,
    };
    compare(baseline, current, &terms)
}

/// Blocks around `level` with 1 % noise, different for each seed.
fn noisy(level: f64, seed: u64) -> Vec<u64> {
    let noise = Normals::new(seed).take(15);
    noise
        .into_iter()
        .map(|n| (level * (1.0 + 0.01 * n)) as u64)
        .collect()
}

fn lab(figures: &[u64]) -> Run {
    run(&[(cell(Testbed::Lab, MMIO), figures)])
}

/// A run on the host: the control and one workload.
fn host(control: f64, mmio: f64, seed: u64) -> Run {
    run(&[
        (
            cell(Testbed::Host, "calibrate/loop"),
            &noisy(control, seed + 100),
        ),
        (cell(Testbed::Host, MMIO), &noisy(mmio, seed)),
    ])
}

#[test]
fn lab_counts_are_gated_to_the_tolerance() {
    let check = |now: &[u64], outcome: Outcome, changed: usize| {
        let comparison = gate(&lab(&[4758]), &lab(now));
        assert_eq!(comparison.outcome(), outcome, "{now:?}");
        let list = comparison.metrics.iter().filter(|m| m.changed());
        assert_eq!(list.count(), changed, "{now:?}");
    };
    check(&[4758], Outcome::Fine, 0);
    check(&[4758, 4758], Outcome::Fine, 0);
    check(&[4762], Outcome::Fine, 1);
    check(&[4782], Outcome::Regression, 1);
    check(&[4700], Outcome::Fine, 1);
    check(&[4700, 4782], Outcome::Inconclusive, 1);
}

#[test]
fn a_slower_host_is_a_regression_if_its_control_is_clean() {
    let base = host(1e6, 30_000.0, 1);
    assert_eq!(
        gate(&base, &host(1e6, 30_000.0, 2)).outcome(),
        Outcome::Fine
    );
    let slow = gate(&base, &host(1e6, 33_000.0, 2));
    assert_eq!(slow.outcome(), Outcome::Regression);
    let regression = slow.gated(Verdict::Regression).next().unwrap();
    let change = regression.change.unwrap();
    assert_eq!(regression.method, Method::Unpaired);
    assert!((change.ratio - 1.1).abs() < 0.02, "{change:?}");
    assert!(change.adjusted.unwrap() <= 0.01 && change.detects.unwrap() < 1.1);
    assert_eq!(slow.tested, 1);
    let moved = gate(&base, &host(1.1e6, 33_000.0, 2));
    assert_eq!(moved.outcome(), Outcome::Inconclusive);
    assert!(moved.notes[0].contains("the control"), "{:?}", moved.notes);
    // A faster machine may hide a regression; one that is only slower cannot.
    let hidden = gate(&base, &host(0.9e6, 30_000.0, 2));
    assert_eq!(hidden.outcome(), Outcome::Inconclusive);
    let reason = hidden
        .gated(Verdict::Inconclusive)
        .next()
        .unwrap()
        .reason
        .clone();
    assert!(reason.unwrap().contains("may be faster"));
    assert_eq!(
        gate(&base, &host(1.1e6, 30_000.0, 2)).outcome(),
        Outcome::Fine
    );
    let fast = gate(&base, &host(1e6, 27_000.0, 2));
    assert_eq!(fast.outcome(), Outcome::Fine);
    assert_eq!(fast.gated(Verdict::Improvement).count(), 1);
}

#[test]
fn a_missing_control_is_said() {
    let mmio = |seed| run(&[(cell(Testbed::Host, MMIO), &noisy(1e4, seed))]);
    let notes = gate(&mmio(1), &mmio(2)).notes;
    assert!(notes[0].contains("no control in both runs"), "{notes:?}");
    assert!(gate(&lab(&[7]), &lab(&[7])).notes.is_empty());
}

#[test]
fn few_blocks_are_inconclusive() {
    let few = |run: Run| Run {
        rows: run
            .rows
            .into_iter()
            .filter(|r| r.block <= Some(4))
            .collect(),
        ..run
    };
    let base = host(1e6, 30_000.0, 1);
    let current = few(host(1e6, 60_000.0, 2));
    assert_eq!(gate(&base, &current).outcome(), Outcome::Inconclusive);
}

#[test]
fn a_part_of_the_baseline_is_compared_if_asked_for() {
    let both = run(&[
        (cell(Testbed::Lab, MMIO), &[7]),
        (cell(Testbed::Lab, "pio/user"), &[9]),
    ]);
    assert_eq!(gate(&both, &lab(&[7])).outcome(), Outcome::Inconclusive);
    let terms = Terms {
        policy: Policy::defaults().unwrap(),
        across: vec![],
        partial: true,
    };
    let partial = compare(&both, &lab(&[7]), &terms);
    assert_eq!(partial.outcome(), Outcome::Fine);
    assert!(partial.notes[0].contains("1 cells"), "{:?}", partial.notes);
    // What was to be measured and was not is missing all the same.
    let mut failed = both.clone();
    failed.rows.truncate(1);
    assert_eq!(
        compare(&both, &failed, &terms).outcome(),
        Outcome::Inconclusive
    );
}

/// What is gone stands in the way of "fine"; what is new does not.
#[test]
fn what_one_run_lacks_is_named() {
    let both = run(&[
        (cell(Testbed::Lab, MMIO), &[7]),
        (cell(Testbed::Lab, "pio/user"), &[9]),
    ]);
    let mut gone = both.clone();
    gone.rows[1].outcome = crate::Outcome::failed("isolation not as claimed");
    let comparison = gate(&both, &gone);
    assert_eq!(comparison.outcome(), Outcome::Inconclusive);
    let missing = comparison.gated(Verdict::Missing).next().unwrap();
    let reason = missing.reason.as_deref().unwrap();
    assert_eq!(reason, "not in the current run: isolation not as claimed");
    assert_eq!(gate(&gone, &both).outcome(), Outcome::Fine);
    assert_eq!(gate(&gone, &gone).outcome(), Outcome::Fine);
    let nothing = Run {
        rows: vec![],
        ..both.clone()
    };
    assert_eq!(gate(&both, &nothing).outcome(), Outcome::Unfit);
    assert_eq!(gate(&nothing, &both).outcome(), Outcome::Nothing);
    assert_eq!(gate(&nothing, &nothing).outcome(), Outcome::Nothing);
    // Other parameters are another metric.
    let mut other = lab(&[7]);
    other.rows[0]
        .cell
        .params
        .insert("cpus".into(), ParamValue::Int(2));
    let comparison = gate(&lab(&[7]), &other);
    assert_eq!(comparison.outcome(), Outcome::Nothing);
    assert_eq!(comparison.metrics.len(), 2);
}

#[test]
fn units_never_meet() {
    let mut other = lab(&[4758]);
    if let crate::Outcome::Measured { unit, .. } = &mut other.rows[0].outcome {
        *unit = Unit::Ns;
    }
    let comparison = gate(&lab(&[4758]), &other);
    assert_eq!(comparison.outcome(), Outcome::Inconclusive);
    let reason = comparison.metrics[0].reason.as_deref().unwrap();
    assert!(reason.contains("units differ"), "{reason}");
}

#[test]
fn another_machine_is_refused_unless_it_is_the_question() {
    let on = |kernel: &str, figure| {
        let mut run = lab(&[figure]);
        run.host.push("lab.kernel", Some(kernel.into()));
        let name = ParamValue::Text(format!("1:{kernel}"));
        run.rows[0].cell.params.insert("kernel".into(), name);
        run.plan.cells = vec![run.rows[0].cell.clone()];
        run
    };
    let (old, new) = (on("7.3.4", 4758), on("7.3.5", 4858));
    let refused = gate(&old, &new);
    assert_eq!(refused.outcome(), Outcome::Nothing);
    assert_eq!(refused.refused[0].aspect, Aspect::Kernel);
    assert!(refused.metrics.is_empty());
    let asked = across(&old, &new, &[Aspect::Kernel]);
    assert_eq!(asked.outcome(), Outcome::Regression);
    assert_eq!((asked.refused.len(), asked.crossed.len()), (0, 1));
    let wrong = across(&old, &new, &[Aspect::Qemu]);
    assert_eq!(wrong.outcome(), Outcome::Nothing);
}

/// A lab of these facts, whose port and MMIO accesses count so many instructions.
fn emulated(facts: &[(&str, &str)], pio: u64, mmio: u64) -> Run {
    let cells = [
        (cell(Testbed::Lab, MMIO), mmio),
        (cell(Testbed::Lab, "pio/user"), pio),
    ];
    let figures = cells
        .each_ref()
        .map(|(cell, figure)| (cell.clone(), [*figure]));
    let cells: Vec<(Cell, &[u64])> = figures.iter().map(|(c, f)| (c.clone(), &f[..])).collect();
    let mut run = run(&cells);
    for (name, value) in facts {
        run.host.push(name, Some(value.to_string()));
    }
    run
}

/// The fault that made a gate skip: Debian rebuilt its QEMU, and nothing else changed.
#[test]
fn a_rebuilt_emulator_is_known_by_its_counts() {
    let build = |suffix: &str| format!("7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+{suffix})");
    let on = |qemu: &str, pio, mmio| emulated(&[("lab.qemu", qemu)], pio, mmio);
    let old = on(&build("b2"), 2484, 4758);
    let check = |new: &Run, outcome: Outcome, said: &str| {
        let comparison = gate(&old, new);
        assert_eq!(comparison.outcome(), outcome, "{comparison:?}");
        let reasons = comparison.refused.iter().filter_map(|d| d.reason.as_ref());
        let all: Vec<&String> = comparison.notes.iter().chain(reasons).collect();
        assert!(all.iter().any(|text| text.contains(said)), "{all:?}");
    };
    let alike = "counts alike: memfd pio/user is 2484 in both runs";
    check(&on(&build("b3"), 2484, 4758), Outcome::Fine, alike);
    // What changed elsewhere is still a verdict.
    check(&on(&build("b3"), 2484, 4858), Outcome::Regression, alike);
    let differs = "pio/user was 2484 and is 2450";
    check(&on(&build("b3"), 2450, 4700), Outcome::Nothing, differs);
    // Another version is another emulator, whatever it counts.
    let newer = gate(&old, &on("10.0.2 (Debian x)", 2484, 4758));
    assert_eq!(newer.outcome(), Outcome::Nothing);
    assert_eq!(newer.refused[0].reason, None);
    // Nothing to calibrate by.
    let mut alone = on(&build("b3"), 2484, 4758);
    for row in &mut alone.rows {
        row.cell.strategy = "guest-memfd".into();
    }
    check(&alone, Outcome::Nothing, "no count in both runs");
    // Asked to cross, it is crossed and not tried.
    let crossed = across(&old, &on(&build("b3"), 2450, 4758), &[Aspect::Qemu]);
    assert_eq!((crossed.crossed.len(), crossed.notes.len()), (1, 0));
}

/// The same source by another compiler counts otherwise, under the same name.
#[test]
fn a_kernel_is_known_by_its_compiler_too() {
    let by = |compiler: &str, pio| {
        let facts = [("lab.kernel", "7.3.4"), ("lab.kernel.compiler", compiler)];
        emulated(&facts, pio, 2 * pio)
    };
    let old = by("gcc 12.2.0", 2484);
    let refused = gate(&old, &by("gcc 14.2.0", 2450));
    assert_eq!(refused.outcome(), Outcome::Nothing);
    assert_eq!(refused.refused[0].fact, "lab.kernel.compiler");
    assert_eq!(gate(&old, &by("gcc 12.2.1", 2484)).outcome(), Outcome::Fine);
    // A record from before compilers were recorded does not say; counts have to.
    let silent = |pio| emulated(&[("lab.kernel", "7.3.4")], pio, 2 * pio);
    let comparison = gate(&silent(2484), &old);
    assert_eq!(comparison.outcome(), Outcome::Fine);
    assert!(comparison.notes[0].contains("counts alike"));
    assert_eq!(gate(&silent(2450), &old).outcome(), Outcome::Nothing);
    // The same loop on every kernel shows nothing of one.
    let mut control = silent(2484);
    let mut now = old.clone();
    for row in control.rows.iter_mut().chain(&mut now.rows) {
        row.cell.workload = "calibrate/loop".into();
    }
    assert_eq!(gate(&control, &now).outcome(), Outcome::Nothing);
}

fn with_counter(mut run: Run, name: &str, value: u64) -> Run {
    for row in &mut run.rows {
        if let crate::Outcome::Measured { counters, .. } = &mut row.outcome {
            counters.insert(name.into(), value);
        }
    }
    run
}

#[test]
fn counts_are_gated_where_more_is_dearer() {
    let check = |name: &str, was: u64, is: u64, outcome: Outcome| {
        let [a, b] = [was, is].map(|n| with_counter(lab(&[4758]), name, n));
        assert_eq!(gate(&a, &b).outcome(), outcome, "{name} {was} {is}");
    };
    check("kvm.direct_map_flushes", 40, 40, Outcome::Fine);
    check("kvm.direct_map_flushes", 40, 41, Outcome::Regression);
    check("kvm.direct_map_flushes", 40, 39, Outcome::Fine);
    check("kvm.mmio_exits", 0, 1, Outcome::Regression);
    check("kvm.irq_exits", 3, 9, Outcome::Fine);
    check("mapped.pages_4k", 11, 99, Outcome::Fine);
    check("operations", 200, 200, Outcome::Fine);
    check("operations", 200, 300, Outcome::Inconclusive);
    // A version that counts more than the other.
    let more = with_counter(lab(&[4758]), "kvm.mmio_exits", 9);
    assert_eq!(gate(&lab(&[4758]), &more).outcome(), Outcome::Fine);
    assert_eq!(gate(&more, &lab(&[4758])).outcome(), Outcome::Fine);
    // Only what repeats is exact on a machine with noise.
    let base = host(1e6, 3e4, 1);
    let mut moved = host(1e6, 3e4, 2);
    assert_eq!(
        gate(
            &base,
            &with_counter(moved.clone(), "kvm.direct_map_flushes", 41)
        )
        .outcome(),
        Outcome::Regression
    );
    if let crate::Outcome::Measured { counters, .. } = &mut moved.rows[20].outcome {
        counters.insert("kvm.direct_map_flushes".into(), 44);
    }
    assert_eq!(gate(&base, &moved).outcome(), Outcome::Fine);
}

#[test]
fn samples_behind_equal_medians_are_compared_too() {
    let mut current = lab(&[4758]);
    if let crate::Outcome::Measured { samples, .. } = &mut current.rows[0].outcome {
        samples.insert("latency".into(), vec![4758, 4758, 9999]);
    }
    let comparison = gate(&lab(&[4758]), &current);
    assert_eq!(comparison.outcome(), Outcome::Fine);
    assert_eq!(comparison.metrics[0].flags, [Flag::SamplesDiffer]);
    assert!(comparison.metrics[0].changed());
}

#[test]
fn zeros_and_extremes_have_a_verdict() {
    let host = |figures: &[u64]| run(&[(cell(Testbed::Host, MMIO), figures)]);
    for (a, b) in [
        (&[0; 15][..], &[0; 15][..]),
        (&[0; 15], &[5; 15]),
        (&[u64::MAX; 15], &[1; 15]),
        (&[1; 15], &[u64::MAX; 15]),
        (&[1], &[2]),
    ] {
        for comparison in [gate(&host(a), &host(b)), gate(&lab(a), &lab(b))] {
            let json = serde_json::to_string(&comparison).unwrap();
            assert!(!json.contains("\"ratio\":null"), "{json}");
        }
    }
}

/// Drift and modes are flagged, in the run that has them, and decide nothing.
#[test]
fn oddities_are_flagged() {
    let flags = |current: &[u64]| {
        let base = run(&[(cell(Testbed::Host, MMIO), &noisy(30_000.0, 1))]);
        let now = run(&[(cell(Testbed::Host, MMIO), current)]);
        gate(&base, &now).metrics[0].flags.clone()
    };
    let rising: Vec<u64> = (0..15).map(|i| 29_000 + 140 * i).collect();
    assert!(flags(&rising).contains(&Flag::Drift(Side::Current)));
    let two: Vec<u64> = (0..15)
        .map(|i| 29_000 + 3_000 * (i * 4 % 2) + i * 7 % 5 + 3_000 * (i % 2))
        .collect();
    assert!(flags(&two).contains(&Flag::TwoModes(Side::Current)));
}
