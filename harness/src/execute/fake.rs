// SPDX-License-Identifier: Apache-2.0 OR MIT
//! No machine: numbers from a seeded generator, so that the way from plan to
//! report is tested where there is no KVM. Its testbed is `fake` in every
//! record, and every report of it says that the numbers are invented.

use super::{Executor, Kind, TestbedInstance};
use crate::job::{Answer, Job};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use results::{Cell, Outcome, Testbed, Unit};
use std::sync::{Mutex, PoisonError};
use strategies::{Arm, Refusal, Stage, registry};
use workloads::Workload;

/// No machine.
pub(super) const KIND: Kind = Kind {
    testbed: Testbed::Fake,
    about: "No machine: invented numbers that test the pipeline",
    real: false,
    open: |wanted| {
        let fake = Fake::new(wanted.seed);
        Ok(vec![TestbedInstance::of(Testbed::Fake, fake)])
    },
};

/// Invents outcomes.
#[derive(Debug)]
pub struct Fake {
    random: Mutex<ChaCha8Rng>,
    /// Parsed once: the `report` profile asks 40,000 times.
    definitions: Vec<Workload>,
}

impl Fake {
    /// The same inventions for the same seed.
    pub fn new(seed: u64) -> Self {
        Fake {
            random: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
            definitions: workloads::all().expect("the run was planned from them"),
        }
    }

    fn invent(&self, cell: &Cell) -> Outcome {
        let Some(workload) = self.definitions.iter().find(|w| w.id == cell.workload) else {
            return Outcome::failed(format!("no workload {}", cell.workload));
        };
        // A strategy's place in the registry makes it cost more, so that a report
        // has something to show.
        let place = registry::ALL.iter().position(|s| s.name == cell.strategy);
        let level = 1000 + 100 * place.unwrap_or(0) as u64;
        let phases = workload.model.phases;
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sample =
            |n: usize| -> Vec<u64> { (0..n).map(|_| level + random.random_range(0..50)).collect() };
        let mut samples: std::collections::BTreeMap<String, Vec<u64>> =
            phases.iter().map(|p| (p.to_string(), sample(1))).collect();
        match phases {
            [] => {
                let latency = sample(32);
                samples.insert(workload.headline.clone(), vec![latency.iter().sum()]);
                samples.insert("latency".into(), latency);
            }
            _ => {
                let total = samples.values().flatten().sum();
                samples.insert("total".into(), vec![total]);
            }
        }
        Outcome::Measured {
            unit: Unit::Ns,
            samples,
            batch: Default::default(),
            counters: Default::default(),
            unavailable: Default::default(),
        }
    }
}

impl Executor for Fake {
    fn carry_out(&self, jobs: &[Job]) -> Vec<Answer> {
        jobs.iter().map(|job| self.answer(job)).collect()
    }
}

impl Fake {
    fn answer(&self, job: &Job) -> Answer {
        match job {
            Job::Audit { .. } => Answer::Findings(Vec::new()),
            // One strategy is always missing: reports must show the hole.
            Job::Probe { strategy } => match registry::find(strategy) {
                Some(s) if s.claims().claim.isolates() => {
                    let missing = Arm::of(s).explain(&Refusal {
                        stage: Stage::Run,
                        errno: Some(libc::EFAULT),
                        seen: "invented refusal".into(),
                    });
                    Answer::Outcome(missing.into())
                }
                _ => Answer::Available,
            },
            Job::Measure { cell, .. } => Answer::Outcome(self.invent(cell)),
        }
    }
}
