// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads of the data port, each of which has KVM rewrite a structure with a version in
//! guest memory: kvm-clock, the wall clock, steal time.

use super::pvclock;
use crate::{
    BadParameter, CellContext, CellError, GuestRequests, Needs, Parameters, Size,
    evidence::{Crossing, Evidence, Statistic},
    model::{mmio::accesses, pio::port_reads},
    request::{LeftOut, Requests, Stage},
};
use abi::{Op, Request, layout};
use results::record::Counters;
use vmm::{AtPortRead, Device, Machine};

/// Reads of the data port whose structures lie `offset` bytes into the clock page of
/// vCPU 0, those of the others `stride` bytes apart.
fn requests(op: Op, count: u64, offset: u64, stride: u64) -> Requests {
    let args = accesses(count, layout::pvclock(0) + offset);
    Requests::new(op, args).apart(stride)
}

/// Updates of kvm-clock, forced one by one.
#[derive(Debug)]
pub(super) struct PvclockUpdate {
    size: Size,
    /// Updates, one sample each.
    count: u64,
    stride: u64,
    /// What forces them.
    method: AtPortRead,
}

impl PvclockUpdate {
    pub(super) fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let methods = [
            ("kvmclock-ctrl", AtPortRead::KvmclockCtrl),
            ("set-clock", AtPortRead::SetClock),
        ];
        Ok(PvclockUpdate {
            size: params.size()?,
            count: params.count()?,
            stride: pvclock::stride(params)?,
            method: params.word("method", &methods)?,
        })
    }
}

impl GuestRequests for PvclockUpdate {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64()
    }

    fn requests(&self) -> Requests {
        requests(Op::PvclockUpdate, self.count, 0, self.stride)
    }

    /// In the negative control the clock is there, and its updates must be missed.
    fn prepare(&self, machine: &mut Machine, _: &CellContext<'_>) -> Result<(), CellError> {
        Ok(pvclock::enable(machine, &self.requests())?)
    }

    fn device(&self, request: &Request, (): &()) -> Device {
        Device::new(request.args.seed).at_port_read(self.method)
    }

    fn crossing(&self, request: &Request) -> Crossing {
        port_reads(request)
    }

    fn statistic(&self) -> Option<Statistic> {
        Some(Statistic::PORT)
    }

    fn verify(&self, evidence: &Evidence<'_>, (): &()) -> Result<Counters, CellError> {
        let wrong = "kept its version, or stepped back, in";
        evidence.each_vcpu(|vcpu| pvclock::check(&vcpu.reply, evidence.clock, wrong))?;
        Ok(Counters::new())
    }

    fn left_out(&self) -> Option<LeftOut> {
        Some(LeftOut::Device)
    }
}

/// What is rewritten.
#[derive(Clone, Copy, Debug)]
enum Structure {
    /// The wall clock, at each write of its MSR.
    WallClock,
    /// Steal time, at each exit.
    StealTime,
}

/// Updates of a structure whose version is all that the guest reads.
#[derive(Debug)]
pub(super) struct Rewrite {
    size: Size,
    /// Updates, one sample each.
    count: u64,
    structure: Structure,
}

impl Rewrite {
    pub(super) fn wall_clock(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Rewrite {
            size: params.size()?,
            count: params.count()?,
            structure: Structure::WallClock,
        })
    }

    pub(super) fn steal_time(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Rewrite {
            structure: Structure::StealTime,
            ..Rewrite::wall_clock(params)?
        })
    }
}

impl GuestRequests for Rewrite {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64()
    }

    fn requests(&self) -> Requests {
        let offset = match self.structure {
            Structure::WallClock => 0,
            // struct kvm_steal_time: the version is the second 64-bit word.
            Structure::StealTime => 8,
        };
        requests(Op::Rewrite, self.count, offset, layout::PAGE)
    }

    fn prepare(&self, machine: &mut Machine, _: &CellContext<'_>) -> Result<(), CellError> {
        if let Structure::StealTime = self.structure {
            for vcpu in machine.vcpus() {
                let own = self.requests().of_vcpu(Stage::Measurement, vcpu.index());
                vcpu.enable_steal_time(own.args.address / 64 * 64)?;
            }
        }
        Ok(())
    }

    fn device(&self, request: &Request, (): &()) -> Device {
        let device = Device::new(request.args.seed);
        match self.structure {
            Structure::WallClock => {
                device.at_port_read(AtPortRead::WallClock(request.args.address))
            }
            Structure::StealTime => device,
        }
    }

    fn crossing(&self, request: &Request) -> Crossing {
        port_reads(request)
    }

    fn statistic(&self) -> Option<Statistic> {
        Some(Statistic::PORT)
    }

    fn verify(&self, evidence: &Evidence<'_>, (): &()) -> Result<Counters, CellError> {
        evidence.each_vcpu(|vcpu| match vcpu.reply.out {
            [0, version, ..] if version > 0 => Ok(()),
            [missed, ..] => Err(format!(
                "KVM did not rewrite the structure before {missed} of {} reads",
                vcpu.request.args.count
            )),
        })?;
        Ok(Counters::new())
    }

    fn left_out(&self) -> Option<LeftOut> {
        Some(match self.structure {
            Structure::WallClock => LeftOut::Device,
            Structure::StealTime => LeftOut::Preparation,
        })
    }
}
