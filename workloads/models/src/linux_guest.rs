// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a Linux guest boots.

use vmm::linux::Image;

/// A kernel, the initrd for it and the command line.
#[derive(Debug)]
pub struct LinuxGuest {
    /// The kernel.
    pub image: Image,
    /// The initrd: a cpio archive, compressed or not.
    pub initrd: Vec<u8>,
    /// The whole command line.
    pub cmdline: String,
    /// Whether kernel and initrd are this program's own, so that it is known how long a
    /// boot may take.
    pub ours: bool,
}
