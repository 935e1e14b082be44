// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From a guest that touched all its memory back to nothing, step by step.

use crate::{
    CellContext, CellError, Experiment, Model, Needs, Size, context::with_total,
    model::fault::Touch,
};
use results::Outcome;
use std::collections::BTreeMap;

pub(super) const MODELS: &[Model] =
    &[
        Model::new("teardown", |p| Ok(Box::new(Teardown { size: p.size()? })))
            .of_phases(&["destroy-vm", "release-memory"]),
    ];

#[derive(Debug)]
struct Teardown {
    size: Size,
}

impl Experiment for Teardown {
    fn needs(&self) -> Needs {
        Needs::of(self.size)
    }

    fn run(&self, context: &CellContext<'_>) -> Result<Outcome, CellError> {
        let mut machine = context.started(self.needs())?;
        Touch::all(self.size).carry_out(&mut machine)?;
        let mut counters = context.counters_now(&machine)?;
        let scale = context.scale(&mut machine)?;
        let window = context.tlb_model().begin();
        let phases = machine.tear_down();
        counters.extend(window.end());
        Ok(scale.outcome(with_total(phases), BTreeMap::new(), counters))
    }
}
