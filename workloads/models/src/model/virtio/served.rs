// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A device that a guest can drive, which thread serves it, and what it counts.

use crate::CellError;
use abi::layout;
use std::{
    cell::Cell,
    io,
    sync::{Arc, Mutex, MutexGuard},
};
use vmm::{
    Machine, lock,
    virtio::{self, Kicked, Shared, Transport, VirtioDevice},
};
use vmm_sys_util::eventfd::EventFd;

/// The register that a driver writes to announce requests (virtio 1.2, 4.2.2).
pub(super) const QUEUE_NOTIFY: u64 = layout::VIRTIO + 0x50;

/// What a device counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Requests that it completed well, or frames that came back.
    pub(super) requests: u64,
    /// Bytes that they moved.
    pub(super) moved: u64,
    /// Bytes that the VMM copied.
    pub(super) copied: u64,
    /// How often the VMM was notified.
    pub(super) notified: u64,
    /// How often the VMM interrupted.
    pub(super) interrupts: u64,
    /// Whether the kernel does the work, so that the VMM counts requests alone.
    pub(super) elsewhere: bool,
}

impl Count {
    fn since(self, before: Count) -> Count {
        Count {
            requests: self.requests - before.requests,
            moved: self.moved - before.moved,
            copied: self.copied - before.copied,
            notified: self.notified - before.notified,
            interrupts: self.interrupts - before.interrupts,
            elsewhere: self.elsewhere,
        }
    }
}

/// A device of kind `D`.
pub(super) struct Served<D> {
    device: Arc<Mutex<Transport<D>>>,
    /// Ends the thread when dropped.
    _kicked: Option<Kicked>,
    last: Cell<Count>,
}

impl<D: VirtioDevice + 'static> Served<D> {
    /// A device that the vCPU's thread serves, and that interrupts by `line`.
    pub(super) fn new(
        device: D,
        line: Option<EventFd>,
        machine: &Machine,
    ) -> Result<Self, CellError> {
        let device = Transport::new(device, machine.memory().clone())?;
        Ok(Served {
            device: Arc::new(Mutex::new(device.interrupting(line))),
            _kicked: None,
            last: Cell::default(),
        })
    }

    /// The same, served by another thread at each notification of `queue`, on CPU `cpu` if
    /// one is named.
    pub(super) fn by_thread(
        self,
        queue: usize,
        cpu: Option<usize>,
        machine: &Machine,
    ) -> Result<Self, CellError> {
        let kicked = Kicked::serve(self.shared(), queue, cpu)
            .map_err(|e| format!("a thread for the virtio device: {e}"))?;
        machine.register_ioeventfd(QUEUE_NOTIFY, queue as u32, kicked.eventfd())?;
        Ok(Served {
            _kicked: Some(kicked),
            ..self
        })
    }

    /// The device, for a vCPU.
    pub(super) fn shared(&self) -> Shared {
        self.device.clone()
    }

    /// The device, which has followed its driver so far.
    ///
    /// # Errors
    /// Why it stopped.
    pub(super) fn intact(&self) -> Result<MutexGuard<'_, Transport<D>>, CellError> {
        let device = lock(&self.device);
        match device.broken() {
            Some(why) => Err(format!("the virtio device stopped: {why}").into()),
            None => Ok(device),
        }
    }

    /// What has been counted since the last call, where it is `now` in all.
    pub(super) fn since_last(&self, now: Count) -> Count {
        now.since(self.last.replace(now))
    }
}

/// Puts this thread, which runs the vCPU, on one CPU; returns another one.
pub(super) fn two_cpus() -> Result<usize, CellError> {
    let said = |e: io::Error| format!("choosing a CPU for a thread: {e}");
    let cpus = virtio::cpus().map_err(said)?;
    let [first, second, ..] = cpus[..] else {
        return Err(CellError::missing(
            "there is one CPU, and a thread cannot be apart from the vCPU's",
            "two CPUs (in the lab: --cpus 2)",
        ));
    };
    virtio::pin(first).map_err(said)?;
    Ok(second)
}
