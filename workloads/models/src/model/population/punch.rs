// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The guest touches its memory, and the host gives it back by holes.

use super::range::Range;
use crate::{
    BadParameter, CellContext, CellError, Experiment, Needs, Parameters, Size,
    model::fault::{Touch, no_holes},
};
use abi::layout;
use results::Outcome;
use strategies::AtWork;
use vmm::{clock::Stopwatch, stats};

#[derive(Debug)]
pub(super) struct Punch {
    size: Size,
    range: Range,
}

impl Punch {
    pub(super) fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let size = params.size()?;
        Ok(Punch {
            size,
            range: Range::new(size, params)?,
        })
    }
}

impl Experiment for Punch {
    fn needs(&self) -> Needs {
        Needs::of(self.size)
    }

    fn run(&self, context: &CellContext<'_>) -> Result<Outcome, CellError> {
        let mut machine = context.started(self.needs())?;
        // The first vCPU touches all there is.
        let alone = Size {
            cpus: 1,
            ..self.size
        };
        Touch::all(alone).carry_out(&mut machine)?;
        let before = machine.stats()?;
        let len = self.range.batch * layout::PAGE;
        let window = context.tlb_model().begin();
        let mut ticks = Vec::with_capacity(self.range.batches().count());
        for (i, address) in self.range.batches().enumerate() {
            let mut watch = Stopwatch::start();
            let punched = machine.ram().punch_hole(address, len);
            ticks.push(watch.lap());
            punched.map_err(|e| match i {
                0 => no_holes(&e),
                _ => CellError::Machine(vmm::Error::Memory(e)),
            })?;
        }
        let modelled = window.end();
        let grown = stats::growth(&before, &machine.stats()?);
        context.at_work(AtWork {
            touched: 0,
            freed: self.range.pages,
            grown: &grown,
        })?;
        self.range.holds(&machine, |_| 0)?;
        self.range
            .outcome(context, &mut machine, ticks, grown, modelled)
    }
}
