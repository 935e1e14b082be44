// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From nothing to a payload that takes requests, step by step.

use crate::{CellContext, CellError, Experiment, Model, Needs, Size, context::with_total, guard};
use results::Outcome;
use std::collections::BTreeMap;

pub(super) const MODELS: &[Model] =
    &[
        Model::new("boot", |p| Ok(Box::new(Boot { size: p.size()? }))).of_phases(&[
            "create-vm",
            "create-memory",
            "memslot",
            "load",
            "create-vcpu",
            "first-instruction",
            "ready",
        ]),
    ];

#[derive(Debug)]
struct Boot {
    size: Size,
}

impl Experiment for Boot {
    fn needs(&self) -> Needs {
        Needs::of(self.size)
    }

    fn run(&self, context: &CellContext<'_>) -> Result<Outcome, CellError> {
        let window = context.tlb_model().begin();
        let (mut machine, mut phases) = context.build(self.needs())?;
        phases.extend(machine.start()?);
        let modelled = window.end();
        guard::native(&mut machine)?;
        let mut counters = context.counters_now(&machine)?;
        counters.extend(modelled);
        let scale = context.scale(&mut machine)?;
        Ok(scale.outcome(with_total(phases), BTreeMap::new(), counters))
    }
}
