// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs built in code, as a run directory would be read back. All numbers come
//! from a fixed generator; none was measured.

use results::{
    Audit, Cell, Fingerprint, Header, Outcome, ParamValue, Plan, Row, Run, Testbed, Unit,
    audit::{Finding, Reader, Verdict},
    run::{StrategyInfo, View, WorkloadInfo},
};

/// A stream of numbers that is the same everywhere (SplitMix64).
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    /// A number from 0 to below 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Near `middle`, with a tail to the right.
    pub(crate) fn around(&mut self, middle: f64) -> u64 {
        let body = 0.97 + 0.06 * self.next();
        let tail = if self.next() < 0.02 {
            1.0 + 4.0 * self.next()
        } else {
            1.0
        };
        (middle * body * tail) as u64
    }
}

fn header(seed: u64, command: &[&str]) -> Header {
    Header {
        schema: results::record::SCHEMA,
        tool: "unmapbench 0.1.0".into(),
        git: "0123456789ab".into(),
        seed,
        profile: "quick".into(),
        command: command.iter().map(|w| w.to_string()).collect(),
        started_unix: 0,
    }
}

/// What each hiding strategy differs from in hiding alone, or in the way of KVM.
const HIDING: [(&str, &str); 3] = [
    ("memfd-secret", "memfd"),
    ("guest-memfd-unmapped", "guest-memfd"),
    ("guest-memfd-reinsert", "guest-memfd-unmapped"),
];

fn strategy(name: &str, about: &str, isolating: bool) -> StrategyInfo {
    let differs_from = HIDING.iter().find(|(hiding, _)| *hiding == name);
    StrategyInfo {
        name: name.into(),
        about: about.into(),
        isolating,
        differs_from: differs_from.map(|(_, other)| other.to_string()),
        parameters: Vec::new(),
    }
}

fn workload(
    id: &str,
    view: View,
    headline: &str,
    phases: &[&str],
    text: [&str; 2],
) -> WorkloadInfo {
    WorkloadInfo {
        id: id.into(),
        summary: text[0].into(),
        analysis: text[1].into(),
        view,
        headline: headline.into(),
        detail: None,
        phases: phases.iter().map(|p| p.to_string()).collect(),
    }
}

/// Names, order and phases as the first release has them.
pub(crate) const PHASES: [&str; 7] = [
    "create_vm",
    "create_memory",
    "memslot",
    "load",
    "create_vcpu",
    "first_insn",
    "ready",
];

fn plan(seed: u64, blocks: u32) -> Plan {
    let strategies = vec![
        strategy(
            "anon",
            "private anonymous memory, 4 KiB pages, mapped",
            false,
        ),
        strategy("memfd", "memfd, 4 KiB pages, mapped; the baseline", false),
        strategy("memfd-thp", "memfd, transparent huge pages, mapped", false),
        strategy("memfd-secret", "memfd_secret, out of the direct map", true),
        strategy(
            "guest-memfd",
            "guest_memfd with mmap, 4 KiB pages, mapped",
            false,
        ),
    ];
    let workloads = vec![
        workload(
            "boot/payload",
            View::Phases,
            "total",
            &PHASES,
            [
                "From nothing to a guest that says ready",
                "Everything that a VMM does to start a guest: the memory object, the memslot, the vCPU, the \
             first instruction. Time goes to `KVM_CREATE_VM` first, so that small differences between \
             memory objects are hard to see in the total.\n\nRead the phases, not only the total.",
            ],
        ),
        workload(
            "mmio/user-read",
            View::Latency,
            "latency",
            &[],
            [
                "A 4-byte read of an address without memory, completed by userspace",
                "Each operation leaves the guest, goes through KVM's instruction emulator to the VMM and back. \
             KVM walks the guest's page tables and fetches the instruction from guest memory.",
            ],
        ),
        workload(
            "clock/tsc",
            View::Latency,
            "latency",
            &[],
            [
                "Reading the time-stamp counter",
                "No exit and no memory access: a control. A strategy that differs here differs for another reason.",
            ],
        ),
        workload(
            "fault/guest-touch",
            View::Histogram,
            "latency",
            &[],
            [
                "The first write to each page, timed by the guest",
                "Each touch of a new page is a fault that KVM resolves from the memory object. The latency of \
             one fault is what a guest notices; populate bandwidth is not.",
            ],
        ),
    ];
    Plan {
        seed,
        profile: "quick".into(),
        blocks,
        strategies,
        workloads,
        cells: vec![],
    }
}

