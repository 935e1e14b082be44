// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The registers of a virtio device (virtio 1.2, 4.2.2), and how it is set up.

// UNSAFETY: see the parent module.
#![expect(unsafe_code)]

use super::Queue;
use crate::asm;

/// The register of the device's status, and what it is while requests are served:
/// ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK (2.1).
const STATUS: u64 = 0x070;
const RUNNING: u64 = 1 | 2 | 8 | 4;
/// DEVICE_NEEDS_RESET.
const NEEDS_RESET: u64 = 64;

const NOTIFY: u64 = 0x050;
const INTERRUPT_STATUS: u64 = 0x060;
const INTERRUPT_ACK: u64 = 0x064;

/// The device's registers, 32 bits each.
#[derive(Clone, Copy)]
pub(super) struct Registers(u64);

impl Registers {
    /// # Safety
    /// The registers are mapped at `address` for as long as the value is in use.
    pub(super) unsafe fn new(address: u64) -> Self {
        Registers(address)
    }

    fn get(&self, offset: u64) -> u64 {
        // SAFETY: by the contract of `new`.
        unsafe { asm::load(self.0 + offset, 4) }
    }

    fn set(&self, offset: u64, value: u64) {
        // SAFETY: by the contract of `new`.
        unsafe { asm::store(self.0 + offset, value, 4) }
    }

    /// The device's status.
    pub(super) fn status(&self) -> u64 {
        self.get(STATUS)
    }

    /// Whether it asks to be reset.
    pub(super) fn needs_reset(&self) -> bool {
        self.status() & NEEDS_RESET != 0
    }

    /// Whether it serves requests.
    pub(super) fn running(&self) -> bool {
        self.status() == RUNNING
    }

    /// Announces what is available in queue `index`.
    #[inline(always)]
    pub(super) fn notify(&self, index: u64) {
        self.set(NOTIFY, index);
    }

    /// Tells the device that its interrupt was seen, as a driver must (4.2.2).
    #[inline(always)]
    pub(super) fn acknowledge(&self) {
        self.set(INTERRUPT_ACK, self.get(INTERRUPT_STATUS));
    }

    /// Brings the device up that has ID `id`, with these queues, as 3.1.1 says; the
    /// number of the step that failed.
    pub(super) fn bring_up(&self, id: u64, queues: &[&Queue]) -> Result<(), u64> {
        let step = |n: u64, ok: bool| if ok { Ok(()) } else { Err(n) };
        let magic = u64::from(u32::from_le_bytes(*b"virt"));
        step(1, self.get(0x000) == magic && self.get(0x004) == 2)?;
        step(2, self.get(0x008) == id)?;
        self.set(STATUS, 0);
        step(3, self.get(STATUS) == 0)?;
        self.set(STATUS, 1);
        self.set(STATUS, 1 | 2);
        // VIRTIO_F_VERSION_1 and nothing else.
        self.set(0x014, 1);
        step(4, self.get(0x010) & 1 == 1)?;
        self.set(0x024, 0);
        self.set(0x020, 0);
        self.set(0x024, 1);
        self.set(0x020, 1);
        self.set(STATUS, 1 | 2 | 8);
        step(5, self.get(STATUS) & 8 != 0)?;
        for queue in queues {
            self.set(0x030, queue.index());
            step(6, self.get(0x034) >= Queue::SIZE && self.get(0x044) == 0)?;
            self.set(0x038, Queue::SIZE);
            for (register, address) in [0x080, 0x090, 0x0a0].into_iter().zip(queue.addresses()) {
                self.set(register, address & 0xffff_ffff);
                self.set(register + 4, address >> 32);
            }
            self.set(0x044, 1);
            step(7, self.get(0x044) == 1)?;
        }
        self.set(STATUS, RUNNING);
        step(8, self.running())
    }
}
