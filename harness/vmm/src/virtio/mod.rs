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
mod raw;
mod thread;
mod transport;
mod uring;

#[cfg(test)]
mod tests;

pub use block::Block;
pub use buffers::Request;
pub use disk::{Bounce, Disk, FileDisk, RamDisk};
pub use exercise::exercise;
pub use thread::Kicked;
pub use transport::{Transport, Work};
pub use uring::UringDisk;

use std::sync::{Arc, Mutex};

/// A block device that a vCPU and perhaps a thread share.
pub type SharedBlock = Arc<Mutex<Transport<Block>>>;
