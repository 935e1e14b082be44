// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The registers of virtio over MMIO (virtio 1.2, 4.2.2) and the split virtqueue
//! behind them.

use super::buffers::Request;
use virtio_queue::{Queue, QueueOwnedT, QueueT};
use vm_memory::GuestMemoryMmap;

/// What a device does with a request.
pub trait Work: Send {
    /// The device's ID (5).
    fn id(&self) -> u32;

    /// Its configuration from `offset` on.
    fn config(&self, offset: u64, data: &mut [u8]);

    /// Carries out one request; returns how many bytes it wrote.
    ///
    /// # Errors
    /// What is wrong with the request. The device stops.
    fn carry_out(&mut self, request: Request<'_>) -> Result<u32, String>;
}

/// VIRTIO_F_VERSION_1 (6): the only feature, and one that a driver must take.
const VERSION_1: u64 = 1 << 32;

/// The most descriptors of a queue.
const QUEUE_MAX: u16 = 256;

// Device status (2.1).
const FEATURES_OK: u32 = 8;
const DRIVER_OK: u32 = 4;
const NEEDS_RESET: u32 = 64;

/// Bit 0 of InterruptStatus: a buffer was used.
const USED_BUFFER: u32 = 1;

mod register {
    //! Offsets (table 4.1).
    pub(super) const MAGIC: u64 = 0x000;
    pub(super) const VERSION: u64 = 0x004;
    pub(super) const DEVICE: u64 = 0x008;
    pub(super) const VENDOR: u64 = 0x00c;
    pub(super) const DEVICE_FEATURES: u64 = 0x010;
    pub(super) const DEVICE_FEATURES_SEL: u64 = 0x014;
    pub(super) const DRIVER_FEATURES: u64 = 0x020;
    pub(super) const DRIVER_FEATURES_SEL: u64 = 0x024;
    pub(super) const QUEUE_SEL: u64 = 0x030;
    pub(super) const QUEUE_NUM_MAX: u64 = 0x034;
    pub(super) const QUEUE_NUM: u64 = 0x038;
    pub(super) const QUEUE_READY: u64 = 0x044;
    pub(super) const QUEUE_NOTIFY: u64 = 0x050;
    pub(super) const INTERRUPT_STATUS: u64 = 0x060;
    pub(super) const INTERRUPT_ACK: u64 = 0x064;
    pub(super) const STATUS: u64 = 0x070;
    pub(super) const QUEUE_DESC: u64 = 0x080;
    pub(super) const QUEUE_DRIVER: u64 = 0x090;
    pub(super) const QUEUE_DEVICE: u64 = 0x0a0;
    pub(super) const CONFIG: u64 = 0x100;
}

/// A device with its registers and its one queue.
#[derive(Debug)]
pub struct Transport<W> {
    work: W,
    memory: GuestMemoryMmap,
    queue: Queue,
    status: u32,
    device_features_sel: u32,
    driver_features_sel: u32,
    driver_features: u64,
    queue_sel: u32,
    interrupt: u32,
    notified: u64,
    broken: Option<String>,
}

impl<W: Work> Transport<W> {
    /// A device that was just reset.
    ///
    /// # Errors
    /// If virtio-queue does not take the queue's size, which it does.
    pub fn new(work: W, memory: GuestMemoryMmap) -> Result<Self, String> {
        Ok(Transport {
            work,
            memory,
            queue: Queue::new(QUEUE_MAX).map_err(|e| e.to_string())?,
            status: 0,
            device_features_sel: 0,
            driver_features_sel: 0,
            driver_features: 0,
            queue_sel: 0,
            interrupt: 0,
            notified: 0,
            broken: None,
        })
    }

    /// What it does.
    pub fn work(&self) -> &W {
        &self.work
    }

    /// Why it stopped, if it did.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// How often it looked for requests.
    pub fn notified(&self) -> u64 {
        self.notified
    }

    /// A read of the registers.
    pub fn read(&mut self, offset: u64, data: &mut [u8]) {
        if let Some(at) = offset.checked_sub(register::CONFIG) {
            return self.work.config(at, data);
        }
        // Registers are 32 bits wide and accessed as such (4.2.2.2); anything else
        // reads as zero.
        let value = match (data.len(), offset) {
            (4, register::MAGIC) => u32::from_le_bytes(*b"virt"),
            (4, register::VERSION) => 2,
            (4, register::DEVICE) => self.work.id(),
            (4, register::VENDOR) => u32::from_le_bytes(*b"unmp"),
            (4, register::DEVICE_FEATURES) => half(VERSION_1, self.device_features_sel),
            (4, register::QUEUE_NUM_MAX) if self.queue_sel == 0 => QUEUE_MAX.into(),
            (4, register::QUEUE_READY) if self.queue_sel == 0 => self.queue.ready().into(),
            (4, register::INTERRUPT_STATUS) => self.interrupt,
            (4, register::STATUS) => self.status,
            _ => 0,
        };
        let value = value.to_le_bytes();
        data.iter_mut().zip(value).for_each(|(to, from)| *to = from);
    }

