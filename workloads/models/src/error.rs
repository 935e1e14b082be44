// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why a cell has no samples.

use results::Outcome;
use strategies::{Missing, Mode, Refusal, Stage, Strategy};

/// Why a cell ended without samples.
#[derive(Debug)]
pub enum CellError {
    /// The machine lacks something.
    Missing(Missing),
    /// The VMM or the guest failed.
    Machine(vmm::Error),
    /// What was measured is not what the workload is named for.
    VerificationFailed(String),
}

impl CellError {
    /// The machine lacks something: the reason, and what would help.
    pub fn missing(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        CellError::Missing(Missing {
            reason: reason.into(),
            remedy: remedy.into(),
        })
    }

    /// What it means that a machine of `strategy` in `mode` could not be built. A strategy
    /// is probed in its default mode: memory that only another mode does not get is
    /// something that the machine lacks.
    pub fn building(strategy: &Strategy, mode: &Mode, error: vmm::Error) -> Self {
        match error {
            vmm::Error::Memory(_) if !mode.is_empty() => {
                CellError::Missing((strategy.explain)(&Refusal {
                    stage: Stage::Allocate,
                    errno: error.errno(),
                    seen: error.to_string(),
                }))
            }
            error => error.into(),
        }
    }

    /// The row that says so.
    pub fn into_outcome(self) -> Outcome {
        match self {
            CellError::Missing(m) => Outcome::missing(m.reason, m.remedy),
            CellError::VerificationFailed(why) => Outcome::failed(why),
            CellError::Machine(error) => Outcome::Failed {
                error: error.to_string(),
                detail: error.registers().map(|r| r.to_string()),
            },
        }
    }
}

impl From<vmm::Error> for CellError {
    fn from(error: vmm::Error) -> Self {
        CellError::Machine(error)
    }
}

/// A verification that failed, in words.
impl From<String> for CellError {
    fn from(why: String) -> Self {
        CellError::VerificationFailed(why)
    }
}
