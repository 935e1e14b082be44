// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One vCPU and its run loop.

use crate::{Cpl, Device, Error, Registers, Then, call::Named, deadline::Deadline};
use abi::{layout, port};
use kvm_bindings::{CpuId, Msrs, kvm_clock_data, kvm_mp_state, kvm_msr_entry};
use kvm_ioctls::{SyncReg, VcpuExit, VcpuFd, VmFd};
use std::{sync::Arc, time::Duration};
use strategies::GuestRam;

/// MSR_KVM_WALL_CLOCK_NEW (Documentation/virt/kvm/x86/msr.rst).
const MSR_KVM_WALL_CLOCK_NEW: u32 = 0x4b56_4d00;
/// MSR_KVM_SYSTEM_TIME_NEW (the same).
const MSR_KVM_SYSTEM_TIME_NEW: u32 = 0x4b56_4d01;
/// MSR_KVM_STEAL_TIME (the same).
const MSR_KVM_STEAL_TIME: u32 = 0x4b56_4d03;

/// How far ahead KVM_SET_CLOCK sets the clock, nanoseconds: more than goes by
/// between KVM_GET_CLOCK and it, so that the clock does not step backwards.
const CLOCK_LEAD: u64 = 10_000_000;

/// Why a vCPU came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its very first instruction has run.
    Started,
    /// The reply in its command page is complete.
    Done,
    /// The payload panicked; the command page says where.
    Panicked,
}

/// A vCPU, ready to run the payload.
#[derive(Debug)]
pub struct Vcpu {
    fd: VcpuFd,
    index: u64,
    /// The memory of its VM, in which it must not run without it.
    _ram: [Option<Arc<GuestRam>>; 2],
}

impl Vcpu {
    /// Creates vCPU `index` of `vm`, whose memslots are `ram`, to start at `entry`, with
    /// interrupts enabled or not.
    ///
    /// # Errors
    /// [`Error::Call`] for the ioctl that failed.
    pub(crate) fn new(
        vm: &VmFd,
        index: u64,
        cpuid: &CpuId,
        cpl: Cpl,
        entry: u64,
        interrupts: bool,
        ram: [Option<Arc<GuestRam>>; 2],
    ) -> Result<Self, Error> {
        let fd = vm
            .create_vcpu(index)
            .call(|| format!("KVM_CREATE_VCPU({index})"))?;
        fd.set_cpuid2(cpuid).call(|| "KVM_SET_CPUID2".into())?;
        let reset = fd.get_sregs().call(|| "KVM_GET_SREGS".into())?;
        fd.set_sregs(&cpl.special(reset))
            .call(|| "KVM_SET_SREGS".into())?;
        fd.set_regs(&Cpl::general(entry, index, interrupts))
            .call(|| "KVM_SET_REGS".into())?;
        Ok(Vcpu {
            fd,
            index,
            _ram: ram,
        })
    }

    /// Which vCPU it is, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The descriptor, for its statistics.
    pub fn fd(&self) -> &VcpuFd {
        &self.fd
    }

    /// The frequency of the guest's time-stamp counter.
    ///
    /// # Errors
    /// [`Error::Call`] if the host's counter is not stable.
    pub fn tsc_khz(&self) -> Result<u32, Error> {
        self.fd.get_tsc_khz().call(|| "KVM_GET_TSC_KHZ".into())
    }

    /// Makes KVM keep kvm-clock at guest-physical `address`.
    ///
    /// # Errors
    /// [`Error::Call`] if KVM does not take the MSR.
    pub fn enable_pvclock(&self, address: u64) -> Result<(), Error> {
        self.set_msr(
            "MSR_KVM_SYSTEM_TIME_NEW",
            MSR_KVM_SYSTEM_TIME_NEW,
            address | 1,
        )
    }

    /// Makes KVM keep the vCPU's steal time at guest-physical `address`, a
    /// multiple of 64.
    ///
    /// # Errors
    /// [`Error::Call`] if KVM does not take the MSR.
    pub fn enable_steal_time(&self, address: u64) -> Result<(), Error> {
        self.set_msr("MSR_KVM_STEAL_TIME", MSR_KVM_STEAL_TIME, address | 1)
    }

    /// Lets the guest ask by [`port::ASK`]: every exit brings its registers.
    pub fn share_registers(&mut self) {
        self.fd.set_sync_valid_reg(SyncReg::Register);
    }

    /// Makes a vCPU of a machine with interrupt controllers run at once, which
    /// would wait for another one's INIT and SIPI.
    pub(crate) fn make_runnable(&self) -> Result<(), Error> {
        let state = kvm_mp_state::default(); // KVM_MP_STATE_RUNNABLE
        self.fd
            .set_mp_state(state)
            .call(|| "KVM_SET_MP_STATE(RUNNABLE)".into())
    }

