// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The host populates guest memory.

use super::range::Range;
use crate::{
    BadParameter, CellContext, CellError, Experiment, Needs, Parameters, Size, counting::pages_in,
    model::mmio::SEED,
};
use abi::{layout, value};
use results::Outcome;
use strategies::AtWork;
use vm_memory::{Bytes, GuestAddress};
use vmm::{
    Machine,
    clock::Stopwatch,
    stats::{self, Stats},
};

/// Base pages of a huge one.
const HUGE: u64 = 512;

/// How a host populates guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// A copy through the mapping.
    Memcpy,
    /// `madvise(MADV_POPULATE_WRITE)`.
    Madvise,
    /// `KVM_PRE_FAULT_MEMORY`.
    Prefault,
    /// `pwrite` to the file.
    Write,
}

#[derive(Debug)]
pub(super) struct Population {
    size: Size,
    method: Method,
    range: Range,
}

impl Population {
    pub(super) fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let methods = [
            ("memcpy", Method::Memcpy),
            ("madvise", Method::Madvise),
            ("prefault", Method::Prefault),
            ("write", Method::Write),
        ];
        let size = params.size()?;
        Ok(Population {
            size,
            method: params.word("method", &methods)?,
            range: Range::new(size, params)?,
        })
    }

    /// Shows that the pages of `range` are there by the call that is named, and not only
    /// since they were looked at. `held` bytes were mapped meanwhile.
    fn check(
        &self,
        context: &CellContext<'_>,
        range: Range,
        grown: &Stats,
        held: u64,
    ) -> Result<(), CellError> {
        let (there, what) = match self.method {
            Method::Memcpy | Method::Madvise => (held / layout::PAGE, "in the process's mapping"),
            Method::Prefault => (pages_in(grown), "in KVM's page tables"),
            // The content that is read back shows it: the file had none.
            Method::Write => (range.pages, "in the file"),
        };
        let due = range.pages;
        if there < due {
            return Err(format!("{there} pages are {what} where {due} were populated").into());
        }
        context.at_work(AtWork {
            touched: due,
            freed: 0,
            grown,
        })
    }
}

impl Experiment for Population {
    fn needs(&self) -> Needs {
        Needs::of(self.size)
    }

    fn run(&self, context: &CellContext<'_>) -> Result<Outcome, CellError> {
        let (method, range) = (self.method, self.range);
        let mut machine = context.started(self.needs())?;
        // Before the measurement, so that a refusal is a finding and not an error.
        let mut batch = Batch::new(method, range.batch);
        batch
            .populate(&mut machine, range.address)
            .map_err(|e| refused(method, e))?;
        // That call may have brought a huge page; what is measured begins after it.
        let rest = Range {
            address: range.address + HUGE * layout::PAGE,
            pages: (range.pages - HUGE) / range.batch * range.batch,
            ..range
        };
        let before = (machine.stats()?, resident(&machine)?);
        let window = context.tlb_model().begin();
        let mut ticks = Vec::with_capacity(rest.batches().count());
        for (i, address) in rest.batches().enumerate() {
            batch.fill(i as u64 * range.batch);
            let mut watch = Stopwatch::start();
            batch.populate(&mut machine, address)?;
            ticks.push(watch.lap());
        }
        let modelled = window.end();
        let grown = stats::growth(&before.0, &machine.stats()?);
        let held = resident(&machine)?.saturating_sub(before.1);
        self.check(context, rest, &grown, held)?;
        rest.holds(&machine, |page| match method {
            Method::Memcpy | Method::Write => value(SEED, page),
            Method::Madvise | Method::Prefault => 0,
        })?;
        let outcome = rest.outcome(context, &mut machine, ticks, grown, modelled);
        outcome.map_err(|error| match (method, error) {
            (Method::Write, CellError::VerificationFailed(reason)) => CellError::missing(
                reason,
                "populate through the mapping: a write to the file takes base pages",
            ),
            (_, error) => error,
        })
    }
}

/// One batch of pages on its way into guest memory.
struct Batch {
    method: Method,
    content: Vec<u8>,
}

impl Batch {
    fn new(method: Method, pages: u64) -> Self {
        Batch {
            method,
            content: vec![0; (pages * layout::PAGE) as usize],
        }
    }

    /// Gives every page its content; the first is number `first`.
    fn fill(&mut self, first: u64) {
        let pages = self.content.chunks_exact_mut(layout::PAGE as usize);
        for (i, page) in (first..).zip(pages) {
            page[..8].copy_from_slice(&value(SEED, i).to_le_bytes());
        }
    }

    /// What is measured.
    fn populate(&self, machine: &mut Machine, address: u64) -> Result<(), vmm::Error> {
        let len = self.content.len() as u64;
        match self.method {
            Method::Memcpy => machine
                .memory()
                .write_slice(&self.content, GuestAddress(address))
                .map_err(|e| vmm::Error::Load(e.to_string())),
            Method::Madvise => machine
                .ram()
                .populate(address, len)
                .map_err(vmm::Error::Memory),
            Method::Write => machine
                .ram()
                .write_file(address, &self.content)
                .map_err(vmm::Error::Memory),
            Method::Prefault => machine.vcpus()[0].pre_fault(address, len),
        }
    }
}

/// A way of populating that this kernel does not offer for this memory.
fn refused(method: Method, error: vmm::Error) -> CellError {
    let remedy = match method {
        Method::Memcpy => return error.into(),
        Method::Madvise => "populate by touching the pages: MADV_POPULATE_WRITE pins them (GUP)",
        Method::Prefault => "a KVM with KVM_PRE_FAULT_MEMORY and two-dimensional paging",
        Method::Write => "a kernel whose file behind this memory can be written",
    };
    CellError::missing(
        format!("this memory cannot be populated that way ({error})"),
        remedy,
    )
    .with_errno(error.errno())
}

/// Bytes of guest memory that this process has mapped.
fn resident(machine: &Machine) -> Result<u64, CellError> {
    let address = machine.ram().host_address().addr();
    let backing = observe::memory::backing(address)
        .ok_or_else(|| "no line for guest memory in /proc/self/smaps".to_string())?;
    Ok(backing.resident.0)
}
