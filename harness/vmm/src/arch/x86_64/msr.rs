// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What KVM keeps in guest memory when an MSR names a place for it: clocks and the time
//! that was stolen.

use crate::{AtPortRead, Error, Vcpu, call::Named};
use kvm_bindings::{Msrs, kvm_clock_data, kvm_msr_entry};
use kvm_ioctls::VmFd;

/// MSR_KVM_WALL_CLOCK_NEW (Documentation/virt/kvm/x86/msr.rst).
const MSR_KVM_WALL_CLOCK_NEW: u32 = 0x4b56_4d00;
/// MSR_KVM_SYSTEM_TIME_NEW (the same).
const MSR_KVM_SYSTEM_TIME_NEW: u32 = 0x4b56_4d01;
/// MSR_KVM_STEAL_TIME (the same).
const MSR_KVM_STEAL_TIME: u32 = 0x4b56_4d03;

/// How far ahead KVM_SET_CLOCK sets the clock, nanoseconds: more than goes by
/// between KVM_GET_CLOCK and it, so that the clock does not step backwards.
const CLOCK_LEAD: u64 = 10_000_000;

impl Vcpu {
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

    /// Has KVM do what `then` says.
    pub(super) fn force(&self, vm: &VmFd, then: AtPortRead) -> Result<(), Error> {
        match then {
            AtPortRead::Nothing => Ok(()),
            AtPortRead::KvmclockCtrl => {
                let call = || "KVM_KVMCLOCK_CTRL".into();
                self.fd.kvmclock_ctrl().call(call)
            }
            AtPortRead::SetClock => {
                let now = vm.get_clock().call(|| "KVM_GET_CLOCK".into())?.clock;
                let ahead = kvm_clock_data {
                    clock: now.saturating_add(CLOCK_LEAD),
                    ..Default::default()
                };
                vm.set_clock(&ahead).call(|| "KVM_SET_CLOCK".into())
            }
            AtPortRead::WallClock(address) => {
                self.set_msr("MSR_KVM_WALL_CLOCK_NEW", MSR_KVM_WALL_CLOCK_NEW, address)
            }
        }
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
}
