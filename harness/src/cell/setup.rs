// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What must be there before a guest is asked, and what it saw afterwards.

use super::{Stop, virtio};
use abi::{Request, layout};
use results::counter::kvm;
use strategies::Missing;
use vmm::{AtPortRead, Device, Error, Ioeventfd, Machine, Userfault, Vcpu, VmFd, stats::Stats};
use workloads::{Call, Faults, Forced, Setup};

/// What was set up.
pub(super) enum Ready {
    /// Nothing that is asked afterwards.
    Nothing,
    /// An eventfd.
    Ioeventfd(Ioeventfd),
    /// A register of an interrupt controller with this content.
    Register(u32),
    /// A thread that serves faults.
    Userfault(Userfault),
    /// A hole, at which KVM lost so many pages.
    Hole(u64),
    /// A virtio device.
    Virtio(virtio::Ready),
}

/// What it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saw {
    /// Nothing.
    Nothing,
    /// So many signals since it was last asked.
    Rings(u64),
    /// This is what each read must have given.
    Content(u32),
    /// So many faults were served.
    Served(u64),
    /// KVM had lost so many pages before.
    Lost(u64),
    /// A virtio device counted this.
    Virtio(virtio::Count),
}

impl Ready {
    pub(super) fn saw(&self) -> Result<Saw, Stop> {
        Ok(match self {
            Ready::Nothing => Saw::Nothing,
            Ready::Ioeventfd(ioeventfd) => Saw::Rings(ioeventfd.signals()?),
            Ready::Register(content) => Saw::Content(*content),
            Ready::Userfault(fault) => Saw::Served(fault.served()),
            Ready::Hole(pages) => Saw::Lost(*pages),
            Ready::Virtio(ready) => Saw::Virtio(ready.count()?),
        })
    }
}

/// The device that answers `request`.
pub(super) fn device(call: &Call, request: &Request, ready: &Ready) -> Device {
    let forcing: Option<Box<dyn AtPortRead>> = match call.forced {
        Forced::Nothing => None,
        Forced::WallClock => Some(Box::new(Force::WallClock(request.args.address))),
        Forced::KvmclockCtrl => Some(Box::new(Force::KvmclockCtrl)),
        Forced::SetClock => Some(Box::new(Force::SetClock)),
    };
    let virtio = match ready {
        Ready::Virtio(ready) => Some(ready.device()),
        _ => None,
    };
    let device = Device::new(request.args.seed).with_virtio(virtio);
    match forcing {
        None => device,
        Some(act) => device.at_port_read(act),
    }
}

/// What is forced at each read of the data port.
#[derive(Debug)]
enum Force {
    KvmclockCtrl,
    SetClock,
    WallClock(u64),
}

impl AtPortRead for Force {
    fn act(&self, vcpu: &Vcpu, vm: &VmFd) -> Result<(), Error> {
        match self {
            Force::KvmclockCtrl => vcpu.kvmclock_ctrl(),
            Force::SetClock => vcpu.advance_clock(vm),
            Force::WallClock(address) => vcpu.write_wall_clock(*address),
        }
    }
}

/// Sets up what must be there before the guest runs at all.
/// In the lab whatever has no other owner may be overwritten.
pub(super) fn at_once(call: &Call, machine: &mut Machine, lab: bool) -> Result<Ready, Stop> {
    let args = call.measured.args;
    match call.setup {
        Setup::Nothing | Setup::Holed | Setup::Userfault(_) => {}
        Setup::Kvmclock | Setup::StealTime | Setup::SharedRegisters => {
            for vcpu in machine.vcpus() {
                let own = call.for_vcpu(call.measured, vcpu.index()).args.address;
                match call.setup {
                    Setup::Kvmclock => vcpu.enable_pvclock(own)?,
                    Setup::StealTime => vcpu.enable_steal_time(own / 64 * 64)?,
                    _ => vcpu.share_registers(),
                }
            }
        }
        Setup::Ioeventfd { bytes } => {
            // KVM compares the data as the guest wrote it: 32 bits.
            let data = (bytes != 0).then_some(args.seed as u32);
            return Ok(Ready::Ioeventfd(machine.ioeventfd(args.address, data)?));
        }
        Setup::Virtio(device) => {
            let ready = virtio::Ready::make(device, call, machine, lab)?;
            return Ok(Ready::Virtio(ready));
        }
        Setup::Irqchip if args.address < layout::LAPIC => {
            let content = machine.select_ioapic_entry(args.seed as u8)?;
            return Ok(Ready::Register(content));
        }
        Setup::Irqchip => {
            let content = machine.lapic_register(0, args.address)?;
            return Ok(Ready::Register(content));
        }
    }
    Ok(Ready::Nothing)
}

/// Sets up what must be there right before the measurement; nothing if what was
/// set up at first is all.
pub(super) fn after_rehearsal(call: &Call, machine: &mut Machine) -> Result<Option<Ready>, Stop> {
    let arena = layout::ARENA;
    let rest = machine.ram().len() as u64 - arena;
    match call.setup {
        Setup::Holed => {
            let vcpus = 0..machine.vcpus().len() as u64;
            let requests: Vec<_> = vcpus.map(|i| call.for_vcpu(call.measured, i)).collect();
            let mut devices: Vec<_> = requests.iter().map(|_| Device::new(0)).collect();
            machine.call_all(&requests, &mut devices)?;
            let mapped = pages_in(&machine.stats()?);
            let punched = machine.ram().punch_hole(arena, rest);
            punched.map_err(|e| no_holes(&e))?;
            let left = pages_in(&machine.stats()?);
            Ok(Some(Ready::Hole(mapped.saturating_sub(left))))
        }
        Setup::Userfault(_) if machine.ram().granule() > layout::PAGE => {
            Err(Stop::Missing(Missing::new(
                "userfaultfd serves reserved huge pages whole, 512 touches at a time",
                "memory of base pages, or transparent huge pages",
            )))
        }
        Setup::Userfault(faults) => {
            let served = match faults {
                Faults::Missing => Userfault::missing(machine.ram(), arena),
                Faults::Minor => Userfault::minor(machine.ram(), arena),
            };
            let served = served.map_err(|e| {
                Stop::Missing(Missing::new(
                    format!("userfaultfd cannot serve this memory ({e})"),
                    "a kernel whose userfaultfd supports this kind of memory",
                ))
            })?;
            Ok(Some(Ready::Userfault(served)))
        }
        _ => Ok(None),
    }
}

/// How many base pages KVM's page tables hold, or took in, by these statistics.
pub(super) fn pages_in(stats: &Stats) -> u64 {
    let of = |name| stats.get(name).copied().unwrap_or(0);
    of(kvm::PAGES_4K.name) + 512 * of(kvm::PAGES_2M.name) + 512 * 512 * of(kvm::PAGES_1G.name)
}

/// Memory that cannot be given back page by page.
pub(super) fn no_holes(error: &strategies::Error) -> Stop {
    let missing = Missing::new(
        format!("this memory takes no holes ({error})"),
        "a kernel whose file behind this memory supports fallocate(PUNCH_HOLE)",
    );
    Stop::Missing(missing.with_errno(error.source.raw_os_error()))
}
