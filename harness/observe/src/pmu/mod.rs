// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the processor's performance-monitoring unit (PMU) counts while a request runs:
//! TLB misses and page walks, cycles and instructions, of the guest and of the host
//! apart. Where it counts nothing, why: a count that is not there is never 0.
//!
//! - Counters belong to the thread that opens them, so a vCPU's thread does
//!   ([`Pmu::start`] before it runs, [`Pmu::stop`] after).
//! - They are pinned, so that each is on the PMU all the time or not at all. A
//!   processor with few counters gives them to the first events of `event::Set`, and
//!   the others are absent. Nothing is scaled up from a part of the time.
//! - They are trusted after `sanity` has seen the misses of a TLB grow where they
//!   must and not where they must not, and the guest's once a guest's instruction was
//!   counted.
//! - The host's side is all that the vCPU's thread does outside the guest: KVM, the
//!   VMM, interrupts that come meanwhile, and one system call a counter.
//!
//! Counting has a price on Intel, the same in every arm: KVM switches the PMU at every
//! entry and exit.

mod absence;
mod counter;
mod event;
mod perf;
mod sanity;

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;

pub use absence::Absence;
pub use counter::{Counters, Reading, Side};
pub use perf::Perf;

use crate::{cpu, kernel};
use event::{CYCLES, Event, INSTRUCTIONS, Set};
use results::counter::pmu;
use std::{collections::BTreeMap, io};

/// A PMU that was found to count as it must.
#[derive(Debug)]
pub struct Pmu<C: Counters> {
    counters: C,
    set: &'static Set,
    /// kernel.perf_event_paranoid, for what a refusal says.
    paranoid: Option<i64>,
    /// The counter of the check. While one is open, opening more rewrites no kernel code,
    /// which would interrupt every CPU within what is measured.
    _kept: C::Counter,
}

/// Counters of one thread that count, or why one does not.
pub type Running<C> = Vec<Result<<C as Counters>::Counter, Absence>>;

/// What the counters of one thread counted, in the order of the plan.
pub type Seen = Vec<Result<u64, Absence>>;

/// The counts of all threads.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// `pmu.<side>.<event>` → how many.
    pub counters: results::record::Counters,
    /// What has no count → why.
    pub unavailable: BTreeMap<String, String>,
}

/// This machine's PMU.
///
/// # Errors
/// Why it cannot be used at all.
pub fn ready() -> Result<Pmu<Perf>, Absence> {
    if !cpu::has_pmu() {
        return Err(Absence::NoPmu);
    }
    let chase = sanity::Chase::new()?;
    let set = event::set(cpu::processor().as_ref());
    Pmu::checked(Perf, set, kernel::perf_event_paranoid(), &chase)
}

/// The events that are counted here, with their encodings.
pub fn events() -> String {
    event::set(cpu::processor().as_ref()).to_string()
}

impl<C: Counters> Pmu<C> {
    /// A PMU whose misses grow with `walk`'s.
    fn checked(
        counters: C,
        set: &'static Set,
        paranoid: Option<i64>,
        walk: &impl sanity::Walk,
    ) -> Result<Self, Absence> {
        let kept = sanity::check(&counters, set.misses.encoding, paranoid, walk)?;
        Ok(Pmu {
            counters,
            set,
            paranoid,
            _kept: kept,
        })
    }

