// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a cell process is asked, and what it answers: the lines between this program and
//! itself, on a host or in the lab. Data, and nothing that carries it out.

use crate::guest::Guest;
use models::{FaultInjection, TlbModel};
use results::{Cell, Outcome, Testbed, audit::Finding, cell::Params};
use serde::{Deserialize, Serialize};
use strategies::Arm;

/// What a cell process is asked to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "lowercase")]
pub enum Job {
    /// Find out whether `strategy` runs here at all.
    Probe {
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
        /// For tests and calibrations: what is changed on purpose.
        #[serde(default, skip_serializing_if = "FaultInjection::is_none")]
        faults: FaultInjection,
        /// What a Linux guest is to boot, where the workload boots one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guest: Option<Guest>,
        /// Whether the machine models TLBs.
        #[serde(default, skip_serializing_if = "TlbModel::is_unasked")]
        tlb_model: TlbModel,
    },
}

impl Job {
    /// Measures `cell` as it is, without a kernel for a Linux guest.
    pub fn measure(cell: Cell) -> Self {
        Job::Measure {
            cell,
            faults: FaultInjection::default(),
            guest: None,
            tlb_model: TlbModel::Unasked,
        }
    }

    /// The arm it is about.
    ///
    /// # Errors
    /// Why there is none, one line.
    pub fn arm(&self) -> Result<Arm, String> {
        match self {
            Job::Probe { strategy } => Arm::named(strategy, &Params::new()),
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
