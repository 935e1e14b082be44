// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Eventfds between a guest and its devices: which KVM signals when the guest writes to
//! an address, and which interrupt the guest.

use crate::{
    Error, Machine,
    call::{Named, eventfd},
};
use kvm_ioctls::{IoEventAddress, NoDatamatch, VmFd};
use vmm_sys_util::eventfd::EventFd;

/// An eventfd that KVM signals at writes to an address.
#[derive(Debug)]
pub struct Ioeventfd(EventFd);

impl Ioeventfd {
    /// How often it was signalled since the last call.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub fn signals(&self) -> Result<u64, Error> {
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

impl Machine {
    /// Makes KVM signal an eventfd at each write to guest-physical `address`: of 32
    /// bits that equal `data`, or of any kind.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub fn ioeventfd(&self, address: u64, data: Option<u32>) -> Result<Ioeventfd, Error> {
        let event = eventfd()?;
        match data {
            Some(data) => self.register_ioeventfd(address, data, &event)?,
            None => self
                .vm()
                .register_ioevent(&event, &IoEventAddress::Mmio(address), NoDatamatch)
                .call(|| format!("KVM_IOEVENTFD(addr={address:#x}, any data)"))?,
        }
        Ok(Ioeventfd(event))
    }

    /// Makes KVM signal `event` at each 32-bit write of `data` to guest-physical
    /// `address`.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub fn register_ioeventfd(
        &self,
        address: u64,
        data: u32,
        event: &EventFd,
    ) -> Result<(), Error> {
        self.vm()
            .register_ioevent(event, &IoEventAddress::Mmio(address), data)
            .call(|| format!("KVM_IOEVENTFD(addr={address:#x}, datamatch={data})"))
    }
}

/// An eventfd each signal of which raises input `input` of the interrupt controllers.
///
/// # Errors
/// [`Error::Call`].
pub(crate) fn irqfd(vm: &VmFd, input: u32) -> Result<EventFd, Error> {
    let line = eventfd()?;
    vm.register_irqfd(&line, input)
        .call(|| format!("KVM_IRQFD(gsi={input})"))?;
    Ok(line)
}
