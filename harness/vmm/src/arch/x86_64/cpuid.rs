// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What CPUID tells the payload: all that KVM supports, but for a PMU.

use crate::{Error, call::Named};
use kvm_bindings::{
    CpuId, KVM_CAP_PMU_CAPABILITY, KVM_MAX_CPUID_ENTRIES, KVM_PMU_CAP_DISABLE, kvm_enable_cap,
};
use kvm_ioctls::{Kvm, VmFd};

/// The leaves of CPUID by which a guest learns of a PMU (Intel SDM vol. 2A, CPUID, 0AH and
/// 23H; AMD APM vol. 3, E.4.26). Who takes the PMU away takes them too (KVM API
/// documentation, KVM_CAP_PMU_CAPABILITY).
const PMU_LEAVES: [u32; 3] = [0xa, 0x23, 0x8000_0022];

/// The leaves for a vCPU of a VM whose virtual PMU is there still or was taken.
///
/// # Errors
/// [`Error::Call`].
pub(crate) fn supported(kvm: &Kvm, has_pmu: bool) -> Result<CpuId, Error> {
    let mut cpuid = kvm
        .get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)
        .call(|| "KVM_GET_SUPPORTED_CPUID".into())?;
    if !has_pmu {
        cpuid.retain(|entry| !PMU_LEAVES.contains(&entry.function));
    }
    Ok(cpuid)
}

/// Takes the virtual PMU from a VM without vCPUs, where KVM lets it be taken; whether it
/// is gone. A KVM that hands the processor's PMU to a guest (a mediated vPMU) would leave
/// none to the host that wants to count the guest's events.
///
/// # Errors
/// [`Error::Call`].
pub(crate) fn take_pmu(vm: &VmFd) -> Result<bool, Error> {
    let known = vm.check_extension_raw(KVM_CAP_PMU_CAPABILITY.into());
    if known <= 0 || known as u32 & KVM_PMU_CAP_DISABLE == 0 {
        return Ok(false);
    }
    let disable = kvm_enable_cap {
        cap: KVM_CAP_PMU_CAPABILITY,
        args: [KVM_PMU_CAP_DISABLE.into(), 0, 0, 0],
        ..Default::default()
    };
    vm.enable_cap(&disable)
        .call(|| "KVM_ENABLE_CAP(PMU_CAPABILITY, DISABLE)".into())?;
    Ok(true)
}
