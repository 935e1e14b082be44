// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a cell counts by the PMU, and what it says where there is none.

use harness::{
    cell::carry_out,
    job::{Answer, Job},
};
use libtest_mimic::{Completion, Failed};
use observe::cpu;
use results::{Cell, Outcome, Testbed};
use workloads::Profile;

/// A cell about translation counts misses or says why not; one about something else is
/// silent where no PMU is, and nothing counts 0 for want of one.
pub(super) fn counted_or_said() -> Result<Completion, Failed> {
    for (workload, about_translation) in [("tlb/chase", true), ("pio/user", false)] {
        let job = Job::measure(cell(workload)?);
        let answer = carry_out(&job);
        let Answer::Outcome(Outcome::Measured {
            counters,
            unavailable,
            ..
        }) = answer
        else {
            return Err(format!("{workload}: {answer:?}").into());
        };
        let counts = counters.keys().filter(|name| name.starts_with("pmu."));
        let counts = counts.count();
        if cpu::has_pmu() {
            assert!(counts + unavailable.len() > 0, "{workload} says nothing");
            continue;
        }
        assert_eq!(counts, 0, "{workload}: {counters:?}");
        let said = unavailable.get("pmu").map(String::as_str);
        let told = said.is_some_and(|why| why.contains("no hardware PMU exposed"));
        assert_eq!(told, about_translation, "{workload}: {unavailable:?}");
    }
    Ok(Completion::Completed)
}

/// The first cell of `workload` on the baseline.
fn cell(workload: &str) -> Result<Cell, Failed> {
    let all = workloads::all()?;
    let found = all.iter().find(|w| w.id == workload);
    let found = found.ok_or_else(|| format!("no workload {workload}"))?;
    let cells = found.cells(Profile::Quick, Testbed::Host);
    Ok(Cell {
        testbed: Testbed::Host,
        strategy: results::BASELINE.to_string(),
        workload: workload.to_string(),
        params: cells.into_iter().next().ok_or("no cells")?,
        mode: Default::default(),
    })
}
