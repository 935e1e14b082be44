// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads of an address without memory, each of which the guest decodes itself and asks for
//! by registers: one port exit, and KVM reads no guest memory.

use crate::{
    BadParameter, CellContext, CellError, GuestRequests, Model, Needs, Parameters, Size,
    evidence::{Crossing, Statistic},
    model::{mmio::accesses, pio::port_reads},
    request::Requests,
};
use abi::{Op, Request, layout};
use vmm::Machine;

pub(super) const MODELS: &[Model] = &[Model::new("mmio-ask", |p| Ok(Box::new(Asks::new(p)?)))];

#[derive(Clone, Debug)]
struct Asks {
    size: Size,
    /// Reads, one sample each.
    count: u64,
    /// Whether every exit brings the guest's registers.
    shared_registers: bool,
}

impl Asks {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Asks {
            size: params.size()?,
            count: params.count()?,
            shared_registers: true,
        })
    }
}

impl GuestRequests for Asks {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64()
    }

    fn requests(&self) -> Requests {
        Requests::new(Op::MmioAsk, accesses(self.count, layout::MMIO))
    }

    fn prepare(&self, machine: &mut Machine, _: &CellContext<'_>) -> Result<(), CellError> {
        if self.shared_registers {
            for vcpu in machine.vcpus() {
                vcpu.share_registers();
            }
        }
        Ok(())
    }

    fn crossing(&self, request: &Request) -> Crossing {
        port_reads(request)
    }

    fn statistic(&self) -> Option<Statistic> {
        Some(Statistic::PORT)
    }

    fn negative_control(&self) -> Option<Self> {
        Some(Asks {
            shared_registers: false,
            ..self.clone()
        })
    }
}