    /// What is counted, the most important first.
    fn plan(&self) -> impl Iterator<Item = (Event, Side)> + use<'_, C> {
        let sides = |event| Side::BOTH.map(|side| (event, side));
        self.set.events().flat_map(sides)
    }

    /// Opens and starts all counters for this thread; the host's last, which would count
    /// the starting of the others.
    pub fn start(&self) -> Running<C> {
        let open = |(event, side): (Event, Side)| {
            let opened = self.counters.open(event.encoding, side);
            opened.map_err(|e| Absence::refused(&e, self.paranoid))
        };
        let mut running: Running<C> = self.plan().map(open).collect();
        for side in Side::BOTH {
            self.each(side, &mut running, |counter| self.counters.start(counter));
        }
        running
    }

    /// Stops all counters of this thread, the host's first, and reads them.
    pub fn stop(&self, mut running: Running<C>) -> Seen {
        for side in [Side::Host, Side::Guest] {
            self.each(side, &mut running, |counter| self.counters.stop(counter));
        }
        let read = |counter: Result<C::Counter, Absence>| {
            let reading = self.counters.read(&mut counter?);
            reading.map_err(|e| Absence::unread(&e))?.whole()
        };
        running.into_iter().map(read).collect()
    }

    /// Does `what` with each counter of `side`; one that fails becomes absent.
    fn each(
        &self,
        side: Side,
        running: &mut Running<C>,
        what: impl Fn(&mut C::Counter) -> io::Result<()>,
    ) {
        let mine = self.plan().zip(running).filter(|((_, s), _)| *s == side);
        for (_, slot) in mine {
            let done = slot.as_mut().map(&what);
            if let Ok(Err(e)) = done {
                *slot = Err(Absence::Broken(e.to_string()));
            }
        }
    }

    /// Adds up what the threads saw. An event that one of them has no count of has none.
    pub fn tally(&self, threads: &[Seen]) -> Tally {
        let mut sums: Vec<(Event, Side, Result<u64, Absence>)> = Vec::new();
        for (i, (event, side)) in self.plan().enumerate() {
            let of = |seen: &Seen| seen[i].clone();
            sums.push((event, side, threads.iter().map(of).sum()));
        }
        if mixed(&sums) {
            for (_, _, sum) in sums.iter_mut().filter(|(_, _, sum)| sum.is_ok()) {
                *sum = Err(Absence::Mixed);
            }
        }
        let mut tally = Tally::default();
        let mut absent = Vec::new();
        for (event, side, sum) in sums {
            match sum {
                Ok(n) => drop(tally.counters.insert(key(event, side), n)),
                Err(why) => absent.push((event, side, why)),
            }
        }
        tally.unavailable = named(&absent, self.set.events().count());
        tally
    }
}

fn key(event: Event, side: Side) -> String {
    pmu::ORIGIN.key(&format!("{}.{}", side.name(), event.name))
}

/// Whether a guest ran of which nothing was counted: then nothing tells its events from
/// the host's, and neither side's counts are what they are called.
fn mixed(sums: &[(Event, Side, Result<u64, Absence>)]) -> bool {
    let guests = sums.iter().filter(|(_, side, _)| *side == Side::Guest);
    let ran = guests.filter(|(event, _, _)| [INSTRUCTIONS, CYCLES].contains(event));
    let mut counts = ran.filter_map(|(_, _, sum)| sum.as_ref().ok()).peekable();
    counts.peek().is_some() && counts.all(|n| *n == 0)
}

/// What is absent and why: one line for all of it, or all of one side, where `events` a
/// side have the same reason.
fn named(absent: &[(Event, Side, Absence)], events: usize) -> BTreeMap<String, String> {
    let of = |side| absent.iter().filter(move |(_, s, _)| *s == side);
    let one = |side: Side| {
        let why = &of(side).next()?.2;
        let all = of(side).count() == events && of(side).all(|(_, _, other)| other == why);
        all.then_some(why)
    };
    let sides = Side::BOTH.map(one);
    if let [Some(guest), Some(host)] = sides
        && guest == host
    {
        return [(pmu::ORIGIN.word.to_string(), guest.to_string())].into();
    }
    let mut names = BTreeMap::new();
    for (side, shared) in Side::BOTH.into_iter().zip(sides) {
        match shared {
            Some(why) => drop(names.insert(pmu::ORIGIN.key(side.name()), why.to_string())),
            None => names.extend(of(side).map(|(e, s, why)| (key(*e, *s), why.to_string()))),
        }
    }
    names
}
