// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What carries out jobs.

use crate::{
    job::{Answer, Job},
    step::Step,
};
use results::Fingerprint;

/// Carries out jobs.
pub trait Executor: Sync {
    /// The answer to each of `jobs`, in order. Whatever goes wrong is an answer
    /// as well.
    fn carry_out(&self, jobs: &[Job]) -> Vec<Answer>;

    /// Adds what a reader must know of where the jobs were carried out.
    fn describe(&self, _host: &mut Fingerprint) {}

    /// Which steps are handed over together: one by one, unless it says
    /// otherwise.
    fn batches(&self, steps: Vec<Step>) -> Vec<Vec<Step>> {
        steps.into_iter().map(|step| vec![step]).collect()
    }

    /// How many batches may be in hand at the same time: one, where time is
    /// what is measured.
    fn width(&self) -> usize {
        1
    }
}
