// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Models: what a workload makes the guest do, and what proves that it did.

use crate::{
    Error, bystander, linux,
    params::Checked,
    script::{Access, Call, Faults, Forced, Populate, Range, Script, Setup},
    virtio,
};
use abi::{Args, Op, Request, layout};
use results::{cell::Params, counter::kvm};
use serde::Deserialize;

/// What a workload does. A definition names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// From nothing to a payload that takes requests, step by step.
    Boot,
    /// From nothing to the first process of a Linux guest, and back, step by step.
    Linux,
    /// From a guest that touched all its memory back to nothing.
    Teardown,
    /// A loop of known length, to tell native from emulated execution.
    Spin,
    /// Reads of an address without memory.
    MmioRead,
    /// Writes to an address without memory.
    MmioWrite,
    /// The same read by an instruction that lies on two pages.
    MmioReadAcross,
    /// The same read through a page-table entry that was not there before.
    MmioReadCold,
    /// The same read, decoded by the guest and asked for by registers.
    MmioAsk,
    /// Writes that KVM turns into the signal of an eventfd.
    Ioeventfd,
    /// Reads of a register of the IOAPIC in the kernel.
    IoapicRead,
    /// Reads of a register of the local APIC in the kernel.
    LapicRead,
    /// Writes to a register of the local APIC in the kernel.
    LapicWrite,
    /// `rep stos` to an address without memory.
    MmioFill,
    /// `rep movs` from an address without memory.
    MmioCopyIn,
    /// `rep movs` to an address without memory.
    MmioCopyOut,
    /// 32-bit reads of a port that the VMM serves.
    PortRead,
    /// `rep ins` from that port.
    PortIn,
    /// `rep outs` to that port.
    PortOut,
    /// Reads of the time-stamp counter.
    Tsc,
    /// Reads of kvm-clock.
    Pvclock,
    /// Updates of kvm-clock, forced one by one.
    PvclockUpdate,
    /// Updates of the wall clock, forced one by one.
    WallClock,
    /// Updates of steal time, one at every exit.
    StealTime,
    /// Reads of a timer behind a port.
    Timer,
    /// Requests to a virtio-blk device.
    Block,
    /// Frames to a virtio-net device and back.
    Net,
    /// A pointer chase over memory that was touched before.
    Chase,
    /// The first write to each page.
    Touch,
    /// The first write to each page after the page was given back.
    Retouch,
    /// The first write to each page, served by a thread of the VMM.
    Userfault,
    /// Population by the host.
    Populate,
    /// Giving pages back by holes.
    Punch,
    /// Work of the host's kernel before and after a VM.
    HostVictim,
    /// A process on another CPU, alone and beside a VM.
    Neighbour,
}

/// Pages of the arena that the rehearsal of a touch takes: the first 2 MiB, so
/// that a strategy with huge pages has shown one before it is measured.
const REHEARSAL_PAGES: u64 = 512;

/// Incremented for each MMIO access that userspace completes.
const MMIO_EXITS: &[&str] = &[kvm::MMIO_EXITS.name];

/// VMX and SVM count a port access as `io_exits`; a KVM that emulates the
/// instruction, for want of hardware, as `insn_emulation` alone.
const PORT_EXITS: &[&str] = &[kvm::IO_EXITS.name, kvm::INSN_EMULATION.name];

/// The window of the IOAPIC's selected register (82093AA data sheet, 3.1.2).
const IOAPIC_WINDOW: u64 = layout::IOAPIC + 0x10;

/// The local APIC's error LVT entry (Intel SDM vol. 3A, table 12-1): to write it
/// has no effect but that it can be read back.
const LAPIC_LVT_ERROR: u64 = layout::LAPIC + 0x370;

