// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Cells in which the host does the work: populating guest memory, and giving it
//! back.

use super::{
    Stop,
    measure::{Bench, OPERATIONS},
    proof, setup,
};
use abi::{Request, layout, value};
use observe::memory;
use results::{
    Outcome,
    record::{Counters, Samples},
};
use std::collections::BTreeMap;
use strategies::{AtWork, Missing};
use vm_memory::{Bytes, GuestAddress};
use vmm::{Device, Machine, clock::Stopwatch, stats};
use workloads::{Populate, Range};

/// The sequence that populated pages begin with.
const SEED: u64 = 0x5eed;

/// Base pages of a huge one.
const HUGE: u64 = 512;

/// No more samples than this: every so-manieth batch is recorded, all are in the
/// total.
const SAMPLES_MAX: usize = layout::SAMPLES_MAX as usize / 8;

/// Populates `range` batch by batch; a sample is the time of one.
pub(super) fn populate(bench: &Bench<'_>, by: Populate, range: Range) -> Result<Outcome, Stop> {
    let mut machine = bench.started()?;
    // Before the measurement, so that a refusal is a finding and not an error.
    let mut batch = Batch::new(by, range.batch);
    batch
        .call(&mut machine, range.address)
        .map_err(|e| refused(by, e))?;
    // That call may have brought a huge page; what is measured begins after it.
    let rest = Range {
        address: range.address + HUGE * layout::PAGE,
        pages: (range.pages - HUGE) / range.batch * range.batch,
        ..range
    };
    let before = (machine.stats()?, resident(&machine)?);
    let modelled = bench.model.begin();
    let mut ticks = Vec::with_capacity(rest.batches().count());
    for (i, address) in rest.batches().enumerate() {
        batch.prepare(i as u64 * range.batch);
        let mut watch = Stopwatch::start();
        batch.call(&mut machine, address)?;
        ticks.push(watch.lap());
    }
    let modelled = modelled.end();
    let grown = stats::growth(&before.0, &machine.stats()?);
    let held = resident(&machine)?.saturating_sub(before.1);
    check_populated(bench, by, rest, &grown, held)?;
    check_content(&machine, rest, |page| match by {
        Populate::Memcpy | Populate::Write => value(SEED, page),
        Populate::Madvise | Populate::Prefault => 0,
    })?;
    finish(bench, &mut machine, ticks, rest, grown, modelled).map_err(|stop| match (by, stop) {
        (Populate::Write, Stop::Unproved(reason)) => Stop::Missing(Missing::new(
            reason,
            "populate through the mapping: a write to the file takes base pages",
        )),
        (_, stop) => stop,
    })
}

/// Has the guest touch its memory and gives `range` back batch by batch.
pub(super) fn punch(bench: &Bench<'_>, touch: Request, range: Range) -> Result<Outcome, Stop> {
    let mut machine = bench.started()?;
    machine.call(touch, &mut Device::new(0))?;
    let before = machine.stats()?;
    let len = range.batch * layout::PAGE;
    let modelled = bench.model.begin();
    let mut ticks = Vec::with_capacity(range.batches().count());
    for (i, address) in range.batches().enumerate() {
        let mut watch = Stopwatch::start();
        let punched = machine.ram().punch_hole(address, len);
        ticks.push(watch.lap());
        punched.map_err(|e| match i {
            0 => setup::no_holes(&e),
            _ => Stop::Machine(vmm::Error::Memory(e)),
        })?;
    }
    let modelled = modelled.end();
    let grown = stats::growth(&before, &machine.stats()?);
    bench.at_work(AtWork {
        touched: 0,
        freed: range.pages,
        grown: &grown,
    })?;
    check_content(&machine, range, |_| 0)?;
    finish(bench, &mut machine, ticks, range, grown, modelled)
}

