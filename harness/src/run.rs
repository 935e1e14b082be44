// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A run on one testbed: which arms can run here, what is verified of
//! them, and then every cell, recorded as it ends.

use crate::{
    arm::{self, Arm},
    execute::{Executor, TestbedInstance},
    job::{Answer, Job},
    plan::Selection,
    probe::Probed,
    progress::Progress,
    step::Step,
};
use lab::interrupt;
use models::{FaultInjection, TlbModel};
use results::{
    Audit, Cell, Outcome, Row, Testbed,
    store::{self, Recorder},
};
use std::{collections::BTreeSet, thread};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every cell was carried out.
    Complete,
    /// Ctrl-C: the cells after it were not.
    Interrupted,
}

/// The arms of a run on one testbed, sorted by whether they can take part.
#[derive(Clone, Debug, Default)]
pub struct ArmAvailability {
    /// Those that can.
    pub able: Vec<Arm>,
    /// Those that cannot, and the outcome that stands for each of their cells.
    pub refused: Vec<(Arm, Outcome)>,
    /// What was found of the isolation of those that were tried.
    pub audits: Vec<Audit>,
}

impl ArmAvailability {
    /// Sorts the arms of `selection` by what `probed` says of their strategies,
    /// and audits those that run: an arm whose claim does not hold is refused.
    pub fn new(instance: &TestbedInstance, selection: &Selection, probed: &[Probed]) -> Self {
        let mut sorted = ArmAvailability::default();
        let mut tried = Vec::new();
        for arm in &selection.arms {
            let of = probed
                .iter()
                .find(|p| p.strategy.name == arm.strategy().name);
            match of.and_then(|p| p.refusal.clone()) {
                Some(outcome) => sorted.refused.push((arm.clone(), outcome)),
                None => tried.push(arm.clone()),
            }
        }
        let testbed = instance.testbed;
        let jobs: Vec<_> = tried.iter().map(|arm| arm::audit(arm, testbed)).collect();
        let answers = instance.executor.carry_out(&jobs);
        for (arm, answer) in tried.into_iter().zip(answers) {
            sorted.add(arm, testbed, answer);
        }
        sorted
    }

    fn add(&mut self, arm: Arm, testbed: Testbed, answer: Answer) {
        match answer {
            Answer::Findings(findings) => {
                let audit = arm::audited(&arm, testbed, findings);
                match audit.broken() {
                    Some(why) => self.refused.push((arm, Outcome::failed(why))),
                    None => self.able.push(arm),
                }
                self.audits.push(audit);
            }
            Answer::Outcome(outcome) => self.refused.push((arm, outcome)),
            Answer::Available | Answer::Booted { .. } => {
                self.refused.push((arm, Outcome::failed(CROSSED)));
            }
        }
    }
}

const CROSSED: &str = "the cell process answered another question than was asked";

/// Carries out `selection` on `instance` and records every outcome.
///
/// # Errors
/// Only if a row cannot be recorded; what was recorded before is whole.
pub fn run(
    instance: &TestbedInstance,
    selection: &Selection,
    arms: &ArmAvailability,
    recorder: &mut Recorder,
) -> Result<End, store::Error> {
    let executor = instance.executor.as_ref();
    record_refusals(selection, instance, arms, recorder)?;
    let batches = executor.batches(selection.steps(instance, &arms.able));
    let mut progress = Progress::new(batches.iter().flatten());
    // Cells that turned out to be missing are not tried again: what a machine
    // lacks in one block it lacks in the next.
    let mut missing: BTreeSet<Cell> = BTreeSet::new();

    for side_by_side in batches.chunks(executor.width()) {
        let wanted = |step: &&Step| !missing.contains(&step.cell);
        let batches: Vec<Vec<&Step>> = side_by_side
            .iter()
            .map(|b| b.iter().filter(wanted).collect())
            .collect();
        if let Some(step) = batches.iter().flatten().next() {
            progress.begin(step);
        }
        let answers = at_once(executor, selection, &batches);
        if interrupt::seen() {
            progress.finish();
            return Ok(End::Interrupted);
        }
        for (step, answer) in batches.iter().flatten().zip(answers.into_iter().flatten()) {
            let outcome = match answer {
                Answer::Outcome(outcome) => outcome,
                Answer::Booted { outcome, console } => {
                    recorder.keep_console(&step.cell, step.block, &console)?;
                    outcome
                }
                Answer::Available | Answer::Findings(_) => Outcome::failed(CROSSED),
            };
            if matches!(outcome, Outcome::Missing { .. }) {
                missing.insert(step.cell.clone());
            }
            recorder.append(&Row {
                cell: step.cell.clone(),
                block: Some(step.block),
                order: Some(step.order),
                outcome,
            })?;
        }
        progress.advance(side_by_side.iter().map(Vec::len).sum());
    }
    progress.finish();
    Ok(End::Complete)
}

/// The answers to each batch, in order; several batches run side by side.
fn at_once(
    executor: &dyn Executor,
    selection: &Selection,
    batches: &[Vec<&Step>],
) -> Vec<Vec<Answer>> {
    let one = |batch: &[&Step]| {
        let jobs: Vec<_> = batch
            .iter()
            .map(|s| Job::Measure {
                cell: s.cell.clone(),
                faults: FaultInjection {
                    delay_ns: selection.delays.get(&s.cell).copied().unwrap_or(0),
                    ..FaultInjection::default()
                },
                guest: selection.guest_of(&s.cell),
                // The executor knows.
                tlb_model: TlbModel::Unasked,
            })
            .collect();
        match jobs.is_empty() {
            true => Vec::new(),
            false => executor.carry_out(&jobs),
        }
    };
    if let [batch] = batches {
        return vec![one(batch)];
    }
    thread::scope(|scope| {
        let running: Vec<_> = batches.iter().map(|b| scope.spawn(|| one(b))).collect();
        let failed = |n| vec![Answer::Outcome(Outcome::failed("the executor panicked")); n];
        let joined = running.into_iter().zip(batches);
        joined
            .map(|(t, b)| t.join().unwrap_or_else(|_| failed(b.len())))
            .collect()
    })
}

/// A row for each cell of an arm that does not take part.
fn record_refusals(
    selection: &Selection,
    instance: &TestbedInstance,
    arms: &ArmAvailability,
    recorder: &mut Recorder,
) -> Result<(), store::Error> {
    for group in selection.groups(instance) {
        for (arm, outcome) in &arms.refused {
            recorder.append(&Row {
                cell: arm::cell(arm, &group),
                block: None,
                order: None,
                outcome: outcome.clone(),
            })?;
        }
    }
    Ok(())
}
