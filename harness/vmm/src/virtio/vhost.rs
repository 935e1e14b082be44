// SPDX-License-Identifier: Apache-2.0 OR MIT
//! virtio-net served by the kernel (vhost-net): the VMM has the registers, and a
//! kernel thread reads and writes rings and frames by the VMM's mapping.

use super::{PacketSocket, net, rings::Rings, transport::VirtioDevice};
use crate::Memory;
use std::{io, sync::Arc};
use vhost::{
    VhostBackend, VhostUserMemoryRegionInfo, VringConfigData, net::VhostNet, vhost_kern::net::Net,
};
use virtio_queue::{Queue, QueueT};
use vm_memory::{Address, GuestMemoryBackend, GuestMemoryRegion};
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

/// VHOST_NET_F_VIRTIO_NET_HDR (linux/vhost_types.h): vhost adds and removes the header
/// of a frame, which a packet socket does not know.
const ADDS_HEADER: u64 = 1 << 27;

/// The network device.
pub struct Vhost {
    net: Net<Arc<Memory>>,
    memory: Arc<Memory>,
    wire: PacketSocket,
    kicks: [EventFd; 2],
    line: Option<EventFd>,
}

impl std::fmt::Debug for Vhost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vhost").field("wire", &self.wire).finish()
    }
}

impl Vhost {
    /// A device on `wire`, which signals `line` when a frame was received and the
    /// driver wants an interrupt.
    ///
    /// # Errors
    /// What the kernel says: it has no vhost-net, or this process may not use it.
    pub fn new(memory: &Memory, wire: PacketSocket, line: Option<EventFd>) -> io::Result<Self> {
        let memory = Arc::new(memory.clone());
        let net = Net::new(memory.clone()).map_err(plain)?;
        net.set_owner().map_err(plain)?;
        let kick = || EventFd::new(EFD_CLOEXEC | EFD_NONBLOCK);
        Ok(Vhost {
            net,
            memory,
            wire,
            kicks: [kick()?, kick()?],
            line,
        })
    }

    /// What wakes it for queue `index`, 0 or 1.
    pub fn kick(&self, index: usize) -> Option<&EventFd> {
        self.kicks.get(index)
    }

    /// What its frames cross.
    pub fn wire(&self) -> &PacketSocket {
        &self.wire
    }

    /// Hands queue `index` over.
    fn hand_over(&self, index: usize, queue: &Queue) -> vhost::Result<()> {
        let addresses = VringConfigData {
            queue_max_size: queue.max_size(),
            queue_size: queue.size(),
            flags: 0,
            desc_table_addr: queue.desc_table(),
            used_ring_addr: queue.used_ring(),
            avail_ring_addr: queue.avail_ring(),
            log_addr: None,
        };
        // One that was there before a reset gives up its rings first.
        self.net.set_backend(index, None)?;
        self.net.set_vring_num(index, queue.size())?;
        self.net.set_vring_base(index, queue.next_avail())?;
        self.net.set_vring_addr(index, &addresses)?;
        self.net.set_vring_kick(index, &self.kicks[index])?;
        if let (net::RECEIVE, Some(line)) = (index, &self.line) {
            self.net.set_vring_call(index, line)?;
        }
        self.net.set_backend(index, Some(self.wire.file()))
    }

    fn regions(&self) -> Result<Vec<VhostUserMemoryRegionInfo>, String> {
        let region = |region: &crate::Region| {
            let whole = region.as_volatile_slice().map_err(|e| e.to_string())?;
            Ok(VhostUserMemoryRegionInfo {
                guest_phys_addr: region.start_addr().raw_value(),
                memory_size: region.len(),
                userspace_addr: whole.ptr_guard().as_ptr().expose_provenance() as u64,
                ..Default::default()
            })
        };
        self.memory.iter().map(region).collect()
    }
}

impl VirtioDevice for Vhost {
    fn id(&self) -> u32 {
        1
    }

    fn queues(&self) -> usize {
        2
    }

    fn config(&self, offset: u64, data: &mut [u8]) {
        net::config(offset, data);
    }

    fn begin(&mut self, features: u64, rings: &mut Rings<'_>) -> Result<(), String> {
        let said = |e: vhost::Error| format!("vhost-net: {e}");
        self.net
            .set_features(features | ADDS_HEADER)
            .map_err(said)?;
        self.net.set_mem_table(&self.regions()?).map_err(said)?;
        for (index, queue) in rings.queues().iter().enumerate().take(self.kicks.len()) {
            self.hand_over(index, queue).map_err(said)?;
        }
        Ok(())
    }

    fn serve(&mut self, queue: usize, _: &mut Rings<'_>) -> Result<(), String> {
        Err(format!(
            "a notification of queue {queue} came here and not to vhost-net"
        ))
    }
}

fn plain(error: vhost::Error) -> io::Error {
    match error {
        vhost::Error::IoctlError(e) | vhost::Error::VhostOpen(e) => e,
        other => io::Error::other(other.to_string()),
    }
}