/// The local APIC's version register (the same table).
const LAPIC_VERSION: u64 = layout::LAPIC + 0x30;

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
            Model::Linux => linux::PHASES,
            Model::Teardown => &["destroy-vm", "release-memory"],
            _ => &[],
        }
    }

    /// What to do for one cell of `workload`.
    ///
    /// # Errors
    /// [`Error::Param`] for the first parameter that is missing or will not do.
    pub fn script(self, workload: &str, params: &Params) -> Result<Script, Error> {
        let params = Checked::new(workload, params);
        let memory = params.memory()?;
        let cpus = params.within("cpus", 1..=layout::MAX_VCPUS)?;
        Ok(Script::Call(match self {
            Model::Boot => return Ok(Script::Boot),
            Model::Linux => return Ok(Script::Linux(linux::script(memory, cpus, &params)?)),
            Model::Teardown => {
                let touch = touch(memory, cpus, 0, 0).measured;
                return Ok(Script::Teardown { touch });
            }
            Model::Populate => {
                let range = range(memory, &params)?;
                let by = params.word("by", &POPULATES)?;
                return Ok(Script::Populate { by, range });
            }
            Model::Punch => {
                let range = range(memory, &params)?;
                let touch = touch(memory, 1, 0, 0).measured;
                return Ok(Script::Punch { touch, range });
            }
            Model::HostVictim => {
                let touch = touch(memory, 1, 0, ORDER_RANDOM);
                return Ok(Script::Victim(bystander::victim(touch, &params)?));
            }
            Model::Neighbour => {
                let call =
                    match params.word("beside", &[("populate", true), ("mmio-read", false)])? {
                        true => touch(memory, cpus, REHEARSAL_PAGES, ORDER_RANDOM),
                        false => Model::MmioRead.exchange(&params)?,
                    };
                return Ok(Script::Neighbour(bystander::neighbour(call)));
            }
            Model::Touch => touch(memory, cpus, REHEARSAL_PAGES, shuffle(&params)?),
            Model::Retouch => touch(memory, cpus, REHEARSAL_PAGES, shuffle(&params)?)
                .after(Setup::Holed)
                .showing(Access::PagesAgain),
            Model::Userfault => {
                let faults = [("missing", Faults::Missing), ("minor", Faults::Minor)];
                let faults = params.word("faults", &faults)?;
                touch(memory, cpus, REHEARSAL_PAGES, 0)
                    .after(Setup::Userfault(faults))
                    .showing(Access::PagesServed)
            }
            _ => self.exchange(&params)?,
        }))
    }

    /// The models whose guest accesses a device or a clock.
    fn exchange(self, params: &Checked<'_>) -> Result<Call, Error> {
        let read = |op, args| Call::new(op, args, Access::Read);
        let write = |op, args| Call::new(op, args, Access::Write);
        Ok(match self {
            Model::Spin => Call::new(Op::Spin, params.iterations()?, Access::Nothing),
            Model::MmioRead => read(Op::MmioRead, params.repeated()?).counted_by(MMIO_EXITS, 1),
            Model::MmioWrite => write(Op::MmioWrite, params.repeated()?).counted_by(MMIO_EXITS, 1),
            Model::MmioReadAcross => {
                read(Op::MmioReadAcross, params.repeated()?).counted_by(MMIO_EXITS, 1)
            }
            Model::MmioReadCold => {
                let ops = [("mov", Op::MmioReadCold), ("movs", Op::MmioCopyCold)];
                cold(params.word("insn", &ops)?, params.aliases()?)
            }
            Model::MmioAsk => read(Op::MmioAsk, params.repeated()?)
                .counted_by(PORT_EXITS, 1)
                .after(Setup::SharedRegisters),
            Model::Ioeventfd => {
                let bytes = params.word("match", &[("address", 0), ("data", 4)])?;
                let mut call = Call::new(Op::Notify, params.repeated()?, Access::Notify);
                // What is written is what the eventfd waits for.
                call.rehearsal.args.seed = call.measured.args.seed;
                call.counted_by(MMIO_EXITS, 0)
                    .after(Setup::Ioeventfd { bytes })
            }
            Model::IoapicRead => register(Op::MmioRead, IOAPIC_WINDOW, params)?,
            Model::LapicRead => register(Op::MmioRead, LAPIC_VERSION, params)?,
            Model::LapicWrite => register(Op::MmioWrite, LAPIC_LVT_ERROR, params)?,
            Model::MmioFill => string(Op::MmioFill, Access::Write, params)?,
            Model::MmioCopyIn => string(Op::MmioCopyIn, Access::Read, params)?,
            Model::MmioCopyOut => string(Op::MmioCopyOut, Access::Write, params)?,
            Model::PortIn => read(Op::PortIn, params.strings()?),
            Model::PortOut => write(Op::PortOut, params.strings()?),
            Model::PortRead => read(Op::PortRead, params.repeated()?).counted_by(PORT_EXITS, 1),
            Model::Tsc => Call::new(Op::Tsc, params.batched()?, Access::Tsc),
            Model::Pvclock => Call {
                per_vcpu_bytes: params.clock_stride()?,
                ..Call::new(Op::Pvclock, at_clock(params.batched()?, 0), Access::Pvclock)
                    .after(Setup::Kvmclock)
            },
            Model::PvclockUpdate => {
                let by = [
                    ("kvmclock-ctrl", Forced::KvmclockCtrl),
                    ("set-clock", Forced::SetClock),
                ];
                let call = Call {
                    per_vcpu_bytes: params.clock_stride()?,
                    ..forced(Op::PvclockUpdate, 0, Access::ClockUpdate, params)?
                };
                call.after(Setup::Kvmclock).forcing(params.word("by", &by)?)
            }
            Model::WallClock => {
                forced(Op::Rewrite, 0, Access::Rewrite, params)?.forcing(Forced::WallClock)
            }
            // struct kvm_steal_time: the version is the second 64-bit word.
            Model::StealTime => {
                forced(Op::Rewrite, 8, Access::Rewrite, params)?.after(Setup::StealTime)
            }
            Model::Chase => chase(params)?,
            Model::Block => virtio::block(params)?,
            Model::Net => virtio::net(params)?,
            Model::Timer => Call::new(Op::Timer, params.repeated()?, Access::Timer),
            Model::Boot
            | Model::Linux
            | Model::Teardown
            | Model::Populate
            | Model::Punch
            | Model::Touch
            | Model::Retouch
            | Model::Userfault
            | Model::HostVictim
            | Model::Neighbour => unreachable!("these do not exchange anything"),
        })
    }
}

