// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What was seen while a request ran on all vCPUs, and the checks that models share.

use crate::{
    CellError,
    counting::{self, pages_in},
};
use abi::{Reply, Request};
use results::counter::{Counter, kvm};
use vm_memory::{Bytes, GuestAddress};
use vmm::{Device, Machine, stats::Stats};

/// Everything that was seen while one request ran on all vCPUs.
pub(crate) struct Evidence<'a> {
    /// The machine, after the request.
    pub(crate) machine: &'a Machine,
    /// What each vCPU was asked.
    pub(crate) requests: &'a [Request],
    /// What each vCPU answered.
    pub(crate) replies: &'a [Reply],
    /// What answered each vCPU's accesses.
    pub(crate) devices: &'a [Device],
    /// What KVM's statistics grew by.
    pub(crate) grown: &'a Stats,
    /// KVM_GET_CLOCK before and after.
    pub(crate) clock: (u64, u64),
    /// Whether this was the rehearsal.
    pub(crate) rehearsal: bool,
}

/// The same of one vCPU.
pub(crate) struct VcpuEvidence<'a> {
    pub(crate) index: usize,
    pub(crate) request: Request,
    pub(crate) reply: Reply,
    pub(crate) device: &'a Device,
}

/// Values that the test device exchanges with the guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Crossing {
    /// How many values the device hands out.
    pub(crate) reads: u64,
    /// How many values it takes.
    pub(crate) writes: u64,
    /// The digest over them, which guest and device must agree on.
    pub(crate) digest: Option<u64>,
}

impl Crossing {
    /// Nothing reaches the device.
    pub(crate) const NOTHING: Crossing = Crossing {
        reads: 0,
        writes: 0,
        digest: None,
    };

    /// So many values for the guest.
    pub(crate) fn reads(reads: u64, digest: u64) -> Self {
        Crossing {
            reads,
            writes: 0,
            digest: Some(digest),
        }
    }

    /// So many values from the guest.
    pub(crate) fn writes(writes: u64, digest: u64) -> Self {
        Crossing {
            reads: 0,
            writes,
            digest: Some(digest),
        }
    }
}

/// KVM statistics that show which path was taken: the first of them that grew at all must
/// have grown by `times` for each operation exactly. There may be more than one, because
/// not every flavour of KVM keeps each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statistic {
    /// Which, the best first.
    pub(crate) counters: &'static [Counter],
    /// How often each operation counts. 0: not at all.
    pub(crate) times: u64,
}

/// MMIO accesses that userspace completes.
const MMIO_EXITS: &[Counter] = &[kvm::MMIO_EXITS];

/// Port accesses. VMX and SVM count them as `io_exits`; a KVM that emulates the
/// instruction, for want of hardware, counts `insn_emulation` alone.
const PORT_EXITS: &[Counter] = &[kvm::IO_EXITS, kvm::INSN_EMULATION];

impl Statistic {
    /// One exit to userspace for each MMIO access, of which an operation makes `times`.
    pub(crate) const fn mmio(times: u64) -> Self {
        Statistic {
            counters: MMIO_EXITS,
            times,
        }
    }

    /// One port access for each operation.
    pub(crate) const PORT: Statistic = Statistic {
        counters: PORT_EXITS,
        times: 1,
    };
}

impl Evidence<'_> {
    /// The evidence of each vCPU.
    pub(crate) fn vcpus(&self) -> impl Iterator<Item = VcpuEvidence<'_>> {
        let all = self.requests.iter().zip(self.replies).zip(self.devices);
        all.enumerate()
            .map(|(index, ((request, reply), device))| VcpuEvidence {
                index,
                request: *request,
                reply: *reply,
                device,
            })
    }

    /// Checks each vCPU; an error names it.
    pub(crate) fn each_vcpu(
        &self,
        check: impl Fn(&VcpuEvidence<'_>) -> Result<(), String>,
    ) -> Result<(), CellError> {
        for vcpu in self.vcpus() {
            check(&vcpu).map_err(|why| format!("vCPU {}: {why}", vcpu.index))?;
        }
        Ok(())
    }

    /// How often all vCPUs together were asked to do it.
    pub(crate) fn count(&self) -> u64 {
        self.requests.iter().map(|r| r.args.count).sum()
    }

    /// What a statistic grew by.
    pub(crate) fn grew(&self, counter: Counter) -> u64 {
        counting::of(self.grown, counter)
    }

    /// KVM counted what `statistic` says.
    pub(crate) fn counted(&self, statistic: Statistic) -> Result<(), String> {
        let grew = |counter: &&Counter| self.grown.contains_key(counter.name);
        let counters = statistic.counters;
        let Some(counter) = counters.iter().find(grew).or(counters.first()) else {
            return Ok(());
        };
        let (name, n) = (counter.name, self.grew(*counter));
        // Each vCPU also leaves once by a port, to say that it is done, which every
        // statistic counts but that of MMIO.
        let done = u64::from(*counter != kvm::MMIO_EXITS) * self.requests.len() as u64;
        match self.count() * statistic.times + done {
            expected if n == expected => Ok(()),
            expected => Err(format!(
                "KVM counted {n} {name} where {expected} were due: another path was taken"
            )),
        }
    }

    /// KVM's page tables took in at least as many pages as were touched.
    pub(crate) fn mapped(&self, touched: u64) -> Result<(), String> {
        let pages = pages_in(self.grown);
        match pages >= touched {
            true => Ok(()),
            false => Err(format!(
                "KVM mapped {pages} pages where {touched} were touched for the first time"
            )),
        }
    }
}

impl VcpuEvidence<'_> {
    /// Every value crossed once, unchanged and in order, and no other did.
    pub(crate) fn crossed(&self, due: Crossing) -> Result<(), String> {
        let (reads, writes) = (self.device.reads(), self.device.writes());
        if (reads, writes) != (due.reads, due.writes) {
            return Err(format!(
                "the device answered {reads} reads of {} and took {writes} writes of {}",
                due.reads, due.writes
            ));
        }
        let Some(digest) = due.digest else {
            return Ok(());
        };
        let taken = due.writes == 0 || self.device.written() == digest;
        match self.reply.digest == digest && taken {
            true => Ok(()),
            false => Err("a value was changed on its way between guest and device".into()),
        }
    }
}

/// The host finds each word at its guest-physical address.
pub(crate) fn content(
    machine: &Machine,
    words: impl Iterator<Item = (u64, u64)>,
) -> Result<(), String> {
    for (address, expected) in words {
        let found: u64 = machine
            .memory()
            .read_obj(GuestAddress(address))
            .map_err(|e| format!("reading guest memory at {address:#x}: {e}"))?;
        if found != expected {
            return Err(format!(
                "the host reads {found:#x} at {address:#x} where {expected:#x} must be"
            ));
        }
    }
    Ok(())
}
