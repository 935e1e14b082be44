// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Devices that KVM serves by itself: eventfds at an address, the registers of
//! its interrupt controllers.

use crate::{Error, Machine, call::Named};
use abi::layout;
use kvm_bindings::{KVM_IRQCHIP_IOAPIC, kvm_ioapic_state, kvm_irqchip};
use kvm_ioctls::{IoEventAddress, NoDatamatch};
use vmm_sys_util::eventfd::{EFD_NONBLOCK, EventFd};

/// An eventfd that KVM signals at writes to an address.
#[derive(Debug)]
pub struct Doorbell(EventFd);

impl Doorbell {
    /// How often it was signalled since the last call.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub fn rings(&self) -> Result<u64, Error> {
        match self.0.read() {
            Ok(n) => Ok(n),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => Ok(0),
            Err(source) => Err(Error::Call {
                call: "read(eventfd)".into(),
                source,
            }),
        }
    }
}

/// The input of the IOAPIC whose entry the guest reads.
const INPUT: u32 = 0;
/// The register of its lower half (82093AA data sheet, 3.2.4).
const REDIRECTION: u32 = 0x10 + 2 * INPUT;
/// The bit that masks an entry.
const MASKED: u64 = 1 << 16;

impl Machine {
    /// Makes KVM signal an eventfd at each write to guest-physical `address`: of 32
    /// bits that equal `data`, or of any kind.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub fn doorbell(&self, address: u64, data: Option<u32>) -> Result<Doorbell, Error> {
        let event = EventFd::new(EFD_NONBLOCK).map_err(|source| Error::Call {
            call: "eventfd(EFD_NONBLOCK)".into(),
            source,
        })?;
        match data {
            Some(data) => self.signal(address, data, &event)?,
            None => self
                .vm()
                .register_ioevent(&event, &IoEventAddress::Mmio(address), NoDatamatch)
                .call(|| format!("KVM_IOEVENTFD(addr={address:#x}, any data)"))?,
        }
        Ok(Doorbell(event))
    }

    /// Makes KVM signal `event` at each 32-bit write of `data` to guest-physical
    /// `address`.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub fn signal(&self, address: u64, data: u32, event: &EventFd) -> Result<(), Error> {
        self.vm()
            .register_ioevent(event, &IoEventAddress::Mmio(address), data)
            .call(|| format!("KVM_IOEVENTFD(addr={address:#x}, datamatch={data})"))
    }

    /// Puts `vector` into the first redirection entry of the IOAPIC, masked, and
    /// selects it. Returns what a read of the window register must give.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub fn select_ioapic_entry(&self, vector: u8) -> Result<u32, Error> {
        let mut state = kvm_ioapic_state {
            base_address: layout::IOAPIC,
            ioregsel: REDIRECTION,
            ..Default::default()
        };
        for entry in &mut state.redirtbl {
            entry.bits = MASKED;
        }
        let content = MASKED | u64::from(vector);
        state.redirtbl[INPUT as usize].bits = content;
        let mut chip = kvm_irqchip {
            chip_id: KVM_IRQCHIP_IOAPIC,
            ..Default::default()
        };
        chip.chip.ioapic = state;
        self.vm()
            .set_irqchip(&chip)
            .call(|| "KVM_SET_IRQCHIP(IOAPIC)".into())?;
        Ok(content as u32)
    }

    /// The 32-bit register at guest-physical `address` of vCPU `index`'s local
    /// APIC.
    ///
    /// # Errors
    /// [`Error::Call`]; [`Error::Config`] if there is no such register.
    pub fn lapic_register(&self, index: usize, address: u64) -> Result<u32, Error> {
        let none = || Error::Config(format!("no local APIC register at {address:#x}"));
        let offset = address.checked_sub(layout::LAPIC).ok_or_else(none)? as usize;
        let vcpu = self.vcpu(index).ok_or_else(none)?;
        let state = vcpu.fd().get_lapic().call(|| "KVM_GET_LAPIC".into())?;
        let bytes = state.regs.get(offset..offset + 4).ok_or_else(none)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |w, b| w << 8 | u32::from(*b as u8)))
    }
}
