// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a machine that boots Linux is made of.

use super::{Kind, Source};
use std::time::Duration;

/// What a machine is made of, but for its memory and files.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many vCPUs.
    pub vcpus: u64,
    /// Bytes of memory, at most [`abi::layout::MEMORY_MAX_IRQCHIP`].
    pub memory: u64,
    /// Whether every page is written to before anything is loaded.
    pub populate: bool,
    /// How long the guest may take to its end.
    pub limit: Duration,
}

/// What is loaded.
#[derive(Debug)]
pub struct Files<'a> {
    /// The kernel.
    pub kernel: &'a mut Source,
    /// What it is.
    pub kind: Kind,
    /// The initrd.
    pub initrd: &'a mut Source,
    /// The kernel's command line, but for what it must hear of a disk.
    pub cmdline: &'a str,
    /// The content of a disk, if there is one.
    pub disk: Option<Vec<u8>>,
}