fn host(warnings: &[&str]) -> Fingerprint {
    let mut host = Fingerprint {
        facts: vec![],
        warnings: warnings.iter().map(|w| w.to_string()).collect(),
    };
    for (name, value) in [
        ("kernel", "6.18.0 #1 SMP PREEMPT_DYNAMIC"),
        ("cpu.model", "Intel(R) Xeon(R) Platinum 8488C"),
        ("cpu.online", "2"),
        ("kvm.flavour", "pvm"),
        (
            "mitigations",
            "spectre_v2: Mitigation: Enhanced / Automatic IBRS; IBPB: conditional; RSB filling; PBRSB-eIBRS: SW sequence",
        ),
        ("DirectMap4k", "153,600 kB"),
    ] {
        host.push(name, Some(value.into()));
    }
    host
}

const RUN: [&str; 6] = ["unmapbench", "run", "--on", "host", "--workloads", "mmio/*"];

/// How much each strategy costs more than memfd in a workload.
fn factor(strategy: &str, workload: &str) -> f64 {
    match (strategy, workload) {
        ("anon", "fault/guest-touch") => 0.93,
        ("memfd-thp", "fault/guest-touch") => 0.31,
        ("guest-memfd", "fault/guest-touch") => 1.42,
        ("guest-memfd", "boot/payload") => 1.06,
        ("guest-memfd", "mmio/user-read") => 1.034,
        _ => 1.0,
    }
}

fn outcome(cell: &Cell, unit: Unit, per_block: usize, drift: f64, noise: &mut Noise) -> Outcome {
    let factor = factor(&cell.strategy, &cell.workload) * drift;
    let series = |middle: f64, n: usize, noise: &mut Noise| -> Vec<u64> {
        (0..n).map(|_| noise.around(middle * factor)).collect()
    };
    let mut batch = std::collections::BTreeMap::new();
    let samples = match cell.workload.as_str() {
        "boot/payload" => {
            let middles = [410e3, 35e3, 22e3, 48e3, 160e3, 95e3, 30e3];
            let mut phases: std::collections::BTreeMap<_, _> = PHASES
                .iter()
                .zip(middles)
                .map(|(name, middle)| (name.to_string(), series(middle, 1, noise)))
                .collect();
            let total = phases.values().map(|v| v[0]).sum();
            phases.insert("total".into(), vec![total]);
            phases
        }
        "clock/tsc" => {
            batch.insert("latency".to_string(), 100);
            [("latency".to_string(), series(1_480.0, per_block, noise))].into()
        }
        "fault/guest-touch" => {
            let mut latency = series(2_400.0, per_block * 8, noise);
            for (i, l) in latency.iter_mut().enumerate() {
                *l *= if i % 9 == 0 { 3 } else { 1 };
            }
            [("latency".to_string(), latency)].into()
        }
        _ => [("latency".to_string(), series(73_000.0, per_block, noise))].into(),
    };
    Outcome::Measured {
        unit,
        samples,
        batch,
        counters: [].into(),
        unavailable: [].into(),
    }
}

fn cell(testbed: Testbed, strategy: &str, workload: &str, mem_mib: u64) -> Cell {
    Cell {
        testbed,
        strategy: strategy.into(),
        workload: workload.into(),
        params: [("mem_mib".to_string(), ParamValue::Int(mem_mib))].into(),
        mode: Default::default(),
    }
}

/// Four strategies measured in 15 blocks after the warm-up, memfd-secret missing,
/// one cell of anon failed in two blocks.
pub(crate) fn realistic(per_block: usize) -> Run {
    let mut run = Run {
        header: header(7, &RUN),
        plan: plan(7, 15),
        host: host(&["KVM is a software flavour (kvm_pvm): ratios may differ on VMX or SVM."]),
        rows: vec![],
        audits: vec![],
        notes: vec![],
    };
    let mut noise = Noise(7);
    let sizes: [(usize, &[u64]); 4] = [(0, &[64, 256]), (1, &[64]), (2, &[64]), (3, &[64])];
    for (workload, sizes) in sizes {
        let id = run.plan.workloads[workload].id.clone();
        for &size in sizes {
            for strategy in run.plan.strategies.clone() {
                let cell = cell(Testbed::Host, &strategy.name, &id, size);
                run.plan.cells.push(cell);
            }
        }
    }
    for block in 0..=15 {
        let drift = 1.0 + 0.03 * noise.next();
        for (order, cell) in run.plan.cells.clone().into_iter().enumerate() {
            if cell.strategy == "memfd-secret" {
                continue;
            }
            let drift = drift * (1.0 + 0.01 * noise.next());
            let hung = cell.strategy == "anon"
                && cell.workload == "mmio/user-read"
                && [4, 9].contains(&block);
            let outcome = match hung {
                true => Outcome::failed("KVM_RUN: watchdog after 5 s: rip=0x10230 rsp=0x7ff0"),
                false => outcome(&cell, Unit::Ns, per_block, drift, &mut noise),
            };
            run.rows.push(Row {
                cell,
                block: Some(block),
                order: Some(order as u32 % 4),
                outcome,
            });
        }
    }
    let secret = run
        .plan
        .cells
        .iter()
        .filter(|c| c.strategy == "memfd-secret");
    let missing = secret.map(|cell| missing_row(cell.clone()));
    run.rows.extend(missing);
    run
}

