// SPDX-License-Identifier: Apache-2.0 OR MIT
//! KVM_PRE_FAULT_MEMORY (KVM API documentation, 4.143): KVM's page tables filled
//! without a run of the guest. kvm-ioctls does not offer the call.

// UNSAFETY: an ioctl that kvm-ioctls lacks.
#![expect(unsafe_code)]

use crate::{Error, Vcpu};
use kvm_bindings::{KVMIO, kvm_pre_fault_memory};
use std::io;
use vmm_sys_util::ioctl::ioctl_with_mut_ref;

vmm_sys_util::ioctl_iowr_nr!(KVM_PRE_FAULT_MEMORY, KVMIO, 0xd5, kvm_pre_fault_memory);

impl Vcpu {
    /// Maps `size` bytes of guest memory from `gpa`.
    ///
    /// # Errors
    /// [`Error::Call`]; this KVM may lack the call, or have no use for it because
    /// it has no two-dimensional paging.
    pub fn pre_fault(&self, gpa: u64, size: u64) -> Result<(), Error> {
        let mut range = kvm_pre_fault_memory {
            gpa,
            size,
            ..Default::default()
        };
        while range.size > 0 {
            // SAFETY: the structure is ours and of the type the call reads and
            // writes; the kernel touches no other memory of this process.
            let done = unsafe { ioctl_with_mut_ref(self.fd(), KVM_PRE_FAULT_MEMORY(), &mut range) };
            let source = io::Error::last_os_error();
            // It stops early at a signal, having moved the range on.
            if done < 0 && source.kind() != io::ErrorKind::Interrupted {
                return Err(Error::Call {
                    call: format!("KVM_PRE_FAULT_MEMORY(gpa={gpa:#x}, size={size:#x})"),
                    source,
                });
            }
        }
        Ok(())
    }
}
