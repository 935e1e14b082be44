// SPDX-License-Identifier: Apache-2.0 OR MIT
//! 32-bit values that the guest exchanges with a port that the VMM serves, one by one or by
//! string instructions.

use crate::{Model, evidence::Crossing, model::mmio::Access};
use abi::{Digest, Op, Request};

pub(super) const MODELS: &[Model] = &[
    Model::new("port-read", |p| Ok(Box::new(Access::new(p, Op::PortRead)?))),
    Model::new("port-in", |p| Ok(Box::new(Access::string(p, Op::PortIn)?))),
    Model::new("port-out", |p| {
        Ok(Box::new(Access::string(p, Op::PortOut)?))
    }),
];

/// As many values from the data port as `request` asks for.
pub(super) fn port_reads(request: &Request) -> Crossing {
    let args = request.args;
    Crossing::reads(args.count, Digest::of_values(args.seed, args.count, 4, 1))
}
