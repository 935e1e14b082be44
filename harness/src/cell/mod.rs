// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One cell, start to end, in this process: what `unmapbench cell` does.
//!
//! The process belongs to the cell. A SIGBUS, a leak or a raised limit ends
//! with it, and whoever started it turns its death into a row.

mod bystander;
mod guard;
mod host_side;
mod linux;
mod measure;
mod proof;
mod secret;
mod setup;
mod tlb_model;
mod trial;
mod virtio;

use crate::guest::Guest;
use results::{Cell, Outcome, Testbed, audit::Finding, cell::Params};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use strategies::{Arm, Missing, Refusal};

pub use bystander::rounds;
pub use guard::TICKS_PER_ITERATION_MAX;
pub(crate) use tlb_model::PREFIX as TLB_MODEL;
pub use tlb_model::TlbModel;

/// How long a guest may take for one answer. The longest honest one, a GiB of
/// first touches under emulation, takes a tenth of it.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// What a cell process is asked to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "lowercase")]
pub enum Job {
    /// Find out whether `strategy` runs here at all.
    Trial {
        /// Its name.
        strategy: String,
    },
    /// Find out who can read the memory of `strategy` from outside the guest.
    Audit {
        /// Where this is; the process itself cannot tell.
        testbed: Testbed,
        /// Its name.
        strategy: String,
        /// Its parameters.
        #[serde(default)]
        mode: Params,
    },
    /// Measure one cell.
    Measure {
        /// Which.
        cell: Cell,
        /// For tests: leave out what makes KVM take the path that the workload is
        /// named for. The answer must be a failure.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sabotaged: bool,
        /// For calibrations: how many nanoseconds the VMM works at each exit to it
        /// besides answering.
        #[serde(default, skip_serializing_if = "is_zero")]
        delay_ns: u64,
        /// What a Linux guest is to boot, where the workload boots one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guest: Option<Guest>,
        /// Whether the machine models TLBs.
        #[serde(default, skip_serializing_if = "TlbModel::is_unasked")]
        model: TlbModel,
    },
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Job {
    /// The arm it is about.
    ///
    /// # Errors
    /// Why there is none, one line.
    pub fn arm(&self) -> Result<Arm, String> {
        match self {
            Job::Trial { strategy } => Arm::named(strategy, &Params::new()),
            Job::Audit { strategy, mode, .. } => Arm::named(strategy, mode),
            Job::Measure { cell, .. } => Arm::named(&cell.strategy, &cell.mode),
        }
    }
}

/// What a cell process answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The strategy runs.
    Available,
    /// What the readers found.
    Findings(Vec<Finding>),
    /// The outcome of the cell, or why the strategy does not run.
    Outcome(Outcome),
    /// The outcome of a cell whose guest had a console, and all that it showed.
    Booted {
        /// The outcome.
        outcome: Outcome,
        /// The console.
        console: String,
    },
}

/// Carries out `job`. Whatever goes wrong becomes an outcome.
pub fn carry_out(job: &Job) -> Answer {
    let arm = match job.arm() {
        Ok(arm) => arm,
        Err(why) => return Answer::Outcome(Outcome::failed(why)),
    };
    match job {
        Job::Trial { .. } => trial::run(&arm),
        Job::Audit { .. } => match secret::run(&arm) {
            Ok(findings) => Answer::Findings(findings),
            Err(stop) => Answer::Outcome(stop.into_outcome()),
        },
        Job::Measure { cell, .. } if cell.testbed == Testbed::Fake => {
            Answer::Outcome(Outcome::failed("the fake testbed has no cells to run"))
        }
        Job::Measure {
            cell,
            sabotaged,
            delay_ns,
            guest,
            model,
        } => {
            let mut console = None;
            let guest = (guest.as_ref(), &mut console);
            let twist = measure::Twist {
                sabotaged: *sabotaged,
                delay_ns: *delay_ns,
            };
            let measured = measure::run(&arm, cell, twist, guest, model);
            let outcome = measured.unwrap_or_else(Stop::into_outcome);
            match console {
                None => Answer::Outcome(outcome),
                Some(console) => Answer::Booted {
                    outcome: linux::with_evidence(outcome, &console),
                    console,
                },
            }
        }
    }
}

/// Why a cell ended without samples.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The machine lacks something.
    Missing(Missing),
    /// The VMM or the guest failed.
    Machine(vmm::Error),
    /// A proof did not hold.
    Unproved(String),
}

impl Stop {
    /// What it means that a machine of `arm` could not be built. The strategy was tried in
    /// its defaults: memory that only another mode cannot have is something that the
    /// machine lacks.
    fn building(arm: &Arm, error: vmm::Error) -> Self {
        match error {
            vmm::Error::Memory(ref refused) if !arm.mode().is_default() => {
                Stop::Missing(arm.explain(&Refusal {
                    stage: refused.stage,
                    errno: error.errno(),
                    seen: error.to_string(),
                }))
            }
            error => error.into(),
        }
    }
}

impl From<vmm::Error> for Stop {
    fn from(error: vmm::Error) -> Self {
        Stop::Machine(error)
    }
}

impl Stop {
    fn into_outcome(self) -> Outcome {
        match self {
            Stop::Missing(missing) => missing.into(),
            Stop::Unproved(why) => Outcome::failed(why),
            Stop::Machine(error) => Outcome::Failed {
                error: error.to_string(),
                detail: error.registers().map(|r| r.to_string()),
            },
        }
    }
}
