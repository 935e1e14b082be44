// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What KVM adds to a VM to make it a PC.

use super::layout;
use crate::{Error, call::Named};
use kvm_bindings::{KVM_PIT_SPEAKER_DUMMY, kvm_pit_config};
use kvm_ioctls::VmFd;

/// Gives `vm` interrupt controllers and a timer, before its first vCPU.
///
/// # Errors
/// [`Error::Call`].
pub(crate) fn prepare(vm: &VmFd) -> Result<(), Error> {
    vm.set_tss_address(layout::TSS as usize)
        .call(|| "KVM_SET_TSS_ADDR".into())?;
    vm.create_irq_chip().call(|| "KVM_CREATE_IRQCHIP".into())?;
    // A kernel that does not know kvm-clock measures its clocks by this timer.
    let pit = kvm_pit_config {
        flags: KVM_PIT_SPEAKER_DUMMY,
        ..Default::default()
    };
    vm.create_pit2(pit).call(|| "KVM_CREATE_PIT2".into())
}
