// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The test device behind the MMIO window and the ports.

use crate::{
    clock, lock,
    virtio::{MmioDevice, Shared},
};
use abi::{Digest, value};
use std::sync::MutexGuard;

/// What the VMM makes KVM do at each read of the data port, before the guest goes on.
///
/// An enum and no trait object: that costs 30 instructions at each read, 1 % of what is
/// measured around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtPortRead {
    /// Nothing.
    #[default]
    Nothing,
    /// KVM_KVMCLOCK_CTRL: marks the vCPU's kvm-clock as having been stopped, so that KVM
    /// writes it before it enters the guest.
    KvmclockCtrl,
    /// KVM_SET_CLOCK to a moment ahead of now, so that KVM writes the kvm-clock of every
    /// vCPU.
    SetClock,
    /// A write of MSR_KVM_WALL_CLOCK_NEW with this guest-physical address, at which KVM
    /// writes the wall clock.
    WallClock(u64),
}

/// Hands out a sequence that the guest cannot guess, and digests what it gets,
/// so that both sides can tell whether every access arrived, once, in order.
#[derive(Debug)]
pub struct Device {
    seed: u64,
    reads: u64,
    written: Digest,
    writes: u64,
    exits: u64,
    delay: u64,
    at_port_read: AtPortRead,
    virtio: Option<Shared>,
}

impl Device {
    /// A device that answers reads with sequence `seed`.
    pub fn new(seed: u64) -> Self {
        Device {
            seed,
            reads: 0,
            written: Digest::new(),
            writes: 0,
            exits: 0,
            delay: 0,
            at_port_read: AtPortRead::Nothing,
            virtio: None,
        }
    }

    /// The same device with a virtio device beside it, whose registers are at
    /// [`abi::layout::VIRTIO`].
    pub fn with_virtio(self, virtio: Option<Shared>) -> Self {
        Device { virtio, ..self }
    }

    /// The same device, which also has something done at every read of the data port.
    pub fn at_port_read(self, at_port_read: AtPortRead) -> Self {
        Device {
            at_port_read,
            ..self
        }
    }

    /// The same device, which also works for so many ticks of the time-stamp counter
    /// at each exit: a slowdown of known size, to see whether it is found.
    pub fn delayed(self, delay: u64) -> Self {
        Device { delay, ..self }
    }

    #[inline]
    pub(crate) fn then(&self) -> AtPortRead {
        self.at_port_read
    }

    /// How many values it has handed out.
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// How many values it has taken.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// How many exits to userspace brought them; one may bring several.
    pub fn exits(&self) -> u64 {
        self.exits
    }

    /// The digest over everything written to it.
    pub fn written(&self) -> u64 {
        self.written.get()
    }

    /// A read of the virtio device's registers at `offset`; nothing if there is no
    /// such device.
    #[inline]
    pub(crate) fn registers_read(&mut self, offset: u64, data: &mut [u8]) -> Option<()> {
        self.registers()?.read(offset, data);
        self.exit();
        Some(())
    }

    /// A write of the virtio device's registers at `offset`; nothing if there is no
    /// such device.
    #[inline]
    pub(crate) fn registers_write(&mut self, offset: u64, data: &[u8]) -> Option<()> {
        self.registers()?.write(offset, data);
        self.exit();
        Some(())
    }

    #[inline]
    fn registers(&self) -> Option<MutexGuard<'_, dyn MmioDevice + 'static>> {
        self.virtio.as_deref().map(lock)
    }

    /// One exit came to its end.
    #[inline]
    fn exit(&mut self) {
        self.exits += 1;
        if self.delay > 0 {
            let begin = clock::ticks();
            while clock::ticks().wrapping_sub(begin) < self.delay {}
        }
    }

    /// One read of the MMIO window at `page`, whose number is added to the value.
    #[inline]
    pub(crate) fn read(&mut self, page: u64, data: &mut [u8]) {
        self.hand_out(page, data);
        self.exit();
    }

    #[inline]
    fn hand_out(&mut self, page: u64, data: &mut [u8]) {
        let word = value(self.seed, self.reads)
            .wrapping_add(page)
            .to_le_bytes();
        for (to, from) in data.iter_mut().zip(word) {
            *to = from;
        }
        self.reads += 1;
    }

    #[inline]
    pub(crate) fn write(&mut self, data: &[u8]) {
        self.take(data);
        self.exit();
    }

    #[inline]
    fn take(&mut self, data: &[u8]) {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(data) {
            *to = *from;
        }
        self.written.push(u64::from_le_bytes(word));
        self.writes += 1;
    }

    /// Reads of the data port that came by one exit, 4 bytes each.
    #[inline]
    pub(crate) fn port_read(&mut self, data: &mut [u8]) {
        data.chunks_mut(4).for_each(|word| self.hand_out(0, word));
        self.exit();
    }

    /// Writes of the data port that came by one exit, 4 bytes each.
    #[inline]
    pub(crate) fn port_write(&mut self, data: &[u8]) {
        data.chunks(4).for_each(|word| self.take(word));
        self.exit();
    }

    /// A read of the timer port: the time-stamp counter, slowed down as if it ran
    /// at 1 GHz, in steps of the ACPI PM timer's 3.579545 MHz. Where it runs at
    /// another pace so does this timer; nothing depends on it.
    #[inline]
    pub(crate) fn timer(&mut self, data: &mut [u8]) {
        let steps = (u128::from(clock::ticks()) * 3_579_545 / 1_000_000_000) as u32;
        for (to, from) in data.iter_mut().zip(steps.to_le_bytes()) {
            *to = from;
        }
        self.exit();
    }
}
