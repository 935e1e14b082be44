// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Measuring a cell.

use crate::{CellContext, CellError, Conditions, Model, console, guard, tlb_model};
use results::{Outcome, counter, record::Counters, unit::Bytes};
use std::{cell::RefCell, collections::BTreeMap};

/// What came of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Samples, or why there are none.
    pub outcome: Outcome,
    /// All that the guest's console showed, if it had one.
    pub console: Option<String>,
}

/// Measures a cell of `model`, and accounts for what it did to the direct map from before
/// its machine was built until after it was gone.
pub fn measure(model: &Model, conditions: &Conditions<'_>) -> Measured {
    let before = observe::direct_map::counters();
    let console = RefCell::default();
    let mut outcome = attempt(model, conditions, &console).unwrap_or_else(CellError::into_outcome);
    if let Outcome::Measured {
        counters,
        unavailable,
        ..
    } = &mut outcome
    {
        if let Some(why) = conditions.tlb_model.silence(counters) {
            unavailable.insert(tlb_model::NAME.into(), why);
        }
        direct_map(&before, &observe::direct_map::counters(), counters);
    }
    let console = console.into_inner();
    Measured {
        outcome: match &console {
            None => outcome,
            Some(text) => console::with_evidence(outcome, text),
        },
        console,
    }
}

fn attempt(
    model: &Model,
    conditions: &Conditions<'_>,
    console: &RefCell<Option<String>>,
) -> Result<Outcome, CellError> {
    let cell = conditions.cell;
    let experiment = model
        .experiment(&cell.params)
        .map_err(|e| format!("{}: {e}", cell.workload))?;
    if conditions.faults.negative_control && !experiment.has_negative_control() {
        return Err(CellError::missing(
            "this workload needs no preparation that could be left out",
            "a workload that does",
        ));
    }
    let needs = experiment.needs();
    needs.check()?;
    guard::memory(Bytes(needs.size.memory))?;
    experiment.run(&CellContext::new(conditions, console)?)
}

/// What the direct map consists of before and after, and what happened to it in between.
fn direct_map(
    before: &BTreeMap<String, u64>,
    after: &BTreeMap<String, u64>,
    counters: &mut Counters,
) {
    let host = counter::host::ORIGIN;
    for (name, now) in after {
        let then = before.get(name).copied().unwrap_or(0);
        match name.strip_suffix("_kib") {
            Some(size) => {
                counters.insert(host.key(&format!("{size}_kib.before")), then);
                counters.insert(host.key(&format!("{size}_kib.after")), *now);
            }
            None if *now > then => {
                counters.insert(host.key(name), now - then);
            }
            None => {}
        }
    }
}