const POPULATES: [(&str, Populate); 4] = [
    ("memcpy", Populate::Memcpy),
    ("madvise", Populate::Madvise),
    ("prefault", Populate::Prefault),
    ("write", Populate::Write),
];

/// `count` samples of `batch` loads through `places` places, a page or a cache line
/// apart.
fn chase(params: &Checked<'_>) -> Result<Call, Error> {
    let apart = [("page", layout::PAGE), ("line", 64)];
    let stride = params.word("apart", &apart)?;
    let most = (params.memory()? - layout::ARENA) / layout::PAGE;
    let args = Args {
        count: params.within("count", 1..=layout::SAMPLES_MAX)?,
        batch: params.within("batch", 8..=1 << 24)? / 8 * 8,
        address: layout::ARENA,
        stride,
        width: params.within("places", 2..=most)?,
        shuffle: 0xc4a5e,
        ..Args::default()
    };
    let mut call = Call::new(Op::Chase, args, Access::Chase);
    // Touches all that is measured.
    call.rehearsal.args.count = 1;
    Ok(call)
}

/// The same `offset` bytes into the clock page of vCPU 0.
fn at_clock(args: Args, offset: u64) -> Args {
    Args {
        address: layout::pvclock(0) + offset,
        ..args
    }
}

/// Reads of the data port, each of which has something in the clock page rewritten.
fn forced(op: Op, offset: u64, access: Access, params: &Checked<'_>) -> Result<Call, Error> {
    Ok(Call {
        per_vcpu_bytes: layout::PAGE,
        ..Call::new(op, at_clock(params.repeated()?, offset), access).counted_by(PORT_EXITS, 1)
    })
}

/// Accesses of a register in the kernel: userspace must see none of them.
fn register(op: Op, address: u64, params: &Checked<'_>) -> Result<Call, Error> {
    let access = match op {
        Op::MmioWrite => Access::RegisterWrite,
        _ => Access::Register,
    };
    let args = Args {
        address,
        ..params.repeated()?
    };
    let call = Call::new(op, args, access).counted_by(MMIO_EXITS, 0);
    Ok(call.after(Setup::Irqchip))
}

/// String instructions: one MMIO exit a value.
fn string(op: Op, access: Access, params: &Checked<'_>) -> Result<Call, Error> {
    let args = params.strings()?;
    Ok(Call::new(op, args, access).counted_by(MMIO_EXITS, args.batch))
}

/// Reads at aliases; the rehearsal has the first 64 of them.
fn cold(op: Op, args: Args) -> Call {
    let at = |skip| Args {
        address: layout::ALIAS + skip * layout::PAGE,
        ..args
    };
    let call = Call::new(op, at(0), Access::ReadCold).counted_by(MMIO_EXITS, 1);
    Call {
        measured: Request { op, args: at(64) },
        per_vcpu_bytes: layout::ALIASES * layout::PAGE,
        ..call
    }
}

/// The whole arena in steps of `batch` pages.
fn range(memory: u64, params: &Checked<'_>) -> Result<Range, Error> {
    let batch = params.within("batch", 1..=512)?;
    let pages = (memory - layout::ARENA) / layout::PAGE;
    Ok(Range {
        address: layout::ARENA,
        pages: pages / batch * batch,
        batch,
    })
}

/// The seed of every random order.
const ORDER_RANDOM: u64 = 0x0dd5_eed5;

/// `order` is `sequential` (the default) or `random`.
fn shuffle(params: &Checked<'_>) -> Result<u64, Error> {
    params.word("order", &[("sequential", 0), ("random", ORDER_RANDOM)])
}

/// First touches of the arena of each vCPU's share, the first `skip` pages of
/// it rehearsed.
fn touch(memory: u64, cpus: u64, skip: u64, shuffle: u64) -> Call {
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
        shuffle,
        ..Args::default()
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