fn missing_row(cell: Cell) -> Row {
    Row {
        cell,
        block: None,
        order: None,
        outcome: Outcome::missing(
            "KVM cannot map memfd_secret on this kernel (KVM_RUN: EFAULT; GUP refuses it)",
            "needs the lab kernel",
        ),
    }
}

/// Nothing could run: no baseline, no samples, no facts of the machine.
pub(crate) fn only_missing() -> Run {
    let mut run = realistic(1);
    run.rows.clear();
    run.host = Fingerprint::default();
    run.notes = vec!["line 12 of samples.jsonl was cut off and left out".into()];
    let cells = run.plan.cells.clone().into_iter();
    run.rows.extend(cells.map(missing_row));
    run
}

/// The baseline was not run, the others were.
pub(crate) fn no_baseline() -> Run {
    let mut run = realistic(1);
    run.rows.retain(|row| row.cell.strategy != "memfd");
    run
}

/// One strategy, one workload, one block, one sample.
pub(crate) fn one_sample() -> Run {
    let mut run = realistic(1);
    run.plan.blocks = 1;
    run.plan
        .cells
        .retain(|c| c.strategy == "memfd" && c.workload == "mmio/user-read");
    run.rows
        .retain(|r| r.cell == run.plan.cells[0] && r.block == Some(1));
    run
}

/// Made-up numbers beside instructions, in a record that says so.
pub(crate) fn fake_and_lab() -> Run {
    let mut run = realistic(20);
    run.plan.cells.retain(|c| c.workload == "mmio/user-read");
    let cells = std::mem::take(&mut run.plan.cells);
    run.rows.clear();
    for (testbed, unit) in [(Testbed::Lab, Unit::Insn), (Testbed::Fake, Unit::Ns)] {
        for cell in &cells {
            let cell = Cell {
                testbed,
                ..cell.clone()
            };
            run.plan.cells.push(cell.clone());
            for block in 0..=5 {
                let more = if cell.strategy.starts_with("guest") {
                    162
                } else {
                    0
                };
                let mut outcome = outcome(&cell, unit, 20, 1.0, &mut Noise(u64::from(block)));
                if let (Unit::Insn, Outcome::Measured { samples, .. }) = (unit, &mut outcome) {
                    samples.insert("latency".into(), vec![4_858 + more; 20]);
                }
                run.rows.push(Row {
                    cell: cell.clone(),
                    block: Some(block),
                    order: Some(0),
                    outcome,
                });
            }
        }
    }
    run
}

