// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads and writes of a register of an interrupt controller in the kernel. Userspace must
//! see none of them.

use crate::{
    BadParameter, CellContext, CellError, GuestRequests, Model, Needs, Parameters, Size,
    evidence::{Evidence, Statistic},
    model::mmio::{SEED, accesses},
    request::{LeftOut, Requests},
};
use abi::{Digest, Op, layout, truncate, value};
use results::record::Counters;
use vmm::Machine;

pub(super) const MODELS: &[Model] = &[
    Model::new("ioapic-read", |p| {
        Ok(Box::new(Accesses::new(Register::IoapicWindow, p)?))
    }),
    Model::new("lapic-read", |p| {
        Ok(Box::new(Accesses::new(Register::LapicVersion, p)?))
    }),
    Model::new("lapic-write", |p| {
        Ok(Box::new(Accesses::new(Register::LapicError, p)?))
    }),
];

/// What is accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Register {
    /// The window of the IOAPIC's selected register (82093AA data sheet, 3.1.2), read.
    IoapicWindow,
    /// The local APIC's version register (Intel SDM vol. 3A, table 12-1), read.
    LapicVersion,
    /// The local APIC's error LVT entry (the same table), written: that has no effect but
    /// that it can be read back.
    LapicError,
}

impl Register {
    fn address(self) -> u64 {
        match self {
            Register::IoapicWindow => layout::IOAPIC + 0x10,
            Register::LapicVersion => layout::LAPIC + 0x30,
            Register::LapicError => layout::LAPIC + 0x370,
        }
    }
}

#[derive(Debug)]
struct Accesses {
    size: Size,
    register: Register,
    /// Accesses, one sample each.
    count: u64,
}

impl Accesses {
    fn new(register: Register, params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Accesses {
            size: params.size()?,
            register,
            count: params.count()?,
        })
    }
}

impl GuestRequests for Accesses {
    /// The register's content, where it is known beforehand.
    type Fixture = Option<u32>;

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64().with_irqchip(true)
    }

    fn requests(&self) -> Requests {
        let op = match self.register {
            Register::IoapicWindow | Register::LapicVersion => Op::MmioRead,
            Register::LapicError => Op::MmioWrite,
        };
        let args = accesses(self.count, self.register.address());
        Requests::new(op, args)
    }

    fn prepare(
        &self,
        machine: &mut Machine,
        _: &CellContext<'_>,
    ) -> Result<Self::Fixture, CellError> {
        Ok(match self.register {
            Register::IoapicWindow => Some(machine.select_ioapic_entry(SEED as u8)?),
            Register::LapicVersion => Some(machine.lapic_register(0, self.register.address())?),
            Register::LapicError => None,
        })
    }

    fn statistic(&self) -> Option<Statistic> {
        Some(Statistic::mmio(0))
    }

    fn verify(
        &self,
        evidence: &Evidence<'_>,
        content: &Self::Fixture,
    ) -> Result<Counters, CellError> {
        for vcpu in evidence.vcpus() {
            let args = vcpu.request.args;
            if self.register == Register::LapicError {
                let address = self.register.address();
                let found = evidence.machine.lapic_register(vcpu.index, address)?;
                last_written(found, truncate(value(args.seed, args.count - 1), 4))?;
            }
        }
        if let Some(content) = content {
            evidence.each_vcpu(|vcpu| {
                let mut digest = Digest::new();
                (0..vcpu.request.args.count).for_each(|_| digest.push((*content).into()));
                match vcpu.reply.digest == digest.get() {
                    true => Ok(()),
                    false => Err(format!(
                        "the guest read something else than {content:#x} from the register"
                    )),
                }
            })?;
        }
        Ok(Counters::new())
    }

    fn left_out(&self) -> Option<LeftOut> {
        Some(LeftOut::Preparation)
    }
}

/// The register of the local APIC holds the vector of what the guest wrote last. While the
/// APIC is off its entries stay masked.
fn last_written(found: u32, last: u64) -> Result<(), String> {
    const VECTOR: u64 = 0xff;
    match u64::from(found) & VECTOR == last & VECTOR {
        true => Ok(()),
        false => Err(format!(
            "the register holds {found:#x}, but {last:#x} was written last"
        )),
    }
}
