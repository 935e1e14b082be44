// SPDX-License-Identifier: Apache-2.0 OR MIT
//! 32-bit reads of a port that the VMM serves.

use crate::{
    BadParameter, GuestRequests, Model, Needs, Parameters, Size,
    evidence::{Crossing, Statistic},
    model::mmio::accesses,
    request::Requests,
};
use abi::{Digest, Op, Request};

pub(super) const MODELS: &[Model] = &[Model::new("port-read", |p| Ok(Box::new(Reads::new(p)?)))];

#[derive(Clone, Debug)]
struct Reads {
    size: Size,
    /// Reads, one sample each.
    count: u64,
}

impl Reads {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Reads {
            size: params.size()?,
            count: params.count()?,
        })
    }
}

impl GuestRequests for Reads {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64()
    }

    fn requests(&self) -> Requests {
        Requests::new(Op::PortRead, accesses(self.count, 0))
    }

    fn crossing(&self, request: &Request) -> Crossing {
        port_reads(request)
    }

    fn statistic(&self) -> Option<Statistic> {
        Some(Statistic::PORT)
    }
}

/// As many values from the data port as `request` asks for.
pub(super) fn port_reads(request: &Request) -> Crossing {
    let args = request.args;
    Crossing::reads(args.count, Digest::of_values(args.seed, args.count, 4, 1))
}
