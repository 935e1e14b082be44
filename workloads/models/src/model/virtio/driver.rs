// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a driver is asked, whatever its device, and what shows that it drove it.

use super::served::Count;
use crate::{
    BadParameter, CellError, Needs, Parameters, Size, evidence::Evidence, model::mmio::SEED,
    request::Requests,
};
use abi::{Args, Op, layout, step};
use results::{
    counter::{Counter, virtio},
    record::Counters,
};
use vmm::Machine;
use vmm_sys_util::eventfd::EventFd;

/// The vector of the device's interrupt; any above those of exceptions will do.
const VECTOR: u8 = 0x40;

/// How a driver learns that the device is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Completion {
    /// It looks.
    Polling,
    /// By an interrupt that an eventfd raises.
    Irqfd,
}

/// A driver of any device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Driver {
    size: Size,
    /// Rounds, one sample each.
    count: u64,
    /// Requests of a round.
    depth: u64,
    /// Bytes of a request.
    bytes: u64,
    completion: Completion,
    /// Whether rings and buffers lie in memory that guest and host share, and the guest
    /// copies, as Linux does by swiotlb.
    swiotlb: bool,
    /// How often the data of a request crosses between guest and device.
    crossings: u64,
}

impl Driver {
    /// `count` rounds of `depth` requests of `bytes` bytes.
    pub(super) fn new(
        params: &Parameters<'_>,
        bytes: u64,
        swiotlb: bool,
        crossings: u64,
    ) -> Result<Self, BadParameter> {
        let completions = [
            ("polling", Completion::Polling),
            ("irqfd", Completion::Irqfd),
        ];
        Ok(Driver {
            size: params.size()?,
            count: params.number("count", 1..=4096)?,
            depth: params.number("depth", 1..=32)?,
            bytes,
            completion: params.word("completion", &completions)?,
            swiotlb,
            crossings,
        })
    }

    pub(super) fn needs(&self) -> Needs {
        let interrupted = self.completion == Completion::Irqfd;
        Needs {
            shared_memory: self.swiotlb,
            ..Needs::of(self.size).with_irqchip(interrupted)
        }
    }

    /// What the guest is asked; `args` says what only one device knows.
    pub(super) fn requests(&self, op: Op, args: Args) -> Requests {
        let args = Args {
            count: self.count,
            batch: self.depth,
            stride: self.bytes,
            address: layout::VIRTIO,
            seed: SEED,
            place: match self.swiotlb {
                true => layout::WINDOW,
                false => layout::ARENA,
            },
            vector: match self.completion {
                Completion::Polling => 0,
                Completion::Irqfd => VECTOR.into(),
            },
            ..args
        };
        let mut requests = Requests::new(op, args);
        requests.rehearsal.args.count = self.count.min(2);
        requests
    }

    /// How many requests a sample covers.
    pub(super) fn depth(&self) -> u64 {
        self.depth
    }

    /// By what the device interrupts, if it does.
    pub(super) fn interrupt_line(&self, machine: &Machine) -> Result<Option<EventFd>, CellError> {
        Ok(match self.completion {
            Completion::Polling => None,
            Completion::Irqfd => Some(machine.interrupt(layout::VIRTIO_GSI, VECTOR)?),
        })
    }

    /// The device completed every request, and was told and told of them as it should; the
    /// driver found nothing wrong. Returns what a record keeps of it.
    pub(super) fn verify(
        &self,
        evidence: &Evidence<'_>,
        count: Count,
    ) -> Result<Counters, CellError> {
        // A device that was done while its interrupt did not come: KVM raised none, as a
        // software KVM does not for a guest that knows nothing of it.
        let missed = evidence
            .replies
            .iter()
            .any(|reply| reply.out[3] == step::NO_INTERRUPT);
        if missed {
            return Err(CellError::missing(
                "this KVM did not deliver the interrupt of an irqfd to a guest at CPL3",
                "a KVM with hardware virtualisation, or --on lab",
            ));
        }
        let requests = evidence.count() * self.depth;
        self.completed(requests, count)?;
        self.interrupted(evidence, count)?;
        evidence.each_vcpu(|vcpu| match vcpu.reply.out {
            [0, 0, _, 0] => Ok(()),
            [_, _, status, step] if step > 0 => Err(format!(
                "the driver gave up at step {step}; the device's status is {status:#x}"
            )),
            [bad, words, ..] => Err(format!(
                "{bad} requests ended with an error, {words} words were not those that were due"
            )),
        })?;
        Ok(self.counters(requests, count))
    }

    fn completed(&self, requests: u64, count: Count) -> Result<(), String> {
        if count.requests != requests {
            return Err(format!(
                "the virtio device completed {} requests where {requests} were due",
                count.requests
            ));
        }
        let bytes = requests * self.bytes;
        if !count.elsewhere && count.moved != bytes {
            return Err(format!(
                "the virtio device moved {} bytes where {bytes} were due",
                count.moved
            ));
        }
        match count.elsewhere || count.notified > 0 {
            true => Ok(()),
            false => Err("the virtio device was never notified".into()),
        }
    }

    fn interrupted(&self, evidence: &Evidence<'_>, count: Count) -> Result<(), String> {
        let taken: u64 = evidence.replies.iter().map(|reply| reply.digest).sum();
        let (raised, rounds) = (count.interrupts, evidence.count());
        match self.completion {
            Completion::Polling if taken == 0 && raised == 0 => Ok(()),
            Completion::Polling => Err(format!(
                "the guest polled, and had {taken} interrupts of {raised}"
            )),
            Completion::Irqfd if taken >= rounds && (count.elsewhere || raised >= taken) => Ok(()),
            Completion::Irqfd => Err(format!(
                "the guest had {taken} interrupts, of {raised} that were raised, in {rounds} rounds"
            )),
        }
    }

    fn counters(&self, requests: u64, count: Count) -> Counters {
        let mut counters = Counters::new();
        let mut put = |counter: Counter, n| counter.put(&mut counters, n);
        put(virtio::MOVED, requests * self.bytes);
        if self.swiotlb {
            put(virtio::GUEST_COPIED, requests * self.bytes * self.crossings);
        }
        if !count.elsewhere {
            put(virtio::COPIED, count.copied);
            put(virtio::NOTIFIED, count.notified);
            put(virtio::INTERRUPTS, count.interrupts);
        }
        counters
    }
}
