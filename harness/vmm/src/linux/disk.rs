// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The disk of a Linux guest: virtio-blk over MMIO, of which the kernel hears on its
//! command line, interrupting by irqfd.

use crate::{
    Error, Memory,
    eventfd::irqfd,
    lock,
    virtio::{Block, RamDisk, Transport},
};
use abi::layout::VIRTIO_SIZE;
use kvm_ioctls::VmFd;
use std::sync::{Arc, Mutex};

/// A disk that vCPUs share.
pub(super) type Disk = Arc<Mutex<Transport<Block>>>;

/// Where its registers are: between the largest memory and the interrupt controllers.
const REGISTERS: u64 = 0xd000_0000;
/// Its interrupt, one that a PC has free.
const INTERRUPT: u32 = 5;

/// What the kernel must be told (Documentation/admin-guide/kernel-parameters.txt,
/// virtio_mmio.device).
pub(super) fn argument() -> String {
    format!("virtio_mmio.device={VIRTIO_SIZE}@{REGISTERS:#x}:{INTERRUPT}")
}

/// Which of its registers `address` is.
pub(super) fn register(address: u64) -> Option<u64> {
    let offset = address.checked_sub(REGISTERS)?;
    (offset < VIRTIO_SIZE).then_some(offset)
}

/// A disk that holds `content`.
///
/// # Errors
/// [`Error::Call`].
pub(super) fn make(vm: &VmFd, memory: &Memory, content: Vec<u8>) -> Result<Disk, Error> {
    let line = irqfd(vm, INTERRUPT)?;
    let block = Block::new(Box::new(RamDisk::new(content)));
    let device = Transport::new(block, memory.clone()).map_err(Error::Config)?;
    Ok(Arc::new(Mutex::new(device.interrupting(Some(line)))))
}

/// What became of a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Requests that it completed well.
    pub requests: u64,
    /// Interrupts that it raised for them.
    pub interrupts: u64,
    /// Why it stopped, if it did.
    pub broken: Option<String>,
}

impl Served {
    pub(super) fn by(disk: &Disk) -> Self {
        let disk = lock(disk);
        Served {
            requests: disk.device().requests(),
            interrupts: disk.interrupts(),
            broken: disk.broken().map(str::to_string),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_told_where_the_registers_are() {
        assert_eq!(argument(), "virtio_mmio.device=512@0xd0000000:5");
        assert_eq!(register(REGISTERS + 0x1fc), Some(0x1fc));
        assert_eq!((register(REGISTERS + 0x200), register(0)), (None, None));
    }
}