    fn set_msr(&self, name: &str, index: u32, data: u64) -> Result<(), Error> {
        let call = || format!("KVM_SET_MSRS({name}={data:#x})");
        let refused = |source| Error::Call {
            call: call(),
            source,
        };
        let entry = kvm_msr_entry {
            index,
            data,
            ..Default::default()
        };
        let msrs = Msrs::from_entries(&[entry])
            .map_err(|e| refused(std::io::Error::other(format!("{e:?}"))))?;
        match self.fd.set_msrs(&msrs).call(call)? {
            1 => Ok(()),
            _ => Err(refused(std::io::ErrorKind::Unsupported.into())),
        }
    }

    /// Runs until the payload says something; `device` answers its accesses. `vm`
    /// is the vCPU's own.
    ///
    /// # Errors
    /// [`Error::Run`], [`Error::Hung`] after `limit`, or [`Error::Exit`].
    #[expect(unsafe_code)] // UNSAFETY: hands the watchdog an address in kvm_run
    pub fn run(&mut self, vm: &VmFd, device: &mut Device, limit: Duration) -> Result<Event, Error> {
        // SAFETY: dropped when this function returns, on this thread.
        let deadline = unsafe { Deadline::of(&mut self.fd, limit) }?;
        loop {
            let what = match self.fd.run() {
                Ok(VcpuExit::MmioRead(address, data)) if in_mmio(address) => {
                    device.read((address - layout::MMIO) / layout::PAGE, data);
                    continue;
                }
                Ok(VcpuExit::MmioWrite(address, data)) if in_mmio(address) => {
                    device.write(data);
                    continue;
                }
                Ok(VcpuExit::IoIn(port::DATA, data)) => {
                    device.port_read(data);
                    if device.what_then() != Then::Nothing {
                        self.force(vm, device.what_then())?;
                    }
                    continue;
                }
                Ok(VcpuExit::IoOut(port::DATA, data)) => {
                    device.port_write(data);
                    continue;
                }
                Ok(VcpuExit::IoIn(port::TIMER, data)) => {
                    device.timer(data);
                    continue;
                }
                Ok(VcpuExit::IoOut(port::ASK, _)) => match self.answer(device) {
                    Ok(()) => continue,
                    Err(what) => what,
                },
                Ok(VcpuExit::MmioRead(address, data)) if is_register(address) => {
                    match device.registers_read(address - layout::VIRTIO, data) {
                        Some(()) => continue,
                        None => format!("MmioRead({address:#x}) without a virtio device"),
                    }
                }
                Ok(VcpuExit::MmioWrite(address, data)) if is_register(address) => {
                    match device.registers_write(address - layout::VIRTIO, data) {
                        Some(()) => continue,
                        None => format!("MmioWrite({address:#x}) without a virtio device"),
                    }
                }
                Ok(VcpuExit::IoOut(port::DONE, _)) => return Ok(Event::Done),
                Ok(VcpuExit::IoOut(port::START, _)) => return Ok(Event::Started),
                Ok(VcpuExit::IoOut(port::PANIC, _)) => return Ok(Event::Panicked),
                Ok(VcpuExit::Shutdown) => "SHUTDOWN (triple fault)".to_string(),
                Ok(exit) => format!("{exit:?}"),
                Err(e) => {
                    deadline.judge(&self.fd, e)?;
                    continue;
                }
            };
            return Err(Error::Exit {
                what,
                registers: Registers::of(&self.fd),
            });
        }
    }

    /// Has KVM do what `then` says.
    fn force(&self, vm: &VmFd, then: Then) -> Result<(), Error> {
        match then {
            Then::Nothing => Ok(()),
            Then::KvmclockCtrl => {
                let call = || "KVM_KVMCLOCK_CTRL".into();
                self.fd.kvmclock_ctrl().call(call)
            }
            Then::SetClock => {
                let now = vm.get_clock().call(|| "KVM_GET_CLOCK".into())?.clock;
                let ahead = kvm_clock_data {
                    clock: now.saturating_add(CLOCK_LEAD),
                    ..Default::default()
                };
                vm.set_clock(&ahead).call(|| "KVM_SET_CLOCK".into())
            }
            Then::WallClock(address) => {
                self.set_msr("MSR_KVM_WALL_CLOCK_NEW", MSR_KVM_WALL_CLOCK_NEW, address)
            }
        }
    }

    /// Answers what the guest asks by its registers: a 32-bit read of the MMIO
    /// window.
    fn answer(&mut self, device: &mut Device) -> Result<(), String> {
        let address = self.fd.sync_regs().regs.rdi;
        if !in_mmio(address) {
            return Err(format!("a read of {address:#x} was asked for"));
        }
        let mut word = [0; 4];
        device.read((address - layout::MMIO) / layout::PAGE, &mut word);
        self.fd.sync_regs_mut().regs.rax = u32::from_le_bytes(word).into();
        self.fd.set_sync_dirty_reg(SyncReg::Register);
        Ok(())
    }
}

fn is_register(address: u64) -> bool {
    (layout::VIRTIO..layout::VIRTIO + layout::VIRTIO_SIZE).contains(&address)
}

fn in_mmio(address: u64) -> bool {
    (layout::MMIO..layout::MMIO + layout::MMIO_SIZE).contains(&address)
}