fn finish(
    bench: &Bench<'_>,
    machine: &mut Machine,
    ticks: Vec<u64>,
    range: Range,
    grown: stats::Stats,
    modelled: Counters,
) -> Result<Outcome, Stop> {
    let mut counters: Counters = bench.counters(machine, grown)?;
    counters.extend(modelled);
    counters.insert(OPERATIONS.into(), range.pages);
    let mut samples = Samples::new();
    samples.insert("total".into(), vec![ticks.iter().sum()]);
    let every = ticks.len().div_ceil(SAMPLES_MAX).max(1);
    let shown = ticks.into_iter().step_by(every).collect();
    samples.insert("latency".into(), shown);
    let batch = [("latency", range.batch), ("total", range.pages)];
    let batch: BTreeMap<_, _> = batch.map(|(name, n)| (name.to_string(), n)).into();
    Ok(bench.scale(machine)?.outcome(samples, batch, counters))
}

/// One batch of pages on its way into guest memory.
struct Batch {
    by: Populate,
    content: Vec<u8>,
}

impl Batch {
    fn new(by: Populate, pages: u64) -> Self {
        Batch {
            by,
            content: vec![0; (pages * layout::PAGE) as usize],
        }
    }

    /// Gives every page its content; the first is number `first`.
    fn prepare(&mut self, first: u64) {
        let pages = self.content.chunks_exact_mut(layout::PAGE as usize);
        for (i, page) in (first..).zip(pages) {
            page[..8].copy_from_slice(&value(SEED, i).to_le_bytes());
        }
    }

    /// What is measured.
    fn call(&self, machine: &mut Machine, address: u64) -> Result<(), vmm::Error> {
        let len = self.content.len() as u64;
        match self.by {
            Populate::Memcpy => machine
                .memory()
                .write_slice(&self.content, GuestAddress(address))
                .map_err(|e| vmm::Error::Load(e.to_string())),
            Populate::Madvise => machine
                .ram()
                .populate(address, len)
                .map_err(vmm::Error::Memory),
            Populate::Write => machine
                .ram()
                .write_file(address, &self.content)
                .map_err(vmm::Error::Memory),
            Populate::Prefault => machine.vcpus()[0].pre_fault(address, len),
        }
    }
}

/// A way of populating that this kernel does not offer for this memory.
fn refused(by: Populate, error: vmm::Error) -> Stop {
    let remedy = match by {
        Populate::Memcpy => return error.into(),
        Populate::Madvise => "populate by touching the pages: MADV_POPULATE_WRITE pins them (GUP)",
        Populate::Prefault => "a KVM with KVM_PRE_FAULT_MEMORY and two-dimensional paging",
        Populate::Write => "a kernel whose file behind this memory can be written",
    };
    let missing = Missing::new(
        format!("this memory cannot be populated that way ({error})"),
        remedy,
    );
    Stop::Missing(missing.with_errno(error.errno()))
}

/// Shows that the pages of `range` are there by the call that is named, and not
/// only since somebody looked.
fn check_populated(
    bench: &Bench<'_>,
    by: Populate,
    range: Range,
    grown: &stats::Stats,
    held: u64,
) -> Result<(), Stop> {
    let (there, what) = match by {
        Populate::Memcpy | Populate::Madvise => (held / layout::PAGE, "in the process's mapping"),
        Populate::Prefault => (setup::pages_in(grown), "in KVM's page tables"),
        // The content that is read back shows it: the file had none.
        Populate::Write => (range.pages, "in the file"),
    };
    if there < range.pages {
        return Err(Stop::Unproved(format!(
            "{there} pages are {what} where {} were populated",
            range.pages
        )));
    }
    bench.at_work(AtWork {
        touched: range.pages,
        freed: 0,
        grown,
    })
}

/// The host finds in every page of `range` the word that must be there.
fn check_content(
    machine: &Machine,
    range: Range,
    expected: impl Fn(u64) -> u64,
) -> Result<(), Stop> {
    let word = |page| (range.address + page * layout::PAGE, expected(page));
    proof::content(machine, (0..range.pages).map(word)).map_err(Stop::Unproved)
}

/// Bytes of guest memory that this process has mapped.
fn resident(machine: &Machine) -> Result<u64, Stop> {
    let address = machine.ram().host_address().addr();
    let backing = memory::backing(address);
    let backing = backing
        .ok_or_else(|| Stop::Unproved("no line for guest memory in /proc/self/smaps".into()))?;
    Ok(backing.resident.0)
}
