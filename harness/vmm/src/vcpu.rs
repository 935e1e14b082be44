// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One vCPU. How it runs is an architecture's own.

use crate::{Error, call::Named};
use kvm_ioctls::VcpuFd;
use std::sync::Arc;
use strategies::GuestRam;

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
    pub(crate) fd: VcpuFd,
    index: u64,
    /// The memory of its VM, in which it must not run without it.
    _ram: [Option<Arc<GuestRam>>; 2],
}

impl Vcpu {
    /// vCPU `index`, which `fd` is, of a VM whose memslots are `ram`.
    pub(crate) fn new(fd: VcpuFd, index: u64, ram: [Option<Arc<GuestRam>>; 2]) -> Self {
        Vcpu {
            fd,
            index,
            _ram: ram,
        }
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
}
