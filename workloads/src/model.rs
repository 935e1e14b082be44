// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Models: what a workload makes the guest do, and what proves that it did.

use crate::{
    Error,
    script::{Access, Call, Script},
};
use abi::{Args, Op, Request, layout};
use results::{
    cell::{ParamValue, Params},
    unit::Bytes,
};
use serde::Deserialize;

/// What a workload does. A definition names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// From nothing to a payload that takes requests, step by step.
    Boot,
    /// From a guest that touched all its memory back to nothing.
    Teardown,
    /// A loop of known length, to tell native from emulated execution.
    Spin,
    /// 32-bit reads of an address without memory.
    MmioRead,
    /// 32-bit writes to an address without memory.
    MmioWrite,
    /// 32-bit reads of a port that the VMM serves.
    PortRead,
    /// Reads of the time-stamp counter.
    Tsc,
    /// Reads of kvm-clock.
    Pvclock,
    /// Updates of kvm-clock, forced one by one.
    PvclockUpdate,
    /// The first write to each page.
    Touch,
}

/// Pages of the arena that the rehearsal of a touch takes: the first 2 MiB, so
/// that a strategy with huge pages has shown one before it is measured.
const REHEARSAL_PAGES: u64 = 512;

/// Incremented for each MMIO access that userspace completes.
const MMIO_EXITS: &[&str] = &["mmio_exits"];

/// VMX and SVM count a port access as `io_exits`; a KVM that emulates the
/// instruction, for want of hardware, as `insn_emulation` alone.
const PORT_EXITS: &[&str] = &["io_exits", "insn_emulation"];

impl Model {
    /// The steps of a workload that consists of steps, in order.
    pub fn phases(self) -> &'static [&'static str] {
        match self {
            Model::Boot => &[
                "create-vm",
                "create-memory",
                "memslot",
                "load",
                "create-vcpu",
                "first-instruction",
                "ready",
            ],
            Model::Teardown => &["destroy-vm", "release-memory"],
            _ => &[],
        }
    }

    /// What to do for one cell of `workload`.
    ///
    /// # Errors
    /// [`Error::Param`] for the first parameter that is missing or will not do.
    pub fn script(self, workload: &str, params: &Params) -> Result<Script, Error> {
        let params = Checked { workload, params };
        let memory = params.memory()?;
        let cpus = params.within("cpus", 1..=layout::MAX_VCPUS)?;
        Ok(Script::Call(match self {
            Model::Boot => return Ok(Script::Boot),
            Model::Teardown => {
                let touch = touch(memory, cpus, 0).measured;
                return Ok(Script::Teardown { touch });
            }
            Model::Spin => Call::new(Op::Spin, params.iterations()?, Access::Nothing),
            Model::MmioRead => {
                Call::new(Op::MmioRead, params.repeated()?, Access::Read).counted_by(MMIO_EXITS)
            }
            Model::MmioWrite => {
                Call::new(Op::MmioWrite, params.repeated()?, Access::Write).counted_by(MMIO_EXITS)
            }
            Model::PortRead => {
                Call::new(Op::PortRead, params.repeated()?, Access::Read).counted_by(PORT_EXITS)
            }
            Model::Tsc => Call::new(Op::Tsc, params.batched()?, Access::Tsc),
            Model::Pvclock => Call {
                per_vcpu_bytes: params.clock_stride()?,
                ..Call::new(Op::Pvclock, at_clock(params.batched()?), Access::Pvclock)
            },
            Model::PvclockUpdate => Call {
                per_vcpu_bytes: params.clock_stride()?,
                ..Call::new(
                    Op::PvclockUpdate,
                    at_clock(params.repeated()?),
                    Access::ClockUpdate,
                )
                .counted_by(PORT_EXITS)
            },
            Model::Touch => touch(memory, cpus, REHEARSAL_PAGES),
        }))
    }
}

/// The same at the clock of vCPU 0.
fn at_clock(args: Args) -> Args {
    Args {
        address: layout::pvclock(0),
        ..args
    }
}

/// First touches of the arena of each vCPU's share, the first `skip` pages of
/// it rehearsed.
fn touch(memory: u64, cpus: u64, skip: u64) -> Call {
    let share = (memory - layout::ARENA) / cpus / (2 << 20) * (2 << 20);
    let pages = share / layout::PAGE;
    let skip = skip.min(pages / 2);
    let args = |first: u64, count: u64| Args {
        count,
        // As many samples as fit a sixteenth of the buffer: at 1 GiB every
        // sixteenth page is timed by itself, and all are timed together.
        batch: count.div_ceil(layout::SAMPLES_MAX / 8),
        address: layout::ARENA + first * layout::PAGE,
        stride: layout::PAGE,
        seed: 0x5eed,
    };
    Call {
        rehearsal: Request {
            op: Op::Touch,
            args: args(0, skip),
        },
        total: Some("total"),
        per_vcpu_bytes: share,
        ..Call::new(Op::Touch, args(skip, pages - skip), Access::Pages)
    }
}

/// Parameters of a named workload.
struct Checked<'a> {
    workload: &'a str,
    params: &'a Params,
}

impl Checked<'_> {
    fn error(&self, name: &str, what: String) -> Error {
        Error::Param {
            workload: self.workload.to_string(),
            name: name.to_string(),
            what,
        }
    }

    fn within(&self, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<u64, Error> {
        let (low, high) = (range.start(), range.end());
        match self.params.get(name) {
            Some(ParamValue::Int(n)) if range.contains(n) => Ok(*n),
            Some(other) => Err(self.error(
                name,
                format!("{other} is not a number from {low} to {high}"),
            )),
            None => Err(self.error(
                name,
                format!("is missing; give a number from {low} to {high}"),
            )),
        }
    }

    /// `count` accesses of the MMIO window or the data port, a sample each.
    fn repeated(&self) -> Result<Args, Error> {
        Ok(Args {
            count: self.within("count", 1..=layout::SAMPLES_MAX)?,
            batch: 1,
            address: layout::MMIO,
            seed: 0x5eed,
            ..Args::default()
        })
    }

    /// `count` samples of `batch` operations.
    fn batched(&self) -> Result<Args, Error> {
        let batch = self.within("batch", 1..=1 << 20)?;
        Ok(Args {
            batch,
            ..self.repeated()?
        })
    }

    /// How far apart the vCPUs' clocks lie: `clock_page` is `apart` (a page
    /// each, the default) or `shared` (all in one, a cache line each).
    fn clock_stride(&self) -> Result<u64, Error> {
        match self.params.get("clock_page") {
            None => Ok(layout::PAGE),
            Some(ParamValue::Text(word)) if word == "apart" => Ok(layout::PAGE),
            Some(ParamValue::Text(word)) if word == "shared" => Ok(64),
            Some(other) => Err(self.error("clock_page", format!("{other} is not apart or shared"))),
        }
    }

    /// `count` iterations, one sample.
    fn iterations(&self) -> Result<Args, Error> {
        let count = self.within("count", 1000..=1 << 40)?;
        Ok(Args {
            count,
            ..Args::default()
        })
    }

    /// `mem_mib` in bytes.
    fn memory(&self) -> Result<u64, Error> {
        let mib = self.within(
            "mem_mib",
            layout::MEMORY_MIN >> 20..=layout::MEMORY_MAX >> 20,
        )?;
        match mib % 2 {
            0 => Ok(Bytes::mib(mib).0),
            _ => Err(self.error(
                "mem_mib",
                format!("{mib} is odd; memory comes in steps of 2 MiB"),
            )),
        }
    }
}
