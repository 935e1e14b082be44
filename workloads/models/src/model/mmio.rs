// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads and writes of an address without memory, one exit to the VMM each.

use crate::{
    BadParameter, GuestRequests, Model, Needs, Parameters, Size,
    evidence::{Crossing, Statistic},
    request::Requests,
};
use abi::{Args, Digest, Op, Request, layout};

pub(super) const MODELS: &[Model] = &[
    Model::new("mmio-read", |p| Ok(Box::new(Access::read(p)?))),
    Model::new("mmio-write", |p| Ok(Box::new(Access::write(p)?))),
    // By an instruction that begins on one page and ends on the next.
    Model::new("mmio-read-across", |p| Ok(Box::new(Access::across(p)?))),
];

/// The sequence of values of the MMIO and port models.
pub(super) const SEED: u64 = 0x5eed;

/// Accesses of one kind.
#[derive(Clone, Debug)]
pub(super) struct Access {
    size: Size,
    op: Op,
    /// Accesses, one sample each.
    count: u64,
    /// Bytes of one access.
    bytes: u64,
}

impl Access {
    /// Reads of 1, 2, 4 or 8 bytes.
    pub(super) fn read(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Access {
            op: Op::MmioRead,
            bytes: params.word("bytes", &[("4", 4), ("1", 1), ("2", 2), ("8", 8)])?,
            ..Access::across(params)?
        })
    }

    fn write(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Access {
            op: Op::MmioWrite,
            ..Access::read(params)?
        })
    }

    fn across(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Access {
            size: params.size()?,
            op: Op::MmioReadAcross,
            count: params.count()?,
            bytes: 4,
        })
    }
}

impl GuestRequests for Access {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size)
    }

    fn requests(&self) -> Requests {
        let args = Args {
            width: self.bytes,
            ..accesses(self.count, layout::MMIO)
        };
        Requests::new(self.op, args)
    }

    fn crossing(&self, request: &Request) -> Crossing {
        let args = request.args;
        let digest = Digest::of_values(args.seed, args.count, args.width, 1);
        match self.op {
            Op::MmioWrite => Crossing::writes(args.count, digest),
            _ => Crossing::reads(args.count, digest),
        }
    }

    fn statistic(&self) -> Option<Statistic> {
        Some(Statistic::mmio(1))
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
