// SPDX-License-Identifier: Apache-2.0 OR MIT
//! String instructions to and from an address without memory, or a port: one instruction,
//! many 32-bit values.

use crate::{
    BadParameter, GuestRequests, Model, Needs, Parameters, Size,
    evidence::{Crossing, Statistic},
    model::mmio::SEED,
    request::Requests,
};
use abi::{Args, Digest, Op, Request, layout};

pub(super) const MODELS: &[Model] = &[
    Model::new("mmio-fill", |p| {
        Ok(Box::new(Strings::new(Op::MmioFill, p)?))
    }),
    Model::new("mmio-copy-in", |p| {
        Ok(Box::new(Strings::new(Op::MmioCopyIn, p)?))
    }),
    Model::new("mmio-copy-out", |p| {
        Ok(Box::new(Strings::new(Op::MmioCopyOut, p)?))
    }),
    Model::new("port-in", |p| Ok(Box::new(Strings::new(Op::PortIn, p)?))),
    Model::new("port-out", |p| Ok(Box::new(Strings::new(Op::PortOut, p)?))),
];

#[derive(Clone, Debug)]
struct Strings {
    size: Size,
    op: Op,
    /// Instructions, one sample each.
    count: u64,
    /// Values of one instruction.
    batch: u64,
}

impl Strings {
    fn new(op: Op, params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Strings {
            size: params.size()?,
            op,
            count: params.count()?,
            batch: params.number("batch", 1..=layout::PAGE / 4)?,
        })
    }
}

impl GuestRequests for Strings {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64()
    }

    fn requests(&self) -> Requests {
        let args = Args {
            count: self.count,
            batch: self.batch,
            address: layout::MMIO,
            seed: SEED,
            width: 4,
            ..Args::default()
        };
        Requests::new(self.op, args)
    }

    fn crossing(&self, request: &Request) -> Crossing {
        let Args {
            seed, count, batch, ..
        } = request.args;
        let values = count * batch;
        let digest = match self.op {
            // One value for all of an instruction.
            Op::MmioFill => Digest::of_values(seed, count, 4, batch),
            _ => Digest::of_values(seed, values, 4, 1),
        };
        match self.op {
            Op::MmioCopyIn | Op::PortIn => Crossing::reads(values, digest),
            _ => Crossing::writes(values, digest),
        }
    }

    fn statistic(&self) -> Option<Statistic> {
        match self.op {
            // How many exits bring how many values is KVM's choice.
            Op::PortIn | Op::PortOut => None,
            _ => Some(Statistic::mmio(self.batch)),
        }
    }
}
