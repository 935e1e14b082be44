// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a record keeps of KVM's statistics and of the memory.

use crate::{CellError, guard};
use results::{
    counter::{self, Counter, kvm},
    record::Counters,
};
use strategies::{Arm, GuestRam};
use vmm::stats::Stats;

/// What `grown` and the statistics `now` say, by their names in a record, and how much of
/// `ram` is huge pages, which is checked against what the strategy promises.
pub(crate) fn counters(
    arm: &Arm,
    ram: &GuestRam,
    now: Stats,
    grown: Stats,
) -> Result<Counters, CellError> {
    let huge = guard::page_size(arm.strategy(), ram)
        .map_err(|why| format!("the page size is not what {arm} promises: {why}"))?;
    let mut counters = Counters::new();
    for (name, n) in now {
        if name.starts_with(counter::PAGES) {
            counters.insert(counter::mapped::ORIGIN.key(&name), n);
        }
    }
    for (name, n) in grown {
        if !name.starts_with(counter::PAGES) {
            counters.insert(kvm::ORIGIN.key(&name), n);
        }
    }
    counter::ram::HUGE_BYTES.put(&mut counters, huge);
    Ok(counters)
}

/// How many base pages KVM's page tables hold, or took in, by these statistics.
pub(crate) fn pages_in(stats: &Stats) -> u64 {
    let [small, large, huge] =
        [kvm::PAGES_4K, kvm::PAGES_2M, kvm::PAGES_1G].map(|counter| of(stats, counter));
    small + 512 * large + 512 * 512 * huge
}

/// The statistic `counter`; 0 if KVM has none.
pub(crate) fn of(stats: &Stats, counter: Counter) -> u64 {
    stats.get(counter.name).copied().unwrap_or(0)
}
