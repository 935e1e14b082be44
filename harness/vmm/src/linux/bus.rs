// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a Linux guest finds at ports and addresses without memory: a serial port, a
//! reset, the registers of its first process. Whatever else it tries is not there.

use super::{
    disk::{self, Disk},
    vcpu::lock,
};
use crate::{clock, virtio::MmioDevice};
use abi::{init, port};
use kvm_ioctls::VmFd;
use std::{io, sync::Arc};
use vm_superio::{Serial, Trigger, serial::NoEvents};

/// COM1 of a PC, and its interrupt.
const SERIAL: u16 = 0x3f8;
const SERIAL_END: u16 = 0x3ff;
const SERIAL_INTERRUPT: u32 = 4;
/// The keyboard controller, whose command 0xfe resets a PC.
const KEYBOARD: u16 = 0x64;
const RESET: u8 = 0xfe;
/// The clock of a PC: which register, and its content (MC146818 data sheet). It stands
/// still; a kernel that finds none waits for it, for a second.
const CLOCK_INDEX: u16 = 0x70;
const CLOCK_DATA: u16 = 0x71;
/// The most of a console that is kept.
const CONSOLE_MAX: usize = 1 << 20;

/// How a guest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its kernel asked for a reset.
    Reset,
    /// By a triple fault, with which a kernel can also reset a PC.
    TripleFault,
    /// It did not: another vCPU did.
    Stopped,
}

/// What the first process said, and what it took to hear it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// KiB of memory that it was given to use.
    pub memory_kib: u64,
    /// CPUs that it may run on.
    pub cpus: u64,
    /// Words of the disk that it found right.
    pub disk_words: u64,
    /// Whether it was about to end the machine when the machine ended.
    pub leaving: bool,
    /// How often an access had to be tried again: see `RETRIES_MAX` of the run loop.
    pub retries: u64,
}

/// When something was seen for the first time, in ticks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    pub(super) first_instruction: Option<u64>,
    pub(super) kernel_entry: Option<u64>,
    pub(super) init: Option<u64>,
    pub(super) end: Option<u64>,
}

/// What came out of the serial port.
#[derive(Debug, Default)]
pub struct Console {
    bytes: Vec<u8>,
    pub(super) first: Option<u64>,
}

impl Console {
    /// As text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).replace('\r', "")
    }
}

impl io::Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.first.get_or_insert_with(clock::ticks);
        let room = CONSOLE_MAX - self.bytes.len();
        self.bytes.extend(&bytes[..bytes.len().min(room)]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The serial port's interrupt, an edge. By an ioctl and not an eventfd, which
/// would leave it to a thread of the kernel.
#[derive(Debug)]
struct Interrupt(Arc<VmFd>);

impl Trigger for Interrupt {
    type E = kvm_ioctls::Error;

    fn trigger(&self) -> Result<(), Self::E> {
        self.0.set_irq_line(SERIAL_INTERRUPT, true)?;
        self.0.set_irq_line(SERIAL_INTERRUPT, false)
    }
}

/// Everything that answers a guest.
pub(super) struct Bus {
    serial: Serial<Interrupt, NoEvents, Console>,
    clock_index: u8,
    disk: Option<Disk>,
    pub(super) marks: Marks,
    pub(super) said: Said,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").field("marks", &self.marks).finish()
    }
}

/// Midnight of 1 January 2026, in BCD.
fn clock_register(index: u8) -> u8 {
    match index {
        0x06 => 0x05,        // a Thursday
        0x07 | 0x08 => 0x01, // day, month
        0x09 => 0x26,
        0x0a => 0x26, // no update in progress, the usual rate
        0x0b => 0x02, // 24 hours
        0x0d => 0x80, // the battery is fine
        0x32 => 0x20, // century
        _ => 0,
    }
}

impl Bus {
    pub(super) fn new(vm: Arc<VmFd>, disk: Option<Disk>) -> Self {
        Bus {
            serial: Serial::new(Interrupt(vm), Console::default()),
            clock_index: 0,
            disk,
            marks: Marks::default(),
            said: Said::default(),
        }
    }

    pub(super) fn console(&self) -> &Console {
        self.serial.writer()
    }

    /// A write to a port, and whether it ends the machine.
    ///
    /// # Errors
    /// What went wrong, one line.
    pub(super) fn port_write(&mut self, at: u16, data: &[u8]) -> Result<Option<End>, String> {
        match (at, data) {
            (SERIAL..=SERIAL_END, data) => {
                for byte in data {
                    let written = self.serial.write((at - SERIAL) as u8, *byte);
                    written.map_err(|e| format!("the serial port: {e:?}"))?;
                }
            }
            (KEYBOARD, [RESET]) => {
                self.ended();
                return Ok(Some(End::Reset));
            }
            (CLOCK_INDEX, [index]) => self.clock_index = index & 0x7f,
            (port::START, _) => {
                self.marks
                    .first_instruction
                    .get_or_insert_with(clock::ticks);
            }
            (at, data) => {
                if let Some(register) = at.checked_sub(init::PORT) {
                    self.told(register.into(), data);
                }
            }
        }
        Ok(None)
    }

    pub(super) fn port_read(&mut self, at: u16, data: &mut [u8]) {
        match at {
            SERIAL..=SERIAL_END => {
                for byte in data {
                    *byte = self.serial.read((at - SERIAL) as u8);
                }
            }
            // It has nothing to say, and is ready for a command.
            KEYBOARD => data.fill(0),
            CLOCK_DATA => data.fill(clock_register(self.clock_index)),
            _ => data.fill(0xff),
        }
    }

    pub(super) fn memory_write(&mut self, at: u64, data: &[u8]) {
        match (&self.disk, disk::register(at)) {
            (Some(disk), Some(offset)) => lock(disk).write(offset, data),
            _ => {
                if let Some(register) = at.checked_sub(init::PAGE) {
                    self.told(register, data);
                }
            }
        }
    }

    pub(super) fn memory_read(&mut self, at: u64, data: &mut [u8]) {
        match (&self.disk, disk::register(at)) {
            (Some(disk), Some(offset)) => lock(disk).read(offset, data),
            _ => data.fill(0xff),
        }
    }

    /// The kernel runs its own first instruction next.
    pub(super) fn entered(&mut self) {
        self.marks.kernel_entry.get_or_insert_with(clock::ticks);
    }

    /// An access is tried again.
    pub(super) fn retried(&mut self) {
        self.said.retries += 1;
    }

    /// The machine is at its end.
    pub(super) fn ended(&mut self) {
        self.marks.end.get_or_insert_with(clock::ticks);
    }

    /// The first process writes a register.
    fn told(&mut self, register: u64, data: &[u8]) {
        let Ok(word) = <[u8; 4]>::try_from(data) else {
            return;
        };
        let value = u32::from_le_bytes(word);
        match (register, value) {
            (init::REACHED, init::MAGIC) => {
                self.marks.init.get_or_insert_with(clock::ticks);
            }
            (init::MEMORY, kib) => self.said.memory_kib = kib.into(),
            (init::CPUS, n) => self.said.cpus = n.into(),
            (init::DISK, n) => self.said.disk_words = n.into(),
            (init::LEAVING, init::MAGIC) => self.said.leaving = true,
            _ => {}
        }
    }
}
