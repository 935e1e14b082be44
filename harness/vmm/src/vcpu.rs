// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One vCPU and its run loop.

use crate::{Device, Error, Registers, Ring, call::Named, deadline::Deadline};
use abi::{layout, port};
use kvm_bindings::{CpuId, Msrs, kvm_msr_entry, kvm_run};
use kvm_ioctls::{VcpuExit, VcpuFd, VmFd};
use std::{mem::offset_of, time::Duration};

/// MSR_KVM_SYSTEM_TIME_NEW (Documentation/virt/kvm/x86/msr.rst).
const MSR_KVM_SYSTEM_TIME_NEW: u32 = 0x4b56_4d01;

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
}

impl Vcpu {
    /// Creates vCPU `index` of `vm`, to start at `entry`.
    ///
    /// # Errors
    /// [`Error::Call`] for the ioctl that failed.
    pub(crate) fn new(
        vm: &VmFd,
        index: u64,
        cpuid: &CpuId,
        ring: Ring,
        entry: u64,
    ) -> Result<Self, Error> {
        let fd = vm
            .create_vcpu(index)
            .call(|| format!("KVM_CREATE_VCPU({index})"))?;
        fd.set_cpuid2(cpuid).call(|| "KVM_SET_CPUID2".into())?;
        let reset = fd.get_sregs().call(|| "KVM_GET_SREGS".into())?;
        fd.set_sregs(&ring.special(reset))
            .call(|| "KVM_SET_SREGS".into())?;
        fd.set_regs(&Ring::general(entry, index))
            .call(|| "KVM_SET_REGS".into())?;
        Ok(Vcpu { fd, index })
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
        let call = || format!("KVM_SET_MSRS(MSR_KVM_SYSTEM_TIME_NEW={:#x})", address | 1);
        let refused = |source| Error::Call {
            call: call(),
            source,
        };
        let entry = kvm_msr_entry {
            index: MSR_KVM_SYSTEM_TIME_NEW,
            data: address | 1,
            ..Default::default()
        };
        let msrs = Msrs::from_entries(&[entry])
            .map_err(|e| refused(std::io::Error::other(format!("{e:?}"))))?;
        match self.fd.set_msrs(&msrs).call(call)? {
            1 => Ok(()),
            _ => Err(refused(std::io::ErrorKind::Unsupported.into())),
        }
    }

    /// Runs until the payload says something; `device` answers its accesses.
    ///
    /// # Errors
    /// [`Error::Run`], [`Error::Hung`] after `limit`, or [`Error::Exit`].
    pub fn run(&mut self, device: &mut Device, limit: Duration) -> Result<Event, Error> {
        let deadline = self.arm(limit)?;
        loop {
            let what = match self.fd.run() {
                Ok(VcpuExit::MmioRead(address, data)) if in_window(address) => {
                    device.read(data);
                    continue;
                }
                Ok(VcpuExit::MmioWrite(address, data)) if in_window(address) => {
                    device.write(data);
                    continue;
                }
                Ok(VcpuExit::IoIn(port::DATA, data)) => {
                    device.read(data);
                    if device.updates_clock() {
                        // Marks the clock as having been stopped, and so dirty:
                        // KVM writes the page before it enters the guest.
                        let call = || "KVM_KVMCLOCK_CTRL".into();
                        self.fd.kvmclock_ctrl().call(call)?;
                    }
                    continue;
                }
                Ok(VcpuExit::IoOut(port::DATA, data)) => {
                    device.write(data);
                    continue;
                }
                Ok(VcpuExit::IoOut(port::DONE, _)) => return Ok(Event::Done),
                Ok(VcpuExit::IoOut(port::START, _)) => return Ok(Event::Started),
                Ok(VcpuExit::IoOut(port::PANIC, _)) => return Ok(Event::Panicked),
                Ok(VcpuExit::Shutdown) => "SHUTDOWN (triple fault)".to_string(),
                Ok(exit) => format!("{exit:?}"),
                Err(e) if e.errno() == libc::EINTR && deadline.expired() => {
                    return Err(Error::Hung {
                        after: deadline.after(),
                        registers: Registers::of(&self.fd),
                    });
                }
                Err(e) if e.errno() == libc::EINTR || e.errno() == libc::EAGAIN => continue,
                Err(e) => {
                    return Err(Error::Run {
                        source: e.into(),
                        registers: Registers::of(&self.fd),
                    });
                }
            };
            return Err(Error::Exit {
                what,
                registers: Registers::of(&self.fd),
            });
        }
    }

    #[expect(unsafe_code)] // UNSAFETY: hands the watchdog an address in kvm_run
    fn arm(&mut self, limit: Duration) -> Result<Deadline, Error> {
        let run: *mut kvm_run = self.fd.get_kvm_run();
        let byte = run
            .cast::<u8>()
            .wrapping_add(offset_of!(kvm_run, immediate_exit));
        // SAFETY: the byte lies in this vCPU's kvm_run mapping, which lives as
        // long as `self.fd`; the only caller keeps the deadline on its stack
        // and drops it before it gives `self` back.
        unsafe { Deadline::arm(limit, byte) }
    }
}

fn in_window(address: u64) -> bool {
    (layout::MMIO..layout::MMIO + layout::MMIO_SIZE).contains(&address)
}
