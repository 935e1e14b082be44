// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What every strategy promises. A new strategy is tested by being registered.

use super::{MEMORY, OnStrategy, ask, config, started};
use abi::{Args, Digest, Op, layout, value};
use harness::cell::{Answer, Job, carry_out};
use libtest_mimic::Failed;
use results::{Cell, Outcome, Testbed};
use std::fs;
use strategies::Strategy;
use vm_memory::{Bytes, GuestAddress};
use vmm::{Device, Ring};
use workloads::Profile;

pub(crate) const TESTS: &[(&str, OnStrategy)] = &[
    ("memory_is_zero_and_of_the_size_asked_for", zero_and_size),
    ("guest_and_host_see_each_others_writes", both_ways),
    ("a_drop_releases_everything", releases),
    (
        "every_workload_measures_and_proves_itself",
        workloads_measure,
    ),
];

const ARENA_PAGES: u64 = (MEMORY - layout::ARENA) / layout::PAGE;

fn arena(count: u64) -> Args {
    Args {
        count,
        batch: count,
        address: layout::ARENA,
        stride: layout::PAGE,
        seed: 77,
    }
}

fn zero_and_size(strategy: &Strategy) -> Result<(), Failed> {
    let mut machine = started(strategy, &config(1, Ring::User))?;
    assert_eq!(machine.ram().len() as u64, MEMORY);
    let reply = machine.call(ask(Op::Sum, arena(ARENA_PAGES)), &mut Device::new(0))?;
    let mut zeroes = Digest::new();
    (0..ARENA_PAGES).for_each(|_| zeroes.push(0));
    assert_eq!(
        reply.digest,
        zeroes.get(),
        "the guest sees something in untouched memory"
    );
    // The first word beyond the end is MMIO to the guest and nothing to the host.
    let beyond: Result<u64, _> = machine.memory().read_obj(GuestAddress(MEMORY));
    assert!(beyond.is_err());
    Ok(())
}

fn both_ways(strategy: &Strategy) -> Result<(), Failed> {
    let mut machine = started(strategy, &config(1, Ring::User))?;
    let mut expected = Digest::new();
    for i in 0..64 {
        let word = value(123, i);
        expected.push(word);
        machine
            .memory()
            .write_obj(word, GuestAddress(layout::ARENA + i * layout::PAGE))?;
    }
    let reply = machine.call(ask(Op::Sum, arena(64)), &mut Device::new(0))?;
    assert_eq!(
        reply.digest,
        expected.get(),
        "the guest does not see what the host wrote"
    );

    machine.call(ask(Op::Touch, arena(64)), &mut Device::new(0))?;
    for i in 0..64 {
        let word: u64 = machine
            .memory()
            .read_obj(GuestAddress(layout::ARENA + i * layout::PAGE))?;
        assert_eq!(
            word,
            value(77, i),
            "the host does not see what the guest wrote"
        );
    }
    Ok(())
}

/// Descriptors, mappings and memory after 1 000 machines are those after one.
fn releases(strategy: &Strategy) -> Result<(), Failed> {
    let cycle = || {
        let mut machine = started(strategy, &config(1, Ring::User))?;
        machine
            .call(ask(Op::Touch, arena(8)), &mut Device::new(0))
            .map(drop)
    };
    for _ in 0..10 {
        cycle()?;
    }
    let before = Held::now();
    for _ in 0..1000 {
        cycle()?;
    }
    let after = Held::now();
    assert_eq!(
        (after.files, after.mappings),
        (before.files, before.mappings)
    );
    let grown = after.resident_kib.saturating_sub(before.resident_kib);
    assert!(grown < 4096, "1000 machines left {grown} KiB behind");
    Ok(())
}

/// What this process holds.
struct Held {
    files: usize,
    mappings: usize,
    resident_kib: u64,
}

impl Held {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let rss = status
            .lines()
            .find_map(|l| l.strip_prefix("VmRSS:"))
            .unwrap();
        Held {
            files: fs::read_dir("/proc/self/fd").unwrap().count(),
            mappings: fs::read_to_string("/proc/self/maps")
                .unwrap()
                .lines()
                .count(),
            resident_kib: rss.split_whitespace().next().unwrap().parse().unwrap(),
        }
    }
}

fn workloads_measure(strategy: &Strategy) -> Result<(), Failed> {
    for workload in workloads::all()? {
        let cell = Cell {
            testbed: Testbed::Host,
            strategy: strategy.name.to_string(),
            workload: workload.id.clone(),
            params: workload.cells(Profile::Quick).swap_remove(0),
            mode: Default::default(),
        };
        let Answer::Outcome(outcome) = carry_out(&Job::Measure { cell }) else {
            return Err("a measurement was answered like a trial".into());
        };
        // The guard did its work: this machine has no huge page left right now.
        if let Outcome::Failed { error, .. } = &outcome
            && error.contains("memory is fragmented")
        {
            eprintln!("{}: not measured: {error}", workload.id);
            continue;
        }
        let Outcome::Measured { samples, .. } = &outcome else {
            return Err(format!("{}: {outcome:?}", workload.id).into());
        };
        let headline = samples.get(&workload.headline);
        assert!(
            headline.is_some_and(|s| s.iter().all(|n| *n > 0)),
            "{}: {samples:?}",
            workload.id
        );
        for phase in workload.model.phases() {
            assert!(
                samples.contains_key(*phase),
                "{} has no {phase}",
                workload.id
            );
        }
    }
    Ok(())
}
