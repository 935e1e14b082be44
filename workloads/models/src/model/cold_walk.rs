// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads of an address without memory through a page-table entry that was not there before,
//! so that KVM walks over the guest's page tables.

use crate::{
    BadParameter, CellError, GuestRequests, Model, Needs, Parameters, Size,
    evidence::{Crossing, Evidence, Statistic},
    model::mmio::accesses,
    request::Requests,
};
use abi::{Digest, Op, Request, layout, truncate, value};
use results::record::Counters;

pub(super) const MODELS: &[Model] = &[Model::new("mmio-read-cold", |p| {
    Ok(Box::new(ColdWalk::new(p)?))
})];

/// How many aliases the rehearsal takes. The measurement has those behind them.
const REHEARSED: u64 = 64;

#[derive(Debug)]
struct ColdWalk {
    size: Size,
    op: Op,
    /// Reads, one sample each.
    count: u64,
}

impl ColdWalk {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let ops = [("mov", Op::MmioReadCold), ("movs", Op::MmioCopyCold)];
        Ok(ColdWalk {
            size: params.size()?,
            op: params.word("insn", &ops)?,
            count: params.number("count", 1..=layout::ALIASES - REHEARSED)?,
        })
    }
}

impl GuestRequests for ColdWalk {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64()
    }

    fn requests(&self) -> Requests {
        let args = accesses(self.count, layout::ALIAS);
        let mut requests = Requests::new(self.op, args).apart(layout::ALIASES * layout::PAGE);
        requests.measured.args.address += REHEARSED * layout::PAGE;
        requests
    }

    fn crossing(&self, request: &Request) -> Crossing {
        let args = request.args;
        Crossing::reads(args.count, digest(args.seed, args.count))
    }

    fn statistic(&self) -> Option<Statistic> {
        Some(Statistic::mmio(1))
    }

    fn verify(&self, evidence: &Evidence<'_>, (): &()) -> Result<Counters, CellError> {
        evidence.each_vcpu(|vcpu| match vcpu.reply.out[0] {
            0 => Ok(()),
            n => Err(format!("{n} page-table entries were never walked over")),
        })?;
        Ok(Counters::new())
    }
}

/// What the device answers where each read comes by an entry of its own: its values with
/// the number of the page added.
fn digest(seed: u64, count: u64) -> u64 {
    let mut digest = Digest::new();
    for i in 0..count {
        let page = value(seed, i) % layout::MMIO_PAGES;
        digest.push(truncate(value(seed, i).wrapping_add(page), 4));
    }
    digest.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is asked of a vCPU at its aliases stays among its own.
    #[test]
    fn each_alias_is_used_once() {
        let most = ColdWalk {
            size: Size {
                cpus: 8,
                memory: 64 << 20,
            },
            op: Op::MmioReadCold,
            count: layout::ALIASES - REHEARSED,
        };
        let requests = most.requests();
        let end = |r: Request| r.args.address + r.args.count * layout::PAGE;
        assert_eq!(requests.rehearsal.args.address, layout::alias(0));
        assert_eq!(end(requests.rehearsal), requests.measured.args.address);
        assert_eq!(end(requests.measured), layout::alias(1));
        assert_eq!(requests.vcpu_stride, layout::alias(1) - layout::alias(0));
    }
}
