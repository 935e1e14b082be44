// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The virtqueues of a device as it sees them while it serves: chains to take, and
//! chains to give back.

use super::buffers::Request;
use crate::Memory;
use std::sync::atomic::{Ordering, fence};
use virtio_queue::{Queue, QueueOwnedT, QueueT};
use vm_memory::{Bytes, GuestAddress};

/// The most virtqueues of a device here.
pub(super) const QUEUES_MAX: usize = 2;

/// VIRTQ_AVAIL_F_NO_INTERRUPT (2.7.6): the driver polls.
const NO_INTERRUPT: u16 = 1;

/// All virtqueues of a device.
#[derive(Debug)]
pub struct Rings<'m> {
    memory: &'m Memory,
    queues: &'m mut [Queue],
    left: [u16; QUEUES_MAX],
    used: [bool; QUEUES_MAX],
}

/// A descriptor chain that was taken from a virtqueue.
#[derive(Debug)]
pub struct Taken<'m> {
    pub(super) head: u16,
    pub(super) request: Request<'m>,
}

impl<'m> Rings<'m> {
    pub(super) fn new(memory: &'m Memory, queues: &'m mut [Queue]) -> Self {
        // As many as a queue holds: a driver that adds requests faster than they are
        // done must not keep the device from coming to an end.
        let left = std::array::from_fn(|i| queues.get(i).map_or(0, Queue::size));
        Rings {
            memory,
            queues,
            left,
            used: [false; QUEUES_MAX],
        }
    }

    /// The next chain that the driver made available in queue `index`, if there is
    /// one.
    ///
    /// # Errors
    /// What is wrong with the ring or the chain.
    pub(super) fn take(&mut self, index: usize) -> Result<Option<Taken<'m>>, String> {
        let Some(queue) = self.queues.get_mut(index).filter(|q| q.ready()) else {
            return Ok(None);
        };
        if self.left[index] == 0 {
            return Ok(None);
        }
        self.left[index] -= 1;
        let chain = queue.iter(self.memory).map_err(said)?.next();
        let taken = chain.map(|chain| {
            let head = chain.head_index();
            let request = Request::of(chain, self.memory)?;
            Ok(Taken { head, request })
        });
        taken.transpose()
    }

    /// Gives the chain that began at `head` back to the driver of queue `index`;
    /// `written` bytes of it are new.
    ///
    /// # Errors
    /// What is wrong with the ring.
    pub(super) fn give_back(
        &mut self,
        index: usize,
        head: u16,
        written: u32,
    ) -> Result<(), String> {
        let queue = self.queues.get_mut(index).ok_or("no such queue")?;
        queue.add_used(self.memory, head, written).map_err(said)?;
        self.used[index] = true;
        Ok(())
    }

    /// Whether any chain was given back, and whether a driver wants to be interrupted
    /// for one.
    ///
    /// # Errors
    /// What is wrong with the ring.
    pub(super) fn outcome(&self) -> Result<(bool, bool), String> {
        let mut wanted = false;
        // The driver may look at the used ring first and at its own flag then.
        fence(Ordering::SeqCst);
        for (queue, used) in self.queues.iter().zip(self.used) {
            if used {
                let flags = self
                    .memory
                    .read_obj::<u16>(GuestAddress(queue.avail_ring()));
                wanted |= flags.map_err(|e| e.to_string())? & NO_INTERRUPT == 0;
            }
        }
        Ok((self.used.contains(&true), wanted))
    }

    /// Tells the driver that it need not announce what it makes available in queue
    /// `index`.
    ///
    /// # Errors
    /// What is wrong with the ring.
    pub(super) fn quiet(&mut self, index: usize) -> Result<(), String> {
        let queue = self.queues.get_mut(index).ok_or("no such queue")?;
        queue.disable_notification(self.memory).map_err(said)
    }

    /// The queues themselves, for one who serves them elsewhere.
    pub(super) fn queues(&self) -> &[Queue] {
        self.queues
    }
}

fn said(e: virtio_queue::Error) -> String {
    e.to_string()
}
