// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `count` times `depth` requests of `bytes` each to a block device.

use super::{
    disk::{self, Backend, Bounce},
    driver::Driver,
    served::{Count, Served, two_cpus},
};
use crate::{
    BadParameter, CellContext, CellError, GuestRequests, Needs, Parameters,
    evidence::Evidence,
    model::mmio::SEED,
    request::{LeftOut, Requests},
};
use abi::{Args, Op, Request, layout};
use results::record::Counters;
use vmm::{Device, Machine, virtio::Block};

/// Words of the disk.
const WORDS: u64 = layout::DISK / 8;

#[derive(Debug)]
pub(super) struct Requesting {
    driver: Driver,
    /// Whether requests write. Otherwise they read.
    writes: bool,
    backend: Backend,
    bounce: Bounce,
    notify: Notify,
}

/// How a driver's notification reaches the device.
#[derive(Clone, Copy, Debug)]
enum Notify {
    /// By an exit to userspace; the vCPU's thread does the work.
    Exit,
    /// By an eventfd, at which another thread does the work.
    Ioeventfd,
    /// The same, that thread and the vCPU's each on a CPU of its own.
    IoeventfdApart,
}

impl Requesting {
    pub(super) fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let notifies = [
            ("exit", Notify::Exit),
            ("ioeventfd", Notify::Ioeventfd),
            ("ioeventfd-apart", Notify::IoeventfdApart),
        ];
        let sizes = [
            ("4096", 4096),
            ("512", 512),
            ("65536", 1 << 16),
            ("1048576", 1 << 20),
        ];
        let backend = Backend::of(params)?;
        let bounce = Bounce::of(params)?;
        let notify = params.word("notify", &notifies)?;
        let writes = params.word("op", &[("read", false), ("write", true)])?;
        let bytes = params.word("bytes", &sizes)?;
        Ok(Requesting {
            driver: Driver::new(params, bytes, bounce == Bounce::Swiotlb, 1)?,
            writes,
            backend,
            bounce,
            notify,
        })
    }
}

impl GuestRequests for Requesting {
    type Fixture = Option<Served<Block>>;

    fn needs(&self) -> Needs {
        self.driver.needs()
    }

    fn requests(&self) -> Requests {
        let args = Args {
            width: self.writes.into(),
            ..Args::default()
        };
        let mut requests = self.driver.requests(Op::Block, args);
        if !self.writes {
            // Both read the same disk.
            requests.rehearsal.args.seed = SEED;
        }
        requests
    }

    fn prepare(
        &self,
        machine: &mut Machine,
        context: &CellContext<'_>,
    ) -> Result<Self::Fixture, CellError> {
        let line = self.driver.interrupt_line(machine)?;
        let content = match self.writes {
            false => disk::content(SEED, WORDS),
            true => vec![0; layout::DISK as usize],
        };
        let disk = disk::make(self.backend, self.bounce, content, machine, context.lab())?;
        let served = Served::new(Block::new(disk), line, machine)?;
        Ok(Some(match self.notify {
            Notify::Exit => served,
            Notify::Ioeventfd => served.by_thread(0, None, machine)?,
            Notify::IoeventfdApart => served.by_thread(0, Some(two_cpus()?), machine)?,
        }))
    }

    fn device(&self, request: &Request, served: &Self::Fixture) -> Device {
        let shared = served.as_ref().map(Served::shared);
        Device::new(request.args.seed).with_virtio(shared)
    }

    fn operations_per_sample(&self) -> u64 {
        self.driver.depth()
    }

    fn verify(
        &self,
        evidence: &Evidence<'_>,
        served: &Self::Fixture,
    ) -> Result<Counters, CellError> {
        let served = served.as_ref().ok_or_else(no_device)?;
        let counters = self.driver.verify(evidence, count(served)?)?;
        if self.writes {
            for vcpu in evidence.vcpus() {
                on_disk(served, vcpu.request.args)?;
            }
        }
        Ok(counters)
    }

    fn left_out(&self) -> Option<LeftOut> {
        Some(LeftOut::Preparation)
    }
}

pub(super) fn no_device() -> CellError {
    "there was no virtio device".to_string().into()
}

/// What the device counted since it was last asked.
///
/// # Errors
/// A refusal of the kernel to read or write guest memory is a finding; a driver that the
/// device could not follow is a failure.
fn count(served: &Served<Block>) -> Result<Count, CellError> {
    let transport = served.intact()?;
    let block = transport.device();
    if let Some(e) = block.failed() {
        return Err(disk::refused(e));
    }
    Ok(served.since_last(Count {
        requests: block.requests(),
        moved: block.moved(),
        copied: block.disk().copied(),
        notified: transport.notified(),
        interrupts: transport.interrupts(),
        elsewhere: false,
    }))
}

/// The host finds on the disk what a request wrote.
fn on_disk(served: &Served<Block>, args: Args) -> Result<(), CellError> {
    let len = (args.count * args.batch * args.stride).min(layout::DISK);
    let mut found = vec![0; len as usize];
    let transport = served.intact()?;
    let inspected = transport.device().disk().inspect(0, &mut found);
    inspected.map_err(|e| format!("reading the disk: {e}"))?;
    let expected = disk::content(args.seed, WORDS);
    match found[..] == expected[..found.len()] {
        true => Ok(()),
        false => Err("the disk does not hold what the guest wrote"
            .to_string()
            .into()),
    }
}
