// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A disk by several backends and ways of bouncing, with cells that a kernel
//! refuses: on a host in nanoseconds, in the lab in instructions. Costs are laid
//! out so that figures derived from them can be checked by hand; none was measured.

use crate::runs::{self, Noise};
use results::{
    Cell, Outcome, ParamValue, Row, Run, Testbed, Unit,
    cell::Params,
    run::{View, WorkloadInfo},
};
use std::collections::BTreeMap;

/// What bouncing adds to a request of 4 KiB, by policy.
const BOUNCE: [(&str, u64); 4] = [
    ("none", 0),
    ("per-request", 2_000),
    ("pool", 500),
    ("swiotlb", 1_000),
];

/// A strategy's name and what bounces nothing costs with it, if it can.
const STRATEGIES: [(&str, u64); 4] = [
    ("memfd", 10_000),
    ("memfd-secret", 10_500),
    ("guest-memfd", 10_000),
    ("guest-memfd-unmapped", 11_000),
];

/// Eight blocks on a host that lacks memfd_secret for guests, one in the lab; there
/// the direct backends are refused for memory that is out of the direct map.
pub(crate) fn disk() -> Run {
    let mut run = runs::one_sample();
    run.plan.blocks = 8;
    run.plan.cells.clear();
    run.rows.clear();
    run.plan
        .strategies
        .retain(|info| info.name != "anon" && info.name != "memfd-thp");
    let mut unmapped = run.plan.strategies[1].clone();
    unmapped.name = "guest-memfd-unmapped".into();
    unmapped.about = "guest_memfd, direct map removed".into();
    run.plan.strategies.push(unmapped);
    run.plan.workloads = vec![
        workload("virtio/blk-backend", "virtio-blk by several backends"),
        workload("virtio/blk-bounce", "virtio-blk by a bounce buffer"),
    ];
    let mut noise = Noise(11);
    for (testbed, blocks) in [(Testbed::Host, 0..=8), (Testbed::Lab, 1..=1)] {
        let cells = cells(testbed);
        run.plan.cells.extend(cells.clone());
        for block in blocks {
            let drift = 1.0 + 0.03 * noise.next();
            for cell in &cells {
                run.rows.push(Row {
                    outcome: outcome(cell, drift, &mut noise),
                    cell: cell.clone(),
                    block: Some(block),
                    order: Some(0),
                });
            }
        }
    }
    run
}

fn workload(id: &str, summary: &str) -> WorkloadInfo {
    WorkloadInfo {
        id: id.into(),
        summary: summary.into(),
        analysis: "A sample is the time of one request.".into(),
        view: View::Latency,
        headline: "latency".into(),
        detail: None,
        phases: vec![],
    }
}

fn cells(testbed: Testbed) -> Vec<Cell> {
    let text = |word: &str| ParamValue::Text(word.into());
    let mut settings: Vec<(&str, Params)> = Vec::new();
    for backend in ["ram", "direct", "uring-fixed"] {
        let params = [("backend", text(backend)), ("bytes", ParamValue::Int(4096))];
        settings.push(("virtio/blk-backend", named(params)));
    }
    for bytes in [4096, 65536] {
        for (bounce, _) in BOUNCE {
            let backend = ("backend", text("direct"));
            let bytes = ("bytes", ParamValue::Int(bytes));
            let params = [backend, bytes, ("bounce", text(bounce))];
            settings.push(("virtio/blk-bounce", named(params)));
        }
    }
    let cells = settings.iter().flat_map(|(workload, params)| {
        STRATEGIES.map(|(strategy, _)| Cell {
            testbed,
            strategy: strategy.into(),
            workload: (*workload).into(),
            params: params.clone(),
            mode: Params::new(),
        })
    });
    cells.collect()
}

fn named<const N: usize>(params: [(&str, ParamValue); N]) -> Params {
    params.map(|(name, value)| (name.to_string(), value)).into()
}

fn outcome(cell: &Cell, drift: f64, noise: &mut Noise) -> Outcome {
    let param = |name: &str| cell.params.get(name).map(ParamValue::to_string);
    let bounce = param("bounce").unwrap_or("none".into());
    let bytes = cell.int("bytes").unwrap_or(4096);
    let unmapped = ["memfd-secret", "guest-memfd-unmapped"].contains(&cell.strategy.as_str());
    if cell.testbed == Testbed::Host && cell.strategy == "memfd-secret" {
        return Outcome::missing(
            "KVM cannot map memfd_secret on this kernel (KVM_RUN: EFAULT; GUP refuses it)",
            "needs the lab kernel",
        );
    }
    if unmapped && bounce == "none" && param("backend").as_deref() != Some("ram") {
        return Outcome::missing(
            "the kernel does not pin this memory for O_DIRECT (Bad address (os error 14))",
            "a bounce buffer (bounce=pool), or a backend that copies",
        );
    }
    let of = |list: &[(&str, u64)], name: &str| {
        let found = list.iter().find(|(known, _)| *known == name);
        found.map_or(0, |(_, cost)| *cost)
    };
    let cost = of(&STRATEGIES, &cell.strategy) + of(&BOUNCE, &bounce) * bytes / 4096;
    let (unit, latency) = match cell.testbed {
        // Enough of the small requests for p99, of the large ones for p50.
        Testbed::Host => {
            let n = if bytes == 4096 { 1_300 } else { 30 };
            let near = |_| noise.around(cost as f64 * drift);
            (Unit::Ns, (0..n).map(near).collect())
        }
        _ => (Unit::Insn, vec![cost; 8]),
    };
    let moved = bytes * latency.len() as u64;
    let copied =
        |by: &str| moved * u64::from(bounce != "none" && (bounce == "swiotlb") == (by == "guest"));
    let mut counters = BTreeMap::from([
        ("virtio.copied".to_string(), copied("vmm")),
        ("virtio.moved".to_string(), moved),
    ]);
    if bounce == "swiotlb" {
        counters.insert("virtio.guest_copied".into(), copied("guest"));
    }
    Outcome::Measured {
        unit,
        samples: [("latency".to_string(), latency)].into(),
        batch: [].into(),
        counters,
        unavailable: [].into(),
    }
}
