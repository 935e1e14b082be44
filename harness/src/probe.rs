// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What can run on a testbed, and why the rest cannot: each strategy is tried.

use crate::{
    execute::Executor,
    job::{Answer, Job},
};
use results::Outcome;
use serde::Serialize;
use strategies::Strategy;

/// What a probe showed.
#[derive(Clone, Debug)]
pub struct Probed {
    /// The strategy.
    pub strategy: &'static Strategy,
    /// Why it does not run; `None` if it does.
    pub refusal: Option<Outcome>,
}

/// Tries each of `strategies`.
pub fn probe(executor: &dyn Executor, strategies: &[&'static Strategy]) -> Vec<Probed> {
    let job = |strategy: &&Strategy| Job::Probe {
        strategy: strategy.name.to_string(),
    };
    let jobs: Vec<_> = strategies.iter().map(job).collect();
    let answers = executor.carry_out(&jobs).into_iter();
    let probed = strategies
        .iter()
        .zip(answers)
        .map(|(strategy, answer)| Probed {
            strategy,
            refusal: match answer {
                Answer::Available => None,
                Answer::Outcome(outcome) => Some(outcome),
                Answer::Findings(_) | Answer::Booted { .. } => {
                    Some(Outcome::failed("a probe was answered like something else"))
                }
            },
        });
    probed.collect()
}

/// The JSON form of one [`Probed`].
#[derive(Clone, Debug, Serialize)]
pub struct Line<'a> {
    strategy: &'a str,
    about: &'a str,
    isolating: bool,
    /// `available`, `missing` or `failed`.
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
}

impl Line<'_> {
    /// `available`, `missing` or `failed`.
    pub fn status(&self) -> &str {
        self.status
    }
}

impl Probed {
    /// For a script.
    pub fn line(&self) -> Line<'_> {
        let (reason, remedy) = self.why();
        Line {
            strategy: self.strategy.name,
            about: self.strategy.about,
            isolating: self.strategy.claims().claim.isolates(),
            status: self.refusal.as_ref().map_or("available", Outcome::name),
            reason,
            remedy,
        }
    }

    /// Reason and remedy, where there are any.
    pub fn why(&self) -> (Option<&str>, Option<&str>) {
        match &self.refusal {
            Some(Outcome::Missing { reason, remedy, .. }) => (Some(reason), Some(remedy)),
            Some(Outcome::Failed { error, .. }) => (Some(error), None),
            Some(Outcome::Measured { .. }) | None => (None, None),
        }
    }
}
