// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why a cell has no samples.

use results::Outcome;
use strategies::{Arm, Missing, Refusal};

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
        CellError::Missing(Missing::new(reason, remedy))
    }

    /// The same, where a system call was refused with this error.
    pub(crate) fn with_errno(self, errno: Option<i32>) -> Self {
        match self {
            CellError::Missing(missing) => CellError::Missing(missing.with_errno(errno)),
            other => other,
        }
    }

    /// What it means that a machine of `arm` could not be built. A strategy is probed in its
    /// default mode: memory that only another mode does not get is something that the
    /// machine lacks.
    pub fn building(arm: &Arm, error: vmm::Error) -> Self {
        match error {
            vmm::Error::Memory(ref refused) if !arm.mode().is_default() => {
                CellError::Missing(arm.explain(&Refusal {
                    stage: refused.stage,
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
            CellError::Missing(missing) => missing.into(),
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