/// Names and values that try to be something else, units that do not belong
/// together, extremes, empty series, a batch of 0, a workload not in the plan.
pub(crate) fn hostile() -> Run {
    let mut run = one_sample();
    let evil = "<script>alert(1)</script> | # `x` \u{1b}[31m\u{202e}*_[a](b)\nsecond line";
    run.header.command = vec!["un'map".into(), evil.into(), "y".repeat(200)];
    run.header.profile = evil.into();
    run.host = host(&[evil]);
    run.host.push(evil, Some(evil.repeat(4)));
    run.notes = vec![evil.into()];
    run.plan.strategies.push(strategy(evil, evil, true));
    run.plan.workloads.push(workload(
        evil,
        View::Histogram,
        "latency",
        &[],
        [evil, evil],
    ));
    run.plan
        .workloads
        .push(workload("p/none", View::Phases, "total", &[], [evil, ""]));
    run.rows.clear();
    run.plan.cells.clear();
    let values: [(&str, Unit, Vec<u64>); 7] = [
        ("memfd", Unit::Ns, vec![u64::MAX, 0, 1]),
        ("anon", Unit::Ns, vec![0]),
        ("memfd-thp", Unit::Ns, vec![]),
        ("guest-memfd", Unit::Insn, vec![5]),
        (evil, Unit::Ns, vec![u64::MAX; 300]),
        ("x".repeat(300).leak(), Unit::Ns, vec![1; 300]),
        ("zero batch", Unit::Ns, vec![3]),
    ];
    for block in 0..3 {
        for id in [evil, "p/none", "not/planned"] {
            for (strategy, unit, samples) in &values {
                let mut cell = cell(Testbed::Host, strategy, id, u64::MAX);
                cell.params
                    .insert(evil.into(), ParamValue::Text(evil.into()));
                if id == "p/none" {
                    let bounces =
                        ["backend", "bounce"].map(|k| (k.into(), ParamValue::Text(evil.into())));
                    cell.params.extend(bounces);
                }
                let zero = u64::from(*strategy != "zero batch");
                let named = ["latency", "total", evil].map(|s| (s.to_string(), samples.clone()));
                run.rows.push(Row {
                    cell,
                    block: Some(block),
                    order: None,
                    outcome: Outcome::Measured {
                        unit: *unit,
                        samples: named.into(),
                        batch: [("latency".to_string(), zero)].into(),
                        counters: [].into(),
                        unavailable: [].into(),
                    },
                });
            }
        }
    }
    let mut moded = run.rows[0].clone();
    moded.cell.mode = [(evil.to_string(), ParamValue::Text(evil.into()))].into();
    run.audits = vec![Audit {
        testbed: Testbed::Host,
        strategy: evil.into(),
        mode: moded.cell.mode.clone(),
        isolating: true,
        claim: None,
        findings: vec![Finding {
            reader: Reader::DirectMap,
            verdict: Verdict::Unknown,
            seen: evil.into(),
        }],
    }];
    if let Outcome::Measured { counters, .. } = &mut moded.outcome {
        counters.insert(format!("host.{evil}"), u64::MAX);
    }
    moded.block = Some(1);
    run.rows.push(moded);
    run.rows.push(Row {
        cell: cell(Testbed::Host, evil, "clock/tsc", 1),
        block: Some(1),
        order: None,
        outcome: Outcome::failed(evil),
    });
    run
}

/// About a thousand cells, with samples for a figure each.
pub(crate) fn thousand_cells() -> Run {
    let mut run = realistic(1);
    run.rows.clear();
    run.plan.cells.clear();
    let names: Vec<String> = run.plan.strategies.iter().map(|s| s.name.clone()).collect();
    for size in 0..200 {
        for name in &names {
            let cell = cell(Testbed::Host, name, "fault/guest-touch", size);
            run.plan.cells.push(cell.clone());
            for block in 1..=5 {
                let mut noise = Noise(size * 31 + u64::from(block));
                let outcome = outcome(&cell, Unit::Ns, 10, 1.0, &mut noise);
                run.rows.push(Row {
                    cell: cell.clone(),
                    block: Some(block),
                    order: None,
                    outcome,
                });
            }
        }
    }
    run
}

/// A strategy, its parameters, and what an operation costs.
type ModeCost<'a> = (&'a str, &'a [(&'a str, &'a str)], u64);

