// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The host's work before a VM, and after one whose guest had touched all its memory.

use super::chore;
use crate::cell::{
    Stop, TLB_MODEL,
    measure::{Asked, Bench, OPERATIONS},
    setup::Ready,
};
use results::{Outcome, counter, record::Samples};
use std::collections::BTreeMap;
use workloads::Victim;

/// Works, has a guest touch its memory, takes it apart, and works again.
pub(in crate::cell) fn victim(bench: &Bench<'_>, victim: &Victim) -> Result<Outcome, Stop> {
    let work = |when: &str| {
        let failed = |e| Stop::Unproved(format!("the host's work {when} the VM: {e}"));
        chore::measure(victim, bench.model).map_err(failed)
    };
    let (before, modelled_before) = work("before")?;
    let mut machine = bench.started()?;
    let touch = &victim.touch;
    let Asked { mut counters, .. } =
        bench.ask(&mut machine, touch, touch.measured, &Ready::Nothing, None)?;
    let scale = bench.scale(&mut machine)?;
    machine.tear_down();
    let (after, modelled_after) = work("after")?;

    // What was counted was the guest's first touches, and not what is measured.
    counters.remove(OPERATIONS);
    let elsewhere = [
        counter::ipi::ORIGIN.prefix,
        counter::MINOR_FAULTS.key,
        TLB_MODEL,
    ];
    counters.retain(|name, _| !elsewhere.iter().any(|prefix| name.starts_with(prefix)));
    for (when, counted) in [("before", modelled_before), ("after", modelled_after)] {
        let renamed = |(name, n): (String, u64)| {
            let what = name.strip_prefix(TLB_MODEL).unwrap_or(&name);
            (format!("{TLB_MODEL}{when}.{what}"), n)
        };
        counters.extend(counted.into_iter().map(renamed));
    }
    let series = [("before", before), ("after", after)];
    let batch = series
        .each_ref()
        .map(|(name, _)| (name.to_string(), victim.batch));
    let samples: Samples = series.map(|(name, ticks)| (name.to_string(), ticks)).into();
    Ok(scale.outcome(samples, BTreeMap::from(batch), counters))
}
