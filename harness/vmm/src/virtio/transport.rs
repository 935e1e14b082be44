// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The registers of virtio over MMIO (virtio 1.2, 4.2.2) and the split virtqueues
//! behind them.

use super::rings::{QUEUES_MAX, Rings};
use crate::Memory;
use std::fmt::Debug;
use virtio_queue::{Queue, QueueT};
use vmm_sys_util::eventfd::EventFd;

/// What a device does.
pub trait VirtioDevice: Debug + Send {
    /// The device's ID (5).
    fn id(&self) -> u32;

    /// Features that it offers besides VIRTIO_F_VERSION_1.
    fn features(&self) -> u64 {
        0
    }

    /// How many virtqueues it has, 1 or 2.
    fn queues(&self) -> usize;

    /// Its configuration from `offset` on.
    fn config(&self, offset: u64, data: &mut [u8]);

    /// The driver has set the device up, having agreed to `features`.
    ///
    /// # Errors
    /// Why it cannot begin. The device stops.
    fn begin(&mut self, _features: u64, _rings: &mut Rings<'_>) -> Result<(), String> {
        Ok(())
    }

    /// Serves what the driver has made available, having announced it in queue
    /// `queue`.
    ///
    /// # Errors
    /// What is wrong with a request. The device stops.
    fn serve(&mut self, queue: usize, rings: &mut Rings<'_>) -> Result<(), String>;
}

/// A device as a bus sees it.
pub trait MmioDevice: Debug + Send {
    /// A read of the registers.
    fn read(&mut self, offset: u64, data: &mut [u8]);

    /// A write of the registers.
    fn write(&mut self, offset: u64, data: &[u8]);

    /// Serves what the driver has made available in queue `queue`.
    fn notify(&mut self, queue: usize);
}

/// VIRTIO_F_VERSION_1 (6): a feature that every driver must take.
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

/// A device with its registers and its queues.
#[derive(Debug)]
pub struct Transport<W> {
    device: W,
    memory: Memory,
    queues: Vec<Queue>,
    status: u32,
    device_features_sel: u32,
    driver_features_sel: u32,
    driver_features: u64,
    queue_sel: u32,
    interrupt: u32,
    line: Option<EventFd>,
    notified: u64,
    interrupts: u64,
    broken: Option<String>,
}

impl<W: VirtioDevice> Transport<W> {
    /// A device that was just reset.
    ///
    /// # Errors
    /// If virtio-queue does not take the queue's size, which it does.
    pub fn new(device: W, memory: Memory) -> Result<Self, String> {
        let count = device.queues().min(QUEUES_MAX);
        let queues = (0..count).map(|_| Queue::new(QUEUE_MAX).map_err(|e| e.to_string()));
        Ok(Transport {
            queues: queues.collect::<Result<_, _>>()?,
            device,
            memory,
            status: 0,
            device_features_sel: 0,
            driver_features_sel: 0,
            driver_features: 0,
            queue_sel: 0,
            interrupt: 0,
            line: None,
            notified: 0,
            interrupts: 0,
            broken: None,
        })
    }

    /// The same device, which signals `line` when its driver wants an interrupt.
    pub fn interrupting(self, line: Option<EventFd>) -> Self {
        Transport { line, ..self }
    }

    /// What it does.
    pub fn device(&self) -> &W {
        &self.device
    }

    /// Why it stopped, if it did.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// How often it looked for requests.
    pub fn notified(&self) -> u64 {
        self.notified
    }

    /// How many interrupts it asked for.
    pub fn interrupts(&self) -> u64 {
        self.interrupts
    }

    /// The queue that registers are about.
    fn selected(&mut self) -> Option<&mut Queue> {
        self.queues.get_mut(self.queue_sel as usize)
    }

    /// Registers of the selected queue, which may change until it is ready.
    fn configure(&mut self, offset: u64, value: u32) {
        let memory = &self.memory;
        let Some(queue) = self.queues.get_mut(self.queue_sel as usize) else {
            return;
        };
        let address = match offset & 4 {
            0 => (Some(value), None),
            _ => (None, Some(value)),
        };
        match (queue.ready(), offset & !4) {
            (false, _) if offset == register::QUEUE_NUM => {
                queue.set_size(u16::try_from(value).unwrap_or(u16::MAX));
            }
            (_, _) if offset == register::QUEUE_READY => {
                let valid = value == 1 && {
                    queue.set_ready(true);
                    queue.is_valid(memory)
                };
                queue.set_ready(valid);
            }
            (false, register::QUEUE_DESC) => queue.set_desc_table_address(address.0, address.1),
            (false, register::QUEUE_DRIVER) => queue.set_avail_ring_address(address.0, address.1),
            (false, register::QUEUE_DEVICE) => queue.set_used_ring_address(address.0, address.1),
            _ => {}
        }
    }

