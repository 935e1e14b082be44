// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Writes that KVM turns into the signal of an eventfd.

use crate::{
    BadParameter, CellContext, CellError, GuestRequests, Model, Needs, Parameters, Size,
    evidence::{Evidence, Statistic},
    model::mmio::{SEED, accesses},
    request::{LeftOut, Requests},
};
use abi::{Op, layout};
use results::record::Counters;
use vmm::{Ioeventfd, Machine};

pub(super) const MODELS: &[Model] = &[Model::new("ioeventfd", |p| Ok(Box::new(Writes::new(p)?)))];

#[derive(Debug)]
struct Writes {
    size: Size,
    /// Writes, one sample each.
    count: u64,
    matched: Match,
}

/// Which writes signal the eventfd.
#[derive(Clone, Copy, Debug)]
enum Match {
    /// Of any length and any data, which a CPU may serve without decoding ("fast MMIO
    /// bus").
    Address,
    /// Of 32 bits that equal what is written.
    Data,
}

impl Writes {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Writes {
            size: params.size()?,
            count: params.count()?,
            matched: params.word(
                "match",
                &[("address", Match::Address), ("data", Match::Data)],
            )?,
        })
    }
}

impl GuestRequests for Writes {
    type Fixture = Option<Ioeventfd>;

    fn needs(&self) -> Needs {
        Needs::of(self.size)
    }

    fn requests(&self) -> Requests {
        let args = accesses(self.count, layout::MMIO);
        let mut requests = Requests::new(Op::Notify, args);
        // What is written is what the eventfd waits for.
        requests.rehearsal.args.seed = SEED;
        requests
    }

    fn prepare(
        &self,
        machine: &mut Machine,
        _: &CellContext<'_>,
    ) -> Result<Self::Fixture, CellError> {
        let data = match self.matched {
            Match::Address => None,
            // KVM compares the data as the guest wrote it: 32 bits.
            Match::Data => Some(SEED as u32),
        };
        Ok(Some(machine.ioeventfd(layout::MMIO, data)?))
    }

    fn statistic(&self) -> Option<Statistic> {
        Some(Statistic::mmio(0))
    }

    fn verify(
        &self,
        evidence: &Evidence<'_>,
        fixture: &Self::Fixture,
    ) -> Result<Counters, CellError> {
        let signals = match fixture {
            Some(ioeventfd) => ioeventfd.signals()?,
            None => 0,
        };
        match evidence.count() {
            due if signals == due => Ok(Counters::new()),
            due => Err(format!("the eventfd was signalled {signals} times of {due}").into()),
        }
    }

    fn left_out(&self) -> Option<LeftOut> {
        Some(LeftOut::Preparation)
    }
}
