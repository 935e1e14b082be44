// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Carrying out one job, start to end, in this process: what `unmapbench cell` does.
//!
//! The process belongs to the job. A SIGBUS, a leak or a raised limit ends with it, and
//! the process that started it turns its death into a row.

mod audit;
mod probe;

use crate::{
    guest::Guest,
    job::{Answer, Job},
};
use models::{Conditions, FaultInjection, TlbModel};
use results::{Cell, Outcome, Testbed};
use strategies::Arm;

/// Carries out `job`. Whatever goes wrong becomes an outcome.
pub fn carry_out(job: &Job) -> Answer {
    let arm = match job.arm() {
        Ok(arm) => arm,
        Err(why) => return failed(why),
    };
    match job {
        Job::Probe { .. } => probe::run(&arm),
        Job::Audit { .. } => match audit::run(&arm) {
            Ok(findings) => Answer::Findings(findings),
            Err(error) => Answer::Outcome(error.into_outcome()),
        },
        Job::Measure {
            cell,
            faults,
            guest,
            tlb_model,
        } => measure(&arm, cell, *faults, guest.as_ref(), tlb_model).unwrap_or_else(failed),
    }
}

fn failed(why: String) -> Answer {
    Answer::Outcome(Outcome::failed(why))
}

/// Measures `cell`, or says why nothing can be.
fn measure(
    arm: &Arm,
    cell: &Cell,
    faults: FaultInjection,
    guest: Option<&Guest>,
    tlb_model: &TlbModel,
) -> Result<Answer, String> {
    if cell.testbed == Testbed::Fake {
        return Err("the fake testbed has no cells to run".into());
    }
    let workloads = workloads::all().map_err(|e| e.to_string())?;
    let workload = workloads.iter().find(|w| w.id == cell.workload);
    let workload = workload.ok_or_else(|| format!("no workload {}", cell.workload))?;
    let linux = guest.map(Guest::load).transpose()?;
    let measured = models::measure(
        workload.model,
        &Conditions {
            cell,
            arm,
            tlb_model,
            faults,
            linux: linux.as_ref(),
        },
    );
    let outcome = measured.outcome;
    Ok(match measured.console {
        None => Answer::Outcome(outcome),
        Some(console) => Answer::Booted { outcome, console },
    })
}