    /// A write of the registers.
    pub fn write(&mut self, offset: u64, data: &[u8]) {
        let Ok(bytes) = <[u8; 4]>::try_from(data) else {
            return;
        };
        let value = u32::from_le_bytes(bytes);
        match offset {
            register::DEVICE_FEATURES_SEL => self.device_features_sel = value,
            register::DRIVER_FEATURES_SEL => self.driver_features_sel = value,
            register::DRIVER_FEATURES => match self.driver_features_sel {
                0 => self.driver_features = self.driver_features >> 32 << 32 | u64::from(value),
                1 => {
                    let low = self.driver_features & u64::from(u32::MAX);
                    self.driver_features = u64::from(value) << 32 | low;
                }
                _ => {}
            },
            register::QUEUE_SEL => self.queue_sel = value,
            register::QUEUE_NOTIFY if value == 0 => self.notify(),
            register::INTERRUPT_ACK => self.interrupt &= !value,
            register::STATUS => self.set_status(value),
            _ if self.queue_sel == 0 => self.configure(offset, value),
            _ => {}
        }
    }

    /// Registers of the selected queue, which may change until it is ready.
    fn configure(&mut self, offset: u64, value: u32) {
        let address = match offset & 4 {
            0 => (Some(value), None),
            _ => (None, Some(value)),
        };
        match (self.queue.ready(), offset & !4) {
            (false, _) if offset == register::QUEUE_NUM => {
                self.queue
                    .set_size(u16::try_from(value).unwrap_or(u16::MAX));
            }
            (_, _) if offset == register::QUEUE_READY => {
                let valid = value == 1 && {
                    self.queue.set_ready(true);
                    self.queue.is_valid(&self.memory)
                };
                self.queue.set_ready(valid);
            }
            (false, register::QUEUE_DESC) => {
                self.queue.set_desc_table_address(address.0, address.1);
            }
            (false, register::QUEUE_DRIVER) => {
                self.queue.set_avail_ring_address(address.0, address.1);
            }
            (false, register::QUEUE_DEVICE) => {
                self.queue.set_used_ring_address(address.0, address.1);
            }
            _ => {}
        }
    }

    fn set_status(&mut self, value: u32) {
        if value == 0 {
            self.queue.reset();
            self.status = 0;
            self.driver_features = 0;
            self.interrupt = 0;
            self.broken = None;
            return;
        }
        let mut value = value | self.status & NEEDS_RESET;
        // A driver that takes less, or more, than it must is refused (3.1.1).
        if self.driver_features != VERSION_1 {
            value &= !FEATURES_OK;
        }
        self.status = value;
    }

    /// Carries out everything that the driver has made available.
    pub fn notify(&mut self) {
        self.notified += 1;
        let running = self.status & (DRIVER_OK | FEATURES_OK) == DRIVER_OK | FEATURES_OK;
        if !running || self.status & NEEDS_RESET != 0 {
            return;
        }
        if let Err(why) = self.drain() {
            self.broken = Some(why);
            self.status |= NEEDS_RESET;
        }
    }

    fn drain(&mut self) -> Result<(), String> {
        let said = |e: virtio_queue::Error| e.to_string();
        let memory = &self.memory;
        // As many as there were at the beginning: a driver that adds requests
        // faster than they are done must not keep this from ending.
        for _ in 0..self.queue.size() {
            let next = self.queue.iter(memory).map_err(said)?.next();
            let Some(chain) = next else {
                break;
            };
            let head = chain.head_index();
            let written = self.work.carry_out(Request::of(chain, memory)?)?;
            self.queue.add_used(memory, head, written).map_err(said)?;
            self.interrupt |= USED_BUFFER;
        }
        Ok(())
    }
}

/// Half `select` of a 64-bit value.
fn half(value: u64, select: u32) -> u32 {
    match select {
        0 => value as u32,
        1 => (value >> 32) as u32,
        _ => 0,
    }
}
