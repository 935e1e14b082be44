// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether a counter counts the misses of a TLB: a pointer chase over more pages than any
//! TLB holds must raise it, and as many loads within a few pages must not.
//!
//! A counter that a hypervisor offers and does not serve stays 0, and a code that means
//! something else on this model counts something else; neither shows by itself.

use super::{Absence, Counters, Side, event::Encoding};
use crate::raw;
use std::{hint::black_box, sync::atomic::Ordering::Relaxed};
use vm_memory::{Bytes, MmapRegion, VolatileMemory};

const PAGE: u64 = 4096;
/// Bytes of a cache line.
const LINE: u64 = 64;

/// Pages of the far chase: twice the largest second-level TLB in the table (Zen 5, 4096).
const FAR: u64 = 8192;
/// Pages of the near one: within every first-level TLB.
const NEAR: u64 = 4;
/// Loads of each: four rounds of the far one.
const LOADS: u64 = 4 * FAR;

/// At least this part of the far loads must miss. With places taken in a fixed order by a
/// TLB of half their number, half of them do even if it replaces entries at random.
const LEAST: u64 = LOADS / 4;
/// At most this part of the near ones may: what the kernel's ticks throw out meanwhile.
const MOST: u64 = LOADS / 64;

/// Two ways through memory, of as many loads each.
pub(super) trait Walk {
    /// Through more pages than a TLB holds.
    fn far(&self);
    /// Through a few.
    fn near(&self);
}

/// Memory of 4 KiB pages with both chases in it, the near one behind the far one.
pub(super) struct Chase {
    memory: MmapRegion,
}

impl Chase {
    /// Takes memory and touches it in the order of the chase, so that pages that lie side
    /// by side do not get frames side by side, which a TLB may hold in one entry.
    pub(super) fn new() -> Result<Self, Absence> {
        let len = (FAR + NEAR) * PAGE;
        let memory = MmapRegion::new(len as usize).map_err(|e| Absence::NoMemory(e.to_string()))?;
        raw::no_huge_pages(&memory).map_err(|e| Absence::NoMemory(e.to_string()))?;
        let chase = Chase { memory };
        for (first, pages) in [(0, FAR), (FAR, NEAR)] {
            let mut number = 0;
            for _ in 0..pages {
                let next = after(number, pages);
                chase.set(place(first + number), place(first + next))?;
                number = next;
            }
        }
        Ok(chase)
    }

    fn set(&self, at: u64, next: u64) -> Result<(), Absence> {
        let set = self
            .memory
            .as_volatile_slice()
            .store(next, at as usize, Relaxed);
        set.map_err(|e| Absence::NoMemory(e.to_string()))
    }

    /// Where the chase goes from `at`.
    fn next(&self, at: u64) -> u64 {
        let next = self.memory.as_volatile_slice().load(at as usize, Relaxed);
        // The chase never leaves the memory; if it did, it would start again.
        next.unwrap_or(0)
    }

    fn follow(&self, first: u64) {
        let end = (0..LOADS).fold(place(first), |at, _| self.next(at));
        black_box(end);
    }
}

impl Walk for Chase {
    fn far(&self) {
        self.follow(0);
    }

    fn near(&self) {
        self.follow(FAR);
    }
}

/// Where in page `number` its link to the next lies. Links of pages side by side lie on
/// different lines, or they would share few sets of a cache.
fn place(number: u64) -> u64 {
    number * PAGE + number % (PAGE / LINE) * LINE
}

/// Which of `pages` pages, a power of two, comes after `number`: all come once a round,
/// as a linear congruential generator has the full period if its increment is odd and its
/// multiplier 1 modulo 4 (Knuth, The Art of Computer Programming, volume 2, 3.2.1.2). The
/// constants are those of Press et al., Numerical Recipes, 7.1.
fn after(number: u64, pages: u64) -> u64 {
    (number * 1_664_525 + 1_013_904_223) % pages
}

/// Counts `misses` on the host's side of both walks; returns the counter.
///
/// # Errors
/// Why it cannot be opened, read, or trusted.
pub(super) fn check<C: Counters>(
    counters: &C,
    misses: Encoding,
    paranoid: Option<i64>,
    walk: &impl Walk,
) -> Result<C::Counter, Absence> {
    let opened = counters.open(misses, Side::Host);
    let mut counter = opened.map_err(|e| Absence::refused(&e, paranoid))?;
    let broken = |e: std::io::Error| Absence::Broken(e.to_string());
    let mut counted = |walk: &dyn Fn()| {
        counters.start(&mut counter).map_err(broken)?;
        walk();
        counters.stop(&mut counter).map_err(broken)?;
        let reading = counters.read(&mut counter);
        reading.map_err(|e| Absence::unread(&e))?.whole()
    };
    let near = counted(&|| walk.near())?;
    let far = counted(&|| walk.far())?.saturating_sub(near);
    verdict(far, near)?;
    Ok(counter)
}

fn verdict(far: u64, near: u64) -> Result<(), Absence> {
    match far >= LEAST && near <= MOST {
        true => Ok(()),
        false => Err(Absence::Implausible {
            far,
            near,
            loads: LOADS,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn misses_must_grow_far_away_and_not_nearby() {
        let check =
            |far, near, ok: bool| assert_eq!(verdict(far, near).is_ok(), ok, "{far} {near}");
        check(LOADS, 0, true);
        check(LOADS / 2, 100, true);
        check(LEAST, MOST, true);
        check(LEAST - 1, 0, false);
        check(0, 0, false);
        check(LOADS, MOST + 1, false);
        check(100 * LOADS, 100 * LOADS, false);
        let text = verdict(0, 7).unwrap_err().to_string();
        assert!(text.contains("0 misses in 32768 loads"), "{text}");
    }

    #[test]
    fn the_chases_go_round_on_as_many_pages_as_they_say() {
        let chase = Chase::new().unwrap();
        for (first, number) in [(0, FAR), (FAR, NEAR)] {
            let start = place(first);
            let mut at = start;
            let mut pages = BTreeSet::new();
            for _ in 0..number {
                pages.insert(at / PAGE);
                at = chase.next(at);
            }
            assert_eq!((pages.len() as u64, at), (number, start));
        }
        let backing = crate::memory::backing(chase.memory.as_ptr().addr()).unwrap();
        assert_eq!(backing.huge.0, 0, "huge pages have far fewer translations");
    }
}
