// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Pages of the arena that the host works on in batches.

use crate::{BadParameter, CellContext, CellError, Parameters, Size, evidence::content};
use abi::layout;
use results::{
    Outcome, counter,
    record::{Counters, Samples},
};
use std::collections::BTreeMap;
use vmm::{Machine, stats::Stats};

/// No more samples than this. Where there are more batches, samples of evenly spaced ones
/// are recorded; all are in the total.
const SAMPLES_MAX: usize = layout::SAMPLES_MAX as usize / 8;

/// Pages of the arena, taken so many at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Guest-physical address of the first.
    pub(super) address: u64,
    /// How many pages, a multiple of `batch`.
    pub(super) pages: u64,
    /// How many of them one call takes.
    pub(super) batch: u64,
}

impl Range {
    /// The whole arena in steps of `batch` pages.
    pub(super) fn new(size: Size, params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let batch = params.number("batch", 1..=512)?;
        let pages = (size.memory - layout::ARENA) / layout::PAGE;
        Ok(Range {
            address: layout::ARENA,
            pages: pages / batch * batch,
            batch,
        })
    }

    /// The address of each batch.
    pub(super) fn batches(&self) -> impl Iterator<Item = u64> + use<> {
        let Range {
            address,
            pages,
            batch,
        } = *self;
        (0..pages / batch).map(move |i| address + i * batch * layout::PAGE)
    }

    /// The host finds in every page the word that must be there.
    pub(super) fn holds(
        &self,
        machine: &Machine,
        expected: impl Fn(u64) -> u64,
    ) -> Result<(), CellError> {
        let word = |page| (self.address + page * layout::PAGE, expected(page));
        Ok(content(machine, (0..self.pages).map(word))?)
    }

    /// The outcome of batches that took so many ticks each.
    pub(super) fn outcome(
        &self,
        context: &CellContext<'_>,
        machine: &mut Machine,
        ticks: Vec<u64>,
        grown: Stats,
        modelled: Counters,
    ) -> Result<Outcome, CellError> {
        let mut counters = context.counters(machine, grown)?;
        counters.extend(modelled);
        counter::OPERATIONS.put(&mut counters, self.pages);
        let mut samples = Samples::new();
        samples.insert("total".into(), vec![ticks.iter().sum()]);
        let every = ticks.len().div_ceil(SAMPLES_MAX).max(1);
        let shown = ticks.into_iter().step_by(every).collect();
        samples.insert("latency".into(), shown);
        let batch = [("latency", self.batch), ("total", self.pages)];
        let batch: BTreeMap<_, _> = batch.map(|(name, n)| (name.to_string(), n)).into();
        Ok(context.scale(machine)?.outcome(samples, batch, counters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_cover_the_range_and_stay_in_it() {
        let range = Range {
            address: layout::ARENA,
            pages: 12,
            batch: 4,
        };
        let batches: Vec<_> = range.batches().collect();
        let page = |n| layout::ARENA + n * layout::PAGE;
        assert_eq!(batches, [page(0), page(4), page(8)]);
    }
}
