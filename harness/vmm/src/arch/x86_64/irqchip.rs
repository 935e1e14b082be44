// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The registers of the interrupt controllers that KVM serves by itself, and interrupts
//! that an eventfd raises.

use crate::{Error, Machine, call::Named, eventfd::irqfd};
use abi::layout;
use kvm_bindings::{KVM_IRQCHIP_IOAPIC, kvm_ioapic_state, kvm_irqchip, kvm_lapic_state};
use vmm_sys_util::eventfd::EventFd;

/// The input of the IOAPIC whose entry the guest reads.
const INPUT: u32 = 0;
/// The register of its lower half (82093AA data sheet, 3.2.4).
const REDIRECTION: u32 = 0x10 + 2 * INPUT;
/// The bit that masks an entry. Without it, and all else zero, an entry is for an edge,
/// to be delivered to the local APIC with ID 0.
const MASKED: u64 = 1 << 16;

/// The local APIC's spurious-interrupt register and the bit that switches the APIC on
/// (Intel SDM vol. 3A, 12.9).
const SPURIOUS: u64 = layout::LAPIC + 0xf0;
const APIC_ENABLED: u32 = 1 << 8;
const SPURIOUS_VECTOR: u32 = 0xff;

impl Machine {
    /// Puts `vector` into the first redirection entry of the IOAPIC, masked, and
    /// selects it. Returns what a read of the window register must give.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub fn select_ioapic_entry(&self, vector: u8) -> Result<u32, Error> {
        let content = MASKED | u64::from(vector);
        self.set_ioapic(INPUT, content)?;
        Ok(content as u32)
    }

    /// Makes each signal of the returned eventfd interrupt vCPU 0 with `vector`, by
    /// input `input` of the IOAPIC.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub fn interrupt(&self, input: u32, vector: u8) -> Result<EventFd, Error> {
        self.set_ioapic(input, vector.into())?;
        self.set_lapic_register(0, SPURIOUS, APIC_ENABLED | SPURIOUS_VECTOR)?;
        irqfd(self.vm(), input)
    }

    /// Gives the IOAPIC this redirection entry, selected, and masks all others.
    fn set_ioapic(&self, input: u32, content: u64) -> Result<(), Error> {
        let mut state = kvm_ioapic_state {
            base_address: layout::IOAPIC,
            ioregsel: REDIRECTION,
            ..Default::default()
        };
        for (i, entry) in (0..).zip(&mut state.redirtbl) {
            entry.bits = if i == input { content } else { MASKED };
        }
        let mut chip = kvm_irqchip {
            chip_id: KVM_IRQCHIP_IOAPIC,
            ..Default::default()
        };
        chip.chip.ioapic = state;
        self.vm()
            .set_irqchip(&chip)
            .call(|| "KVM_SET_IRQCHIP(IOAPIC)".into())
    }

    /// The 32-bit register at guest-physical `address` of vCPU `index`'s local
    /// APIC.
    ///
    /// # Errors
    /// [`Error::Call`]; [`Error::Config`] if there is no such register.
    pub fn lapic_register(&self, index: usize, address: u64) -> Result<u32, Error> {
        let (state, at) = self.lapic(index, address)?;
        let bytes = &state.regs[at..at + 4];
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |w, b| w << 8 | u32::from(*b as u8)))
    }

    fn set_lapic_register(&self, index: usize, address: u64, value: u32) -> Result<(), Error> {
        let (mut state, at) = self.lapic(index, address)?;
        for (to, from) in state.regs[at..].iter_mut().zip(value.to_le_bytes()) {
            *to = from as _;
        }
        let vcpu = self.vcpu(index).ok_or_else(|| no_register(address))?;
        vcpu.fd().set_lapic(&state).call(|| "KVM_SET_LAPIC".into())
    }

    /// All registers of a local APIC, and the place of one among their bytes.
    fn lapic(&self, index: usize, address: u64) -> Result<(kvm_lapic_state, usize), Error> {
        let none = || no_register(address);
        let at = address.checked_sub(layout::LAPIC).ok_or_else(none)? as usize;
        let vcpu = self.vcpu(index).ok_or_else(none)?;
        let state = vcpu.fd().get_lapic().call(|| "KVM_GET_LAPIC".into())?;
        match state.regs.get(at..at + 4) {
            Some(_) => Ok((state, at)),
            None => Err(none()),
        }
    }
}

fn no_register(address: u64) -> Error {
    Error::Config(format!("no local APIC register at {address:#x}"))
}
