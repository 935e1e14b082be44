// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Host work before a VM, and after one whose guest had touched all its memory.

use super::host_work::HostWork;
use crate::{
    BadParameter, CellContext, CellError, Experiment, Needs, Parameters, Size,
    model::fault::Touch,
    request::{RequestResult, Stage, run_request},
    tlb_model::PREFIX,
};
use results::{Outcome, counter, record::Samples};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct BeforeAfter {
    size: Size,
    work: HostWork,
}

impl BeforeAfter {
    pub(super) fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(BeforeAfter {
            size: params.size()?,
            work: HostWork::new(params)?,
        })
    }
}

impl Experiment for BeforeAfter {
    fn needs(&self) -> Needs {
        Needs::of(self.size)
    }

    fn run(&self, context: &CellContext<'_>) -> Result<Outcome, CellError> {
        let work = |when: &str| {
            let failed = |e| CellError::from(format!("the host's work {when} the VM: {e}"));
            self.work.measure(context.tlb_model()).map_err(failed)
        };
        let (before, modelled_before) = work("before")?;
        let mut machine = context.started(self.needs())?;
        let touch = Touch::all_at_random(self.size);
        let RequestResult { mut counters, .. } = run_request(
            context,
            &mut machine,
            &touch,
            &Default::default(),
            Stage::Measurement,
            None,
        )?;
        let scale = context.scale(&mut machine)?;
        machine.tear_down();
        let (after, modelled_after) = work("after")?;

        // What was counted was the guest's first touches, and not what is measured.
        counters.remove(counter::OPERATIONS.key);
        let of_the_guest = [
            counter::ipi::ORIGIN.prefix,
            counter::MINOR_FAULTS.key,
            PREFIX,
        ];
        counters.retain(|name, _| !of_the_guest.iter().any(|prefix| name.starts_with(prefix)));
        for (when, counted) in [("before", modelled_before), ("after", modelled_after)] {
            let renamed = |(name, n): (String, u64)| {
                let what = name.strip_prefix(PREFIX).unwrap_or(&name);
                (format!("{PREFIX}{when}.{what}"), n)
            };
            counters.extend(counted.into_iter().map(renamed));
        }
        let series = [("before", before), ("after", after)];
        let batch = series
            .each_ref()
            .map(|(name, _)| (name.to_string(), self.work.batch()));
        let samples: Samples = series.map(|(name, ticks)| (name.to_string(), ticks)).into();
        Ok(scale.outcome(samples, BTreeMap::from(batch), counters))
    }
}
