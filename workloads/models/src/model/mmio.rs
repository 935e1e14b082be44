// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Values that the guest exchanges with the VMM's test device at an address without memory,
//! by single accesses or by string instructions, or as a guest asks that decodes itself.

use crate::{
    BadParameter, CellContext, CellError, GuestRequests, Model, Needs, Parameters, Size,
    evidence::{Crossing, Statistic},
    request::{LeftOut, Requests},
};
use abi::{Args, Digest, Op, Request, layout};
use vmm::Machine;

pub(super) const MODELS: &[Model] = &[
    Model::new("mmio-read", |p| Ok(Box::new(Access::read(p)?))),
    Model::new("mmio-write", |p| {
        Ok(Box::new(Access::wide(p, Op::MmioWrite)?))
    }),
    // By an instruction that begins on one page and ends on the next.
    Model::new("mmio-read-across", |p| {
        Ok(Box::new(Access::new(p, Op::MmioReadAcross)?))
    }),
    // Decoded by the guest and asked for by registers: KVM reads no guest memory.
    Model::new("mmio-ask", |p| Ok(Box::new(Access::new(p, Op::MmioAsk)?))),
    Model::new("mmio-fill", |p| {
        Ok(Box::new(Access::string(p, Op::MmioFill)?))
    }),
    Model::new("mmio-copy-in", |p| {
        Ok(Box::new(Access::string(p, Op::MmioCopyIn)?))
    }),
    Model::new("mmio-copy-out", |p| {
        Ok(Box::new(Access::string(p, Op::MmioCopyOut)?))
    }),
];

/// The sequence of values.
pub(super) const SEED: u64 = 0x5eed;

/// `count` instructions, one sample each, of `batch` values of `bytes` bytes.
#[derive(Debug)]
pub(super) struct Access {
    size: Size,
    op: Op,
    count: u64,
    batch: u64,
    bytes: u64,
}

impl Access {
    /// Single accesses of 32 bits.
    pub(super) fn new(params: &Parameters<'_>, op: Op) -> Result<Self, BadParameter> {
        Ok(Access {
            size: params.size()?,
            op,
            count: params.count()?,
            batch: 1,
            bytes: 4,
        })
    }

    /// Single accesses of 1, 2, 4 or 8 bytes.
    fn wide(params: &Parameters<'_>, op: Op) -> Result<Self, BadParameter> {
        Ok(Access {
            bytes: params.word("bytes", &[("4", 4), ("1", 1), ("2", 2), ("8", 8)])?,
            ..Access::new(params, op)?
        })
    }

    /// Reads of 1, 2, 4 or 8 bytes.
    pub(super) fn read(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Access::wide(params, Op::MmioRead)
    }

    /// String instructions: one instruction, many values.
    pub(super) fn string(params: &Parameters<'_>, op: Op) -> Result<Self, BadParameter> {
        Ok(Access {
            batch: params.number("batch", 1..=layout::PAGE / 4)?,
            ..Access::new(params, op)?
        })
    }
}

impl GuestRequests for Access {
    type Fixture = ();

    fn needs(&self) -> Needs {
        match self.op {
            Op::MmioRead | Op::MmioWrite | Op::MmioReadAcross => Needs::of(self.size),
            _ => Needs::of(self.size).on_x86_64(),
        }
    }

    fn requests(&self) -> Requests {
        let args = Args {
            batch: self.batch,
            width: self.bytes,
            ..accesses(self.count, layout::MMIO)
        };
        Requests::new(self.op, args)
    }

    /// Who asks by registers needs an exit that brings them.
    fn prepare(&self, machine: &mut Machine, _: &CellContext<'_>) -> Result<(), CellError> {
        if self.op == Op::MmioAsk {
            for vcpu in machine.vcpus() {
                vcpu.share_registers();
            }
        }
        Ok(())
    }

    fn crossing(&self, request: &Request) -> Crossing {
        let Args {
            seed,
            count,
            batch,
            width,
            ..
        } = request.args;
        let values = count * batch;
        let digest = match self.op {
            // One value for all of an instruction.
            Op::MmioFill => Digest::of_values(seed, count, width, batch),
            _ => Digest::of_values(seed, values, width, 1),
        };
        match self.op {
            Op::MmioWrite | Op::MmioFill | Op::MmioCopyOut | Op::PortOut => {
                Crossing::writes(values, digest)
            }
            _ => Crossing::reads(values, digest),
        }
    }

    fn statistic(&self) -> Option<Statistic> {
        match self.op {
            // How many exits bring how many values is KVM's choice.
            Op::PortIn | Op::PortOut => None,
            Op::PortRead | Op::MmioAsk => Some(Statistic::PORT),
            _ => Some(Statistic::mmio(self.batch)),
        }
    }

    fn left_out(&self) -> Option<LeftOut> {
        (self.op == Op::MmioAsk).then_some(LeftOut::Preparation)
    }
}

/// `count` accesses of 32 bits at `address`, one sample each.
pub(super) fn accesses(count: u64, address: u64) -> Args {
    Args {
        count,
        batch: 1,
        address,
        seed: SEED,
        width: 4,
        ..Args::default()
    }
}
