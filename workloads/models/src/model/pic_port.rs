// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads of a port that KVM answers itself: that of the first PIC's mask register. The guest
//! writes another mask before each, so that it knows what to find.

use crate::{
    BadParameter, CellError, GuestRequests, Model, Needs, Parameters, Size,
    evidence::{Evidence, Statistic},
    model::mmio::SEED,
    request::{LeftOut, Requests},
};
use abi::{Args, Digest, Op};
use results::record::Counters;

pub(super) const MODELS: &[Model] = &[Model::new("pic-port", |p| Ok(Box::new(Reads::new(p)?)))];

#[derive(Debug)]
struct Reads {
    size: Size,
    /// Reads, one sample each.
    count: u64,
}

impl Reads {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        // There is one PIC for all vCPUs, and each would find the masks of the others.
        params.number("cpus", 1..=1)?;
        Ok(Reads {
            size: params.size()?,
            count: params.count()?,
        })
    }
}

impl GuestRequests for Reads {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64().with_irqchip(true)
    }

    fn requests(&self) -> Requests {
        let args = Args {
            count: self.count,
            seed: SEED,
            ..Args::default()
        };
        Requests::new(Op::PicMask, args)
    }

    fn statistic(&self) -> Option<Statistic> {
        // A write and a read.
        Some(Statistic {
            times: 2,
            ..Statistic::PORT
        })
    }

    fn verify(&self, evidence: &Evidence<'_>, (): &()) -> Result<Counters, CellError> {
        evidence.each_vcpu(|vcpu| {
            let args = vcpu.request.args;
            let due = Digest::of_values(args.seed, args.count, 1, 1);
            match (vcpu.device.exits(), vcpu.reply.digest == due) {
                (0, true) => Ok(()),
                (0, false) => Err("the PIC did not hold a mask that was written".into()),
                (exits, _) => Err(format!("the VMM answered {exits} exits, and none were due")),
            }
        })?;
        Ok(Counters::new())
    }

    fn left_out(&self) -> Option<LeftOut> {
        Some(LeftOut::Preparation)
    }
}
