// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What answers a Linux guest: the ports of its machine, the registers of its disk and of
//! its first process. Whatever else it tries is not there.

use super::{
    Console, End, Progress,
    disk::{self, Disk},
};
use crate::{arch::linux::Ports, lock, virtio::MmioDevice};
use abi::init;
use kvm_ioctls::VmFd;
use std::sync::Arc;

/// Everything that answers a guest.
pub(crate) struct Bus {
    ports: Ports,
    disk: Option<Disk>,
    pub(crate) progress: Progress,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus")
            .field("progress", &self.progress)
            .finish()
    }
}

impl Bus {
    pub(super) fn new(vm: Arc<VmFd>, disk: Option<Disk>) -> Self {
        Bus {
            ports: Ports::new(vm),
            disk,
            progress: Progress::default(),
        }
    }

    pub(super) fn console(&self) -> &Console {
        self.ports.console()
    }

    /// A write to a port, and whether it ends the machine.
    ///
    /// # Errors
    /// What went wrong, one line.
    pub(crate) fn port_write(&mut self, at: u16, data: &[u8]) -> Result<Option<End>, String> {
        self.ports.write(at, data, &mut self.progress)
    }

    pub(crate) fn port_read(&mut self, at: u16, data: &mut [u8]) {
        self.ports.read(at, data);
    }

    pub(crate) fn memory_write(&mut self, at: u64, data: &[u8]) {
        match (&self.disk, disk::register(at)) {
            (Some(disk), Some(offset)) => lock(disk).write(offset, data),
            _ => {
                if let Some(register) = at.checked_sub(init::PAGE) {
                    self.progress.told(register, data);
                }
            }
        }
    }

    pub(crate) fn memory_read(&mut self, at: u64, data: &mut [u8]) {
        match (&self.disk, disk::register(at)) {
            (Some(disk), Some(offset)) => lock(disk).read(offset, data),
            _ => data.fill(0xff),
        }
    }
}
