// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A run: blocks of arms in seeded order, each cell recorded as it ends.

use crate::{
    cell::{Answer, Job},
    execute::Executor,
    interrupt,
    plan::{self, Selection},
    probe::Probed,
    progress::Progress,
};
use results::{
    Cell, Outcome, Row, Testbed,
    cell::Group,
    store::{self, Recorder},
};
use std::collections::BTreeSet;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every cell was carried out.
    Complete,
    /// Ctrl-C: the cells after it were not.
    Interrupted,
}

/// Carries out `selection` on `testbed` and records every outcome.
///
/// # Errors
/// Only if a row cannot be recorded; what was recorded before is whole.
pub fn run(
    executor: &mut dyn Executor,
    selection: &Selection,
    testbed: Testbed,
    probed: &[Probed],
    recorder: &mut Recorder,
) -> Result<End, store::Error> {
    let groups = selection.groups(testbed);
    let mut progress = Progress::new(&groups, probed, selection.blocks);
    record_refusals(&groups, probed, recorder)?;
    let able: Vec<_> = probed
        .iter()
        .filter(|p| p.refusal.is_none())
        .map(|p| p.strategy)
        .collect();
    // Cells that turned out to be missing are not tried again: what a machine
    // lacks in one block it lacks in the next.
    let mut missing: BTreeSet<Cell> = BTreeSet::new();

    for block in 0..=selection.blocks {
        for (number, group) in groups.iter().enumerate() {
            let order = plan::order(&able, selection.seed, number, block);
            for (place, strategy) in (0..).zip(order) {
                let cell = plan::cell(group, strategy);
                progress.begin(block, &cell);
                if !missing.contains(&cell) {
                    let job = Job::Measure { cell: cell.clone() };
                    let outcome = match executor.carry_out(&job) {
                        Answer::Outcome(outcome) => outcome,
                        Answer::Available => {
                            Outcome::failed("the cell process answered another question")
                        }
                    };
                    if matches!(outcome, Outcome::Missing { .. }) {
                        missing.insert(cell.clone());
                    }
                    let (block, order) = (Some(block), Some(place));
                    recorder.append(&Row {
                        cell,
                        block,
                        order,
                        outcome,
                    })?;
                }
                progress.end();
                if interrupt::seen() {
                    progress.finish();
                    return Ok(End::Interrupted);
                }
            }
        }
    }
    progress.finish();
    Ok(End::Complete)
}

/// A row for each cell of a strategy that does not run here.
fn record_refusals(
    groups: &[Group],
    probed: &[Probed],
    recorder: &mut Recorder,
) -> Result<(), store::Error> {
    for group in groups {
        for p in probed {
            if let Some(outcome) = &p.refusal {
                recorder.append(&Row {
                    cell: plan::cell(group, p.strategy),
                    block: None,
                    order: None,
                    outcome: outcome.clone(),
                })?;
            }
        }
    }
    Ok(())
}
