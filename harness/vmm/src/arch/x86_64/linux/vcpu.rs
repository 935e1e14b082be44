// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One vCPU of a Linux guest: how it is watched on its way to the kernel, and its run loop.

// UNSAFETY: hands the watchdog an address in kvm_run.
#![expect(unsafe_code)]

use super::{
    cpuid,
    start::{self, Entry},
};
use crate::{
    Error, Exit, Registers,
    call::Named,
    deadline::Deadline,
    linux::{Bus, End},
    lock,
};
use kvm_bindings::{
    CpuId, KVM_GUESTDBG_ENABLE, KVM_GUESTDBG_SINGLESTEP, KVM_GUESTDBG_USE_HW_BP, kvm_guest_debug,
};
use kvm_ioctls::{VcpuExit, VcpuFd, VmFd};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use strategies::GuestRam;

/// DR7: breakpoint 0, on execution; bit 10 is always set.
const DR7: u64 = 1 << 10 | 1;

/// How often an access that KVM did not emulate, because it believed that the guest
/// was about to take an event, is tried again.
///
/// KVM goes by the type of the event in the exit's EXITINTINFO, whether it is valid or
/// not. QEMU's TCG leaves the type of an event there that it has delivered, so that an
/// access to a device right after an exception is refused for nothing; seen with huge
/// pages. Nothing has been executed, and the next try finds the field empty. Where an
/// event was really pending it stays so, and the exit is reported after all.
const RETRIES_MAX: u32 = 8;

/// A vCPU.
#[derive(Debug)]
pub(crate) struct Vcpu {
    fd: VcpuFd,
    entry: Entry,
    /// A share of the memory that the guest runs in, whose memslot it may outlive: its
    /// thread may be left behind by a panic.
    _ram: Arc<GuestRam>,
}

/// How a vCPU is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    /// It comes back after each instruction.
    Steps,
    /// It comes back before the kernel's first instruction.
    Breakpoint,
    /// Not at all.
    Nothing,
}

impl Vcpu {
    /// Creates vCPU `index` of `vcpus`. The first starts in front of the kernel; the
    /// others wait to be woken.
    pub(crate) fn new(
        vm: &VmFd,
        index: u64,
        vcpus: u64,
        supported: &CpuId,
        entry: Entry,
        ram: Arc<GuestRam>,
    ) -> Result<Self, Error> {
        let fd = vm
            .create_vcpu(index)
            .call(|| format!("KVM_CREATE_VCPU({index})"))?;
        fd.set_cpuid2(&cpuid::of(supported, index, vcpus))
            .call(|| "KVM_SET_CPUID2".into())?;
        let vcpu = Vcpu {
            fd,
            entry,
            _ram: ram,
        };
        if index == 0 {
            start::at_stub(&vcpu.fd)?;
            vcpu.watch(Watch::Steps)?;
        }
        Ok(vcpu)
    }

    /// Makes the vCPU come back at the kernel's first instruction, so far as that is
    /// possible.
    ///
    /// An emulator that runs KVM may ignore breakpoints in its guests (QEMU's TCG
    /// does), so the few instructions up to the file's entry are stepped through. A
    /// kernel that unpacks itself is far behind them: there only a breakpoint helps.
    fn watch(&self, watch: Watch) -> Result<(), Error> {
        let control = match watch {
            Watch::Steps => KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
            Watch::Breakpoint => KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
            Watch::Nothing => 0,
        };
        let mut debug = kvm_guest_debug {
            control,
            ..Default::default()
        };
        debug.arch.debugreg[0] = self.entry.kernel;
        debug.arch.debugreg[7] = DR7;
        self.fd
            .set_guest_debug(&debug)
            .call(|| "KVM_SET_GUEST_DEBUG".into())
    }

    /// The vCPU came back at `at`, as it was told to.
    fn came_back(&self, at: u64, bus: &Mutex<Bus>) -> Result<(), Error> {
        if at == self.entry.kernel {
            lock(bus).progress.entered();
            return self.watch(Watch::Nothing);
        }
        match at == self.entry.file {
            true => self.watch(Watch::Breakpoint),
            false => Ok(()),
        }
    }

    /// The descriptor, for its statistics.
    pub(crate) fn fd(&self) -> &VcpuFd {
        &self.fd
    }

    /// Runs until the machine ends, here or (`stop`) elsewhere.
    pub(crate) fn run(
        &mut self,
        bus: &Mutex<Bus>,
        limit: Duration,
        stop: &AtomicBool,
    ) -> Result<End, Error> {
        // SAFETY: dropped when this function returns, on this thread.
        let deadline = unsafe { Deadline::of(&mut self.fd, limit) }?;
        let mut retries = 0;
        loop {
            let exit = match self.fd.run() {
                Ok(VcpuExit::IoOut(port, data)) => match lock(bus).port_write(port, data) {
                    Ok(None) => continue,
                    Ok(Some(end)) => return Ok(end),
                    Err(what) => Exit::Other(what),
                },
                Ok(VcpuExit::IoIn(port, data)) => {
                    lock(bus).port_read(port, data);
                    continue;
                }
                Ok(VcpuExit::MmioWrite(address, data)) => {
                    lock(bus).memory_write(address, data);
                    continue;
                }
                Ok(VcpuExit::MmioRead(address, data)) => {
                    lock(bus).memory_read(address, data);
                    continue;
                }
                Ok(VcpuExit::Debug(debug)) => {
                    let at = debug.pc;
                    self.came_back(at, bus)?;
                    continue;
                }
                Ok(VcpuExit::Shutdown) => {
                    lock(bus).progress.ended();
                    return Ok(End::TripleFault);
                }
                Ok(VcpuExit::InternalError) => {
                    let exit = Exit::internal(&mut self.fd);
                    if exit.is_delivery() && retries < RETRIES_MAX {
                        retries += 1;
                        lock(bus).progress.retried();
                        continue;
                    }
                    exit
                }
                Ok(exit) => Exit::Other(format!("{exit:?}")),
                Err(_) if deadline.expired() && stop.load(Ordering::Acquire) => {
                    return Ok(End::Stopped);
                }
                Err(e) => {
                    deadline.judge(&self.fd, e)?;
                    continue;
                }
            };
            return Err(Error::Exit {
                exit,
                registers: Registers::of(&self.fd),
            });
        }
    }
}
