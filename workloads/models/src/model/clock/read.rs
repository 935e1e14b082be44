// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads of the time-stamp counter, of kvm-clock, and of a timer behind a port.

use super::pvclock::{self, none};
use crate::{
    BadParameter, CellContext, CellError, GuestRequests, Needs, Parameters, Size,
    evidence::Evidence,
    request::{LeftOut, Requests},
};
use abi::{Args, Op, layout};
use results::record::Counters;
use vmm::Machine;

const STEPPED: &str = "stepped backwards in";

/// How often a clock is read.
#[derive(Clone, Copy, Debug)]
struct Reads {
    /// Samples.
    count: u64,
    /// Reads in a sample.
    batch: u64,
}

impl Reads {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Reads {
            count: params.count()?,
            batch: params.number("batch", 1..=1 << 20)?,
        })
    }

    fn args(self) -> Args {
        Args {
            count: self.count,
            batch: self.batch,
            ..Args::default()
        }
    }
}

/// Reads of the time-stamp counter.
#[derive(Debug)]
pub(super) struct Tsc {
    size: Size,
    reads: Reads,
}

impl Tsc {
    pub(super) fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Tsc {
            size: params.size()?,
            reads: Reads::new(params)?,
        })
    }
}

impl GuestRequests for Tsc {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size)
    }

    fn requests(&self) -> Requests {
        Requests::new(Op::Tsc, self.reads.args())
    }

    fn operations_per_sample(&self) -> u64 {
        self.reads.batch
    }

    fn verify(&self, evidence: &Evidence<'_>, (): &()) -> Result<Counters, CellError> {
        let stepped = |backwards| none("the time-stamp counter", STEPPED, backwards);
        evidence.each_vcpu(|vcpu| stepped(vcpu.reply.out[0]))?;
        Ok(Counters::new())
    }
}

/// Reads of kvm-clock.
#[derive(Debug)]
pub(super) struct Pvclock {
    size: Size,
    reads: Reads,
    stride: u64,
}

impl Pvclock {
    pub(super) fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Pvclock {
            size: params.size()?,
            reads: Reads::new(params)?,
            stride: pvclock::stride(params)?,
        })
    }
}

impl GuestRequests for Pvclock {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64()
    }

    fn requests(&self) -> Requests {
        let args = Args {
            address: layout::pvclock(0),
            ..self.reads.args()
        };
        Requests::new(Op::Pvclock, args).apart(self.stride)
    }

    fn prepare(&self, machine: &mut Machine, _: &CellContext<'_>) -> Result<(), CellError> {
        Ok(pvclock::enable(machine, &self.requests())?)
    }

    fn operations_per_sample(&self) -> u64 {
        self.reads.batch
    }

    fn verify(&self, evidence: &Evidence<'_>, (): &()) -> Result<Counters, CellError> {
        evidence.each_vcpu(|vcpu| pvclock::check(&vcpu.reply, evidence.clock, STEPPED))?;
        Ok(Counters::new())
    }

    fn left_out(&self) -> Option<LeftOut> {
        Some(LeftOut::Preparation)
    }
}

/// Reads of the timer port.
#[derive(Debug)]
pub(super) struct Timer {
    size: Size,
    /// Reads, one sample each.
    count: u64,
}

impl Timer {
    pub(super) fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Timer {
            size: params.size()?,
            count: params.count()?,
        })
    }
}

impl GuestRequests for Timer {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64()
    }

    fn requests(&self) -> Requests {
        let args = Args {
            count: self.count,
            ..Args::default()
        };
        Requests::new(Op::Timer, args)
    }

    fn verify(&self, evidence: &Evidence<'_>, (): &()) -> Result<Counters, CellError> {
        evidence.each_vcpu(|vcpu| {
            // One reading comes before the first sample.
            let due = vcpu.request.args.count + 1;
            let answered = vcpu.device.exits();
            match vcpu.reply.out {
                _ if answered != due => {
                    Err(format!("the VMM answered {answered} timer reads of {due}"))
                }
                [first, last, 0, _] if last > first => Ok(()),
                [first, last, back, _] => Err(format!(
                    "the timer went from {first} to {last}, {back} times backwards"
                )),
            }
        })?;
        Ok(Counters::new())
    }
}
