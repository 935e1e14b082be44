// SPDX-License-Identifier: Apache-2.0 OR MIT
//! virtio devices on the MMIO transport (virtio 1.2, split virtqueues).
//!
//! Everything that a driver says is checked before it is used: a device that is
//! told nonsense stops, sets DEVICE_NEEDS_RESET and remembers why
//! ([`Transport::broken`]); it never panics, loops or leaves guest memory.

mod block;
mod buffers;
mod disk;
mod exercise;
mod net;
mod packet;
mod raw;
mod rings;
mod thread;
mod transport;
mod uring;
mod vhost;

#[cfg(test)]
mod tests;

pub use block::Block;
pub use buffers::Request;
pub use disk::{Bounce, Disk, FileDisk, RamDisk};
pub use exercise::exercise;
pub use net::Net;
pub use packet::PacketSocket;
pub use rings::{Rings, Taken};
pub use thread::{Kicked, cpus, pin, spread};
pub use transport::{MmioDevice, Transport, VirtioDevice};
pub use uring::UringDisk;
pub use vhost::Vhost;

use std::sync::{Arc, Mutex};

/// A device that a vCPU and perhaps a thread share.
pub type Shared = Arc<Mutex<dyn MmioDevice>>;
