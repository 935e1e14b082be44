// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a Linux guest finds at the ports of a PC: a serial port, a reset, a clock that
//! stands still. Whatever else it tries is not there.

use crate::linux::{Console, End, Progress};
use abi::{init, port};
use kvm_ioctls::VmFd;
use std::sync::Arc;
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

/// The devices behind the ports.
pub(crate) struct Ports {
    serial: Serial<Interrupt, NoEvents, Console>,
    clock_index: u8,
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

impl Ports {
    pub(crate) fn new(vm: Arc<VmFd>) -> Self {
        Ports {
            serial: Serial::new(Interrupt(vm), Console::default()),
            clock_index: 0,
        }
    }

    pub(crate) fn console(&self) -> &Console {
        self.serial.writer()
    }

    /// A write to a port, and whether it ends the machine.
    ///
    /// # Errors
    /// What went wrong, one line.
    pub(crate) fn write(
        &mut self,
        at: u16,
        data: &[u8],
        progress: &mut Progress,
    ) -> Result<Option<End>, String> {
        match (at, data) {
            (SERIAL..=SERIAL_END, data) => {
                for byte in data {
                    let written = self.serial.write((at - SERIAL) as u8, *byte);
                    written.map_err(|e| format!("the serial port: {e:?}"))?;
                }
            }
            (KEYBOARD, [RESET]) => {
                progress.ended();
                return Ok(Some(End::Reset));
            }
            (CLOCK_INDEX, [index]) => self.clock_index = index & 0x7f,
            (port::START, _) => progress.started(),
            (at, data) => {
                if let Some(register) = at.checked_sub(init::PORT) {
                    progress.told(register.into(), data);
                }
            }
        }
        Ok(None)
    }

    pub(crate) fn read(&mut self, at: u16, data: &mut [u8]) {
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
}
