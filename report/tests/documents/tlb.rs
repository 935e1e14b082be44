// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Translation: chases on a host without a PMU and in the lab with a model, somebody
//! beside a VM, interrupts by the number of CPUs. Costs follow a TLB of 64 and 1536
//! entries, so that what is fitted can be checked; none was measured.

use crate::runs::{self, Noise};
use results::{
    Cell, Outcome, ParamValue, Row, Run, Testbed, Unit,
    cell::Params,
    record::{Counters, Samples},
    run::{View, WorkloadInfo},
};

/// A strategy's name, what it reaches in the second level, and interrupts of an access
/// to each other CPU.
const STRATEGIES: [(&str, f64, u64); 3] = [
    ("memfd", 1536.0, 0),
    ("memfd-thp", 6144.0, 0),
    ("guest-memfd-reinsert", 1536.0, 4),
];

const PLACES: [u64; 10] = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 12288];

/// Nine blocks on the host, one in the lab.
pub(crate) fn tlb() -> Run {
    let mut run = runs::one_sample();
    run.plan.blocks = 9;
    run.plan.cells.clear();
    run.rows.clear();
    let mut reinsert = run.plan.strategies[1].clone();
    reinsert.name = "guest-memfd-reinsert".into();
    reinsert.about = "guest_memfd, reinserted for each access".into();
    run.plan.strategies.push(reinsert);
    run.plan
        .strategies
        .retain(|info| STRATEGIES.iter().any(|(name, ..)| *name == info.name));
    run.plan.workloads = vec![
        workload("tlb/chase", "latency"),
        workload("tlb/host-victim", "after"),
        workload("tlb/neighbour", "beside"),
        workload("mmio/user-read", "latency"),
    ];
    let mut noise = Noise(5);
    for (testbed, blocks) in [(Testbed::Host, 0..=9), (Testbed::Lab, 1..=1)] {
        let cells = cells(testbed);
        run.plan.cells.extend(cells.clone());
        for block in blocks {
            for cell in &cells {
                run.rows.push(Row {
                    outcome: outcome(cell, &mut noise),
                    cell: cell.clone(),
                    block: Some(block),
                    order: Some(0),
                });
            }
        }
    }
    run
}

fn workload(id: &str, headline: &str) -> WorkloadInfo {
    WorkloadInfo {
        id: id.into(),
        summary: "Made up to test reports".into(),
        analysis: "A sample is made up.".into(),
        view: View::Latency,
        headline: headline.into(),
        detail: None,
        phases: vec![],
    }
}

fn cells(testbed: Testbed) -> Vec<Cell> {
    let text = |word: &str| ParamValue::Text(word.into());
    let mut settings: Vec<(&str, Params)> = Vec::new();
    for apart in ["page", "line"] {
        for places in PLACES {
            let params = [
                ("spacing", text(apart)),
                ("places", ParamValue::Int(places)),
            ];
            settings.push(("tlb/chase", named(params)));
        }
    }
    settings.push(("tlb/host-victim", named([("work", text("page-cache"))])));
    match testbed {
        Testbed::Host => settings.push(("tlb/neighbour", named([("load", text("populate"))]))),
        _ => {
            for cpus in [1, 2, 4] {
                let cpus = [("lab_cpus", ParamValue::Int(cpus))];
                settings.push(("mmio/user-read", named(cpus)));
            }
        }
    }
    let cells = settings.iter().flat_map(|(workload, params)| {
        STRATEGIES.map(|(strategy, ..)| Cell {
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

/// What a level of `reach` misses over `places`.
fn missed(reach: f64, places: u64) -> f64 {
    (1.0 - reach / places as f64).max(0.0)
}

fn outcome(cell: &Cell, noise: &mut Noise) -> Outcome {
    let host = cell.testbed == Testbed::Host;
    if host && cell.strategy == "guest-memfd-reinsert" {
        return Outcome::missing("this kernel cannot reinsert", "needs the lab kernel");
    }
    let found = STRATEGIES.iter().find(|(name, ..)| *name == cell.strategy);
    let (_, reach, flushes) = found.copied().expect("a strategy of this run");
    const LOADS: u64 = 1000;
    let mut counters = Counters::from([("operations".to_string(), LOADS)]);
    let places = cell.int("places").unwrap_or(1);
    let page = cell.params.get("spacing").map(ParamValue::to_string) != Some("line".into());
    let [first, second] = [64.0, reach].map(|n| if page { missed(n, places) } else { 0.0 });
    let mut near = |cost: f64| match host {
        true => noise.around(cost * LOADS as f64),
        false => LOADS,
    };
    let samples: Samples = match cell.workload.as_str() {
        "tlb/chase" => {
            let huge = reach > 2000.0;
            counters.insert("mapped.pages_4k".into(), if huge { 32 } else { places });
            counters.insert("mapped.pages_2m".into(), u64::from(huge));
            if !host {
                for (name, share) in [("l1_misses", first), ("l2_misses", second)] {
                    let name = format!("model.guest.{name}");
                    counters.insert(name, (share * LOADS as f64) as u64);
                }
            }
            [(
                "latency".to_string(),
                vec![near(1.2 + 3.0 * first + 40.0 * second); 3],
            )]
            .into()
        }
        "tlb/host-victim" => {
            let more = 1.0 + 0.25 * f64::from(flushes > 0);
            [("before", 1.0), ("after", more)]
                .map(|(name, cost)| (name.to_string(), vec![near(cost); 3]))
                .into()
        }
        "tlb/neighbour" => [("alone", 17.0), ("beside", 19.0)]
            .map(|(name, cost)| (name.to_string(), vec![near(cost); 3]))
            .into(),
        _ => {
            let others = cell.int("lab_cpus").unwrap_or(1) - 1;
            counters.insert("ipi.call".into(), LOADS * flushes * others);
            counters.insert("ipi.tlb".into(), 0);
            counters.insert("model.kernel.l1_misses".into(), 3 * LOADS + flushes * 100);
            [("latency".to_string(), vec![4_758 + 1_392 * flushes; 3])].into()
        }
    };
    let unavailable = match (host, cell.workload.as_str()) {
        (true, "tlb/chase") => vec![("pmu".to_string(), "no hardware PMU exposed".to_string())],
        _ => vec![],
    };
    Outcome::Measured {
        unit: if host { Unit::Ns } else { Unit::Insn },
        batch: match cell.workload.as_str() {
            "mmio/user-read" => [].into(),
            _ => samples.keys().map(|name| (name.clone(), LOADS)).collect(),
        },
        samples,
        counters,
        unavailable: unavailable.into_iter().collect(),
    }
}