    fn set_status(&mut self, value: u32) {
        if value == 0 {
            self.queues.iter_mut().for_each(QueueT::reset);
            self.status = 0;
            self.driver_features = 0;
            self.interrupt = 0;
            self.broken = None;
            return;
        }
        let mut value = value | self.status & NEEDS_RESET;
        // A driver that takes less, or more, than it must is refused (3.1.1).
        let offered = VERSION_1 | self.device.features();
        if self.driver_features & VERSION_1 == 0 || self.driver_features & !offered != 0 {
            value &= !FEATURES_OK;
        }
        let begins = running(value) && !running(self.status);
        self.status = value;
        if begins {
            let mut rings = Rings::new(&self.memory, &mut self.queues);
            let begun = self.device.begin(self.driver_features, &mut rings);
            self.stop_at(begun);
        }
    }

    /// Serves queue `queue`.
    fn serve(&mut self, queue: usize) -> Result<(), String> {
        let mut rings = Rings::new(&self.memory, &mut self.queues);
        let served = self.device.serve(queue, &mut rings);
        // What was done before something went wrong counts.
        let (used, wanted) = rings.outcome()?;
        if used {
            self.interrupt |= USED_BUFFER;
        }
        if let (true, Some(line)) = (wanted, &self.line) {
            line.write(1).map_err(|e| format!("an interrupt: {e}"))?;
            self.interrupts += 1;
        }
        served
    }

    /// Stops the device at an error.
    fn stop_at(&mut self, done: Result<(), String>) {
        if let Err(why) = done {
            self.broken = Some(why);
            self.status |= NEEDS_RESET;
        }
    }
}

impl<W: VirtioDevice> MmioDevice for Transport<W> {
    fn read(&mut self, offset: u64, data: &mut [u8]) {
        if let Some(at) = offset.checked_sub(register::CONFIG) {
            return self.device.config(at, data);
        }
        // Registers are 32 bits wide and accessed as such (4.2.2.2); anything else
        // reads as zero.
        let offered = VERSION_1 | self.device.features();
        let value = match (data.len(), offset) {
            (4, register::MAGIC) => u32::from_le_bytes(*b"virt"),
            (4, register::VERSION) => 2,
            (4, register::DEVICE) => self.device.id(),
            (4, register::VENDOR) => u32::from_le_bytes(*b"unmp"),
            (4, register::DEVICE_FEATURES) => half(offered, self.device_features_sel),
            (4, register::QUEUE_NUM_MAX) => self.selected().map_or(0, |_| QUEUE_MAX.into()),
            (4, register::QUEUE_READY) => self.selected().map_or(0, |q| q.ready().into()),
            (4, register::INTERRUPT_STATUS) => self.interrupt,
            (4, register::STATUS) => self.status,
            _ => 0,
        };
        let value = value.to_le_bytes();
        data.iter_mut().zip(value).for_each(|(to, from)| *to = from);
    }

    fn write(&mut self, offset: u64, data: &[u8]) {
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
            register::QUEUE_NOTIFY => self.notify(value as usize),
            register::INTERRUPT_ACK => self.interrupt &= !value,
            register::STATUS => self.set_status(value),
            _ => self.configure(offset, value),
        }
    }

    fn notify(&mut self, queue: usize) {
        if queue >= self.queues.len() {
            return;
        }
        self.notified += 1;
        if running(self.status) && self.status & NEEDS_RESET == 0 {
            let served = self.serve(queue);
            self.stop_at(served);
        }
    }
}

/// Whether a driver with this status has set the device up.
fn running(status: u32) -> bool {
    status & (DRIVER_OK | FEATURES_OK) == DRIVER_OK | FEATURES_OK
}

/// Half `select` of a 64-bit value.
fn half(value: u64, select: u32) -> u32 {
    match select {
        0 => value as u32,
        1 => (value >> 32) as u32,
        _ => 0,
    }
}
