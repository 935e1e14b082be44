// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Exits that end a run because nothing here asked for them.

// UNSAFETY: reads a union in kvm_run.
#![expect(unsafe_code)]

use kvm_bindings::{KVM_EXIT_INTERNAL_ERROR, KVM_INTERNAL_ERROR_DELIVERY_EV};
use kvm_ioctls::VcpuFd;
use std::fmt;

/// Why a guest left where it should not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// A triple fault, or another event at which a processor shuts down.
    Shutdown,
    /// KVM gave up (KVM_EXIT_INTERNAL_ERROR), as its instruction emulator does at an
    /// instruction that it lacks.
    Internal {
        /// Why: one of KVM_INTERNAL_ERROR_*.
        suberror: u32,
        /// What KVM adds to that, in its own numbers.
        data: Vec<u64>,
    },
    /// Anything else, in words.
    Other(String),
}

impl Exit {
    /// What KVM gave up on, if the last exit of `vcpu` was that.
    pub(crate) fn internal(vcpu: &mut VcpuFd) -> Self {
        let run = vcpu.get_kvm_run();
        if run.exit_reason != KVM_EXIT_INTERNAL_ERROR {
            return Exit::Other(format!("exit {}", run.exit_reason));
        }
        // SAFETY: the exit was KVM_EXIT_INTERNAL_ERROR, which fills this member.
        let error = unsafe { run.__bindgen_anon_1.internal };
        let count = (error.ndata as usize).min(error.data.len());
        Exit::Internal {
            suberror: error.suberror,
            data: error.data[..count].to_vec(),
        }
    }

    /// Whether KVM gave up on an access, because it believed that the guest was about to
    /// take an event.
    pub(crate) fn is_delivery(&self) -> bool {
        let delivery = KVM_INTERNAL_ERROR_DELIVERY_EV;
        matches!(self, Exit::Internal { suberror, .. } if *suberror == delivery)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Shutdown => f.write_str("SHUTDOWN (triple fault)"),
            Exit::Internal { suberror, data } => {
                write!(f, "InternalError, suberror {suberror}, data {data:x?}")
            }
            Exit::Other(what) => f.write_str(what),
        }
    }
}