/// A run of the lab: seven strategies, modes of two, one block, 1 and 4
/// CPUs of the lab, audits, counters. One count of instructions moved.
pub(crate) fn lab() -> Run {
    let mut run = realistic(1);
    run.rows.clear();
    run.plan.cells.clear();
    run.plan.blocks = 1;
    run.host = host(&[]);
    run.header.command = ["unmapbench", "run", "--on", "lab"]
        .map(String::from)
        .into();
    let unmapped = "guest_memfd, direct map removed, KVM uses the user mapping";
    let reinsert = "guest_memfd, direct map removed, KVM reinserts pages";
    run.plan.strategies.extend([
        strategy("guest-memfd-unmapped", unmapped, true),
        strategy("guest-memfd-reinsert", reinsert, true),
    ]);
    let modes: [ModeCost<'_>; 12] = [
        ("anon", &[], 4_858),
        ("memfd", &[], 4_858),
        ("memfd-thp", &[], 4_858),
        ("memfd-secret", &[], 4_853),
        ("guest-memfd", &[], 5_020),
        ("guest-memfd-unmapped", &[], 5_022),
        ("guest-memfd-unmapped", &[("flush", "none")], 5_022),
        ("guest-memfd-reinsert", &[], 9_867),
        ("guest-memfd-reinsert", &[("flush", "none")], 8_101),
        ("guest-memfd-reinsert", &[("flush", "full")], 9_912),
        ("guest-memfd-reinsert", &[("access", "held")], 7_240),
        (
            "guest-memfd-reinsert",
            &[("access", "held"), ("flush", "none")],
            6_655,
        ),
    ];
    for (id, lab_cpus) in [
        ("boot/payload", 1),
        ("mmio/user-read", 4),
        ("mmio/user-read", 1),
        ("fault/guest-touch", 1),
    ] {
        for (strategy, mode, cost) in modes {
            let mut cell = cell(Testbed::Lab, strategy, id, 64);
            let value = |v: &str| ParamValue::Text(v.to_string());
            cell.mode = mode
                .iter()
                .map(|(k, v)| (k.to_string(), value(v)))
                .collect();
            cell.params
                .insert("lab_cpus".into(), ParamValue::Int(lab_cpus));
            if id.starts_with("mmio") {
                cell.params.insert("count".into(), ParamValue::Int(300));
            }
            run.plan.cells.push(cell.clone());
            let outcome = lab_outcome(&cell, cost, lab_cpus);
            run.rows.push(Row {
                cell,
                block: Some(1),
                order: Some(0),
                outcome,
            });
        }
    }
    let mut again = run.rows[2].clone();
    again.block = Some(2);
    if let Outcome::Measured { samples, .. } = &mut again.outcome {
        samples.insert("total".into(), vec![8_123_456]);
    }
    run.rows.push(again);
    run.audits = run.plan.cells[..modes.len()].iter().map(audit).collect();
    run
}

fn lab_outcome(cell: &Cell, cost: u64, lab_cpus: u64) -> Outcome {
    if cell.family() == "fault" && cell.strategy == "guest-memfd-reinsert" {
        return Outcome::failed("the lab kernel stopped: Oops: 0000 [#1] at kvm_gmem_fault+0x12");
    }
    let flushes = cost.saturating_sub(5_100) * lab_cpus / 2;
    let named = |series: &str, n| (series.to_string(), n);
    let samples = match cell.family() {
        "boot" => PHASES
            .iter()
            .map(|phase| named(phase, vec![cost * 230]))
            .chain([named("total", vec![cost * 230 * PHASES.len() as u64])])
            .collect(),
        _ => [named("latency", vec![cost + flushes; 300])].into(),
    };
    let reinserts = 900 * u64::from(cell.strategy == "guest-memfd-reinsert");
    let counters = [
        ("kvm.mmio_exits", 300),
        ("kvm.pf_taken", 77),
        ("kvm.guest_mem_reads", 900),
        ("kvm.direct_map_reinserts", reinserts),
        ("kvm.direct_map_flushes", flushes / 4),
        ("host.direct_map_splits", reinserts / 300),
    ];
    Outcome::Measured {
        unit: Unit::Insn,
        samples,
        batch: [].into(),
        counters: counters.map(|(k, v)| (k.to_string(), v)).into(),
        unavailable: [].into(),
    }
}

/// As the strategies claim, but for one mode that flushes nothing.
fn audit(cell: &Cell) -> Audit {
    let isolating = matches!(
        cell.strategy.as_str(),
        "memfd-secret" | "guest-memfd-unmapped" | "guest-memfd-reinsert"
    );
    let leaks = cell.arm() == "guest-memfd-reinsert access=held flush=none";
    let (hidden, readable) = (Verdict::Hidden, Verdict::Readable);
    let found = |reader, verdict, seen: &str| Finding {
        reader,
        verdict,
        seen: seen.into(),
    };
    let findings = match isolating {
        true => vec![
            match leaks {
                true => found(Reader::DirectMap, readable, "the secret"),
                false => found(Reader::DirectMap, hidden, "zeroes"),
            },
            found(Reader::ProcessVmReadv, hidden, "Bad address (os error 14)"),
            found(Reader::ODirect, Verdict::Unknown, "no block device"),
        ],
        false => vec![
            found(Reader::DirectMap, readable, "the secret"),
            found(Reader::ProcessVmReadv, readable, "the secret"),
        ],
    };
    Audit {
        testbed: cell.testbed,
        strategy: cell.strategy.clone(),
        mode: cell.mode.clone(),
        isolating,
        claim: None,
        findings,
    }
}
