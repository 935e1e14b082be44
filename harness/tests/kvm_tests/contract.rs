// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What every strategy promises. A new strategy is tested by being registered.

use super::{MEMORY, OnStrategy, absence, ask, config, started};
use abi::{Args, Digest, Op, layout, value};
use harness::{
    cell::carry_out,
    job::{Answer, Job},
};
use libtest_mimic::Failed;
use models::{FaultInjection, TlbModel};
use results::{Cell, Outcome, Testbed};
use std::fs;
use strategies::Strategy;
use vm_memory::{Bytes, GuestAddress};
use vmm::{Cpl, Device};
use workloads::{Profile, Workload};

pub(crate) const TESTS: &[(&str, OnStrategy)] = &[
    ("memory_is_zero_and_of_the_size_asked_for", zero_and_size),
    ("guest_and_host_see_each_others_writes", both_ways),
    ("a_drop_releases_everything", releases),
    (
        "every_workload_measures_and_proves_itself",
        workloads_measure,
    ),
    ("every_negative_control_fails", negative_controls_fail),
    ("work_added_to_exits_is_measured", added_work_is_measured),
];

const ARENA_PAGES: u64 = (MEMORY - layout::ARENA) / layout::PAGE;

fn arena(count: u64) -> Args {
    Args {
        count,
        batch: count,
        address: layout::ARENA,
        stride: layout::PAGE,
        seed: 77,
        ..Args::default()
    }
}

fn zero_and_size(strategy: &'static Strategy) -> Result<(), Failed> {
    let mut machine = started(strategy, &config(1, Cpl::User))?;
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

fn both_ways(strategy: &'static Strategy) -> Result<(), Failed> {
    let mut machine = started(strategy, &config(1, Cpl::User))?;
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
fn releases(strategy: &'static Strategy) -> Result<(), Failed> {
    let cycle = || {
        let mut machine = started(strategy, &config(1, Cpl::User))?;
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

fn workloads_measure(strategy: &'static Strategy) -> Result<(), Failed> {
    let mut unexpected = Vec::new();
    for (workload, cell) in cells(strategy)? {
        let job = Job::measure(cell);
        let Answer::Outcome(outcome) = carry_out(&job) else {
            return Err("a measurement was answered like a probe".into());
        };
        // The guard did its work: this machine has no huge page left right now.
        if let Outcome::Failed { error, .. } = &outcome
            && error.contains("memory is fragmented")
        {
            eprintln!("{}: not measured: {error}", workload.id);
            continue;
        }
        if let Outcome::Missing { reason, .. } = &outcome {
            if !absence::of_workload(strategy, &workload.id, reason) {
                unexpected.push(format!("{job:?}: {reason}"));
            }
            continue;
        }
        let Outcome::Measured { samples, .. } = &outcome else {
            return Err(format!("{job:?}: {outcome:?}").into());
        };
        let headline = samples.get(&workload.headline);
        assert!(
            headline.is_some_and(|s| s.iter().all(|n| *n > 0)),
            "{}: {samples:?}",
            workload.id
        );
        for phase in workload.model.phases {
            assert!(
                samples.contains_key(*phase),
                "{} has no {phase}",
                workload.id
            );
        }
    }
    match unexpected.is_empty() {
        true => Ok(()),
        false => Err(unexpected.join("\n").into()),
    }
}

/// What a calibration injects is really there: 200 µs at each exit, and no less.
fn added_work_is_measured(strategy: &'static Strategy) -> Result<(), Failed> {
    const ADDED: u64 = 200_000;
    let all = cells(strategy)?;
    let (_, cell) = all
        .into_iter()
        .find(|(workload, _)| workload.id == "mmio/user-read")
        .ok_or("mmio/user-read has no cell in the quick profile")?;
    let mut fastest = Vec::new();
    for delay_ns in [0, ADDED] {
        let job = Job::Measure {
            cell: cell.clone(),
            faults: FaultInjection {
                delay_ns,
                ..FaultInjection::default()
            },
            guest: None,
            tlb_model: TlbModel::Unasked,
        };
        match carry_out(&job) {
            Answer::Outcome(Outcome::Measured { samples, .. }) => {
                fastest.push(samples["latency"].iter().copied().min().unwrap_or(0));
            }
            other => return Err(format!("{job:?}: {other:?}").into()),
        }
    }
    let grown = fastest[1].saturating_sub(fastest[0]);
    assert!((ADDED * 9 / 10..ADDED * 3).contains(&grown), "{fastest:?}");
    Ok(())
}

/// Every cell of the quick profile.
fn cells(strategy: &'static Strategy) -> Result<Vec<(Workload, Cell)>, Failed> {
    let mut cells = Vec::new();
    for workload in workloads::all()? {
        for params in workload.cells(Profile::Quick, Testbed::Host) {
            let cell = Cell {
                testbed: Testbed::Host,
                strategy: strategy.name.to_string(),
                workload: workload.id.clone(),
                params,
                mode: Default::default(),
            };
            cells.push((workload.clone(), cell));
        }
    }
    Ok(cells)
}

/// A workload whose path was taken away on purpose is a failure, never a figure: its
/// verification can fail.
fn negative_controls_fail(strategy: &'static Strategy) -> Result<(), Failed> {
    let mut failed = 0;
    for (_, cell) in cells(strategy)? {
        let job = Job::Measure {
            cell,
            faults: FaultInjection {
                negative_control: true,
                ..FaultInjection::default()
            },
            guest: None,
            tlb_model: TlbModel::Unasked,
        };
        match carry_out(&job) {
            Answer::Outcome(Outcome::Failed { error, .. }) => {
                // A system call would fail whatever the verification looks at.
                if error.contains("KVM_") {
                    return Err(format!("{job:?} did not get to its verification: {error}").into());
                }
                failed += 1;
            }
            Answer::Outcome(Outcome::Missing { reason, .. })
                if reason.contains("no preparation") => {}
            other => return Err(format!("{job:?}: {other:?}").into()),
        }
    }
    assert!(failed >= 10, "only {failed} cells have a negative control");
    Ok(())
}
