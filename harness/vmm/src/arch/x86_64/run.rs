// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The run loop of the payload's vCPU.

use crate::{AtPortRead, Device, Error, Event, Exit, Registers, Vcpu, deadline::Deadline};
use abi::{layout, port};
use kvm_ioctls::{SyncReg, VcpuExit, VmFd};
use std::time::Duration;

impl Vcpu {
    /// Lets the guest ask by [`port::ASK`]: every exit brings its registers.
    pub fn share_registers(&mut self) {
        self.fd.set_sync_valid_reg(SyncReg::Register);
    }

    /// Runs until the payload says something; `device` answers its accesses. `vm`
    /// is the vCPU's own.
    ///
    /// # Errors
    /// [`Error::Run`], [`Error::Hung`] after `limit`, or [`Error::Exit`].
    #[expect(unsafe_code)] // UNSAFETY: hands the watchdog an address in kvm_run
    pub fn run(&mut self, vm: &VmFd, device: &mut Device, limit: Duration) -> Result<Event, Error> {
        // SAFETY: dropped when this function returns, on this thread.
        let deadline = unsafe { Deadline::of(&mut self.fd, limit) }?;
        loop {
            let exit = match self.fd.run() {
                Ok(VcpuExit::MmioRead(address, data)) if in_mmio(address) => {
                    device.read((address - layout::MMIO) / layout::PAGE, data);
                    continue;
                }
                Ok(VcpuExit::MmioWrite(address, data)) if in_mmio(address) => {
                    device.write(data);
                    continue;
                }
                Ok(VcpuExit::IoIn(port::DATA, data)) => {
                    device.port_read(data);
                    if device.then() != AtPortRead::Nothing {
                        self.force(vm, device.then())?;
                    }
                    continue;
                }
                Ok(VcpuExit::IoOut(port::DATA, data)) => {
                    device.port_write(data);
                    continue;
                }
                Ok(VcpuExit::IoIn(port::TIMER, data)) => {
                    device.timer(data);
                    continue;
                }
                Ok(VcpuExit::IoOut(port::ASK, _)) => match self.answer(device) {
                    Ok(()) => continue,
                    Err(what) => Exit::Other(what),
                },
                Ok(VcpuExit::MmioRead(address, data)) if is_register(address) => {
                    match device.registers_read(address - layout::VIRTIO, data) {
                        Some(()) => continue,
                        None => lacking("MmioRead", address),
                    }
                }
                Ok(VcpuExit::MmioWrite(address, data)) if is_register(address) => {
                    match device.registers_write(address - layout::VIRTIO, data) {
                        Some(()) => continue,
                        None => lacking("MmioWrite", address),
                    }
                }
                Ok(VcpuExit::IoOut(port::DONE, _)) => return Ok(Event::Done),
                Ok(VcpuExit::IoOut(port::START, _)) => return Ok(Event::Started),
                Ok(VcpuExit::IoOut(port::PANIC, _)) => return Ok(Event::Panicked),
                Ok(VcpuExit::Shutdown) => Exit::Shutdown,
                Ok(VcpuExit::InternalError) => Exit::internal(&mut self.fd),
                Ok(exit) => Exit::Other(format!("{exit:?}")),
                Err(e) => {
                    deadline.judge(&self.fd, e)?;
                    continue;
                }
            };
            return Err(Error::Exit {
                exit,
                registers: Registers::of(&self.fd),
            });
        }
    }

    /// Answers what the guest asks by its registers: a 32-bit read of the MMIO
    /// window.
    fn answer(&mut self, device: &mut Device) -> Result<(), String> {
        let address = self.fd.sync_regs().regs.rdi;
        if !in_mmio(address) {
            return Err(format!("a read of {address:#x} was asked for"));
        }
        let mut word = [0; 4];
        device.read((address - layout::MMIO) / layout::PAGE, &mut word);
        self.fd.sync_regs_mut().regs.rax = u32::from_le_bytes(word).into();
        self.fd.set_sync_dirty_reg(SyncReg::Register);
        Ok(())
    }
}

fn lacking(access: &str, address: u64) -> Exit {
    Exit::Other(format!("{access}({address:#x}) without a virtio device"))
}

fn is_register(address: u64) -> bool {
    (layout::VIRTIO..layout::VIRTIO + layout::VIRTIO_SIZE).contains(&address)
}

fn in_mmio(address: u64) -> bool {
    (layout::MMIO..layout::MMIO + layout::MMIO_SIZE).contains(&address)
}
