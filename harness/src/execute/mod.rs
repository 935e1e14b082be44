// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who carries out jobs: a process per cell on a real testbed, or a generator
//! of invented numbers in tests of the pipeline.

mod fake;
mod process;

pub use fake::Fake;
pub use process::Process;

use crate::cell::{Answer, Job};

/// Carries out one job after another.
pub trait Executor {
    /// The answer to `job`. Whatever goes wrong is an answer as well.
    fn carry_out(&mut self, job: &Job) -> Answer;
}
