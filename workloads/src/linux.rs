// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Boots of a Linux guest: the parameters, and the steps in their order.

use crate::{Error, params::Checked};
use abi::layout;

/// What a boot of Linux is measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linux {
    /// Bytes of memory.
    pub memory: u64,
    /// How many vCPUs.
    pub cpus: u64,
    /// How kernel and initrd get into memory.
    pub load: Load,
    /// Which memory is there before the guest runs.
    pub populate: Pages,
    /// Whether there is a virtio disk, which the first process reads.
    pub disk: bool,
}

/// How a VMM loads a file into guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// The file is in the VMM's memory already: a copy through the mapping.
    Memcpy,
    /// `read` into the mapping, through the page cache.
    Read,
    /// The same with O_DIRECT, which pins the pages it reads into.
    Direct,
    /// O_DIRECT into a buffer of the VMM, and a copy from there.
    Bounce,
}

/// Which memory is there before the guest runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// What the VMM wrote to; the guest's own touches bring the rest.
    Lazy,
    /// All: the VMM wrote to each page once, through its mapping.
    All,
}

/// The steps of a boot, in order.
pub(crate) const PHASES: &[&str] = &[
    "create-vm",
    "create-memory",
    "populate",
    "load",
    "create-vcpu",
    "first-instruction",
    "kernel-entry",
    "console",
    "init",
    "halt",
    "destroy-vm",
    "release-memory",
];

/// The least memory that a kernel of any distribution gets by with.
const MEMORY_MIN_MIB: u64 = 64;

pub(crate) fn script(memory: u64, cpus: u64, params: &Checked<'_>) -> Result<Linux, Error> {
    // Below the interrupt controllers, so that memory has no hole.
    params.within("mem_mib", MEMORY_MIN_MIB..=layout::MEMORY_MAX_IRQCHIP >> 20)?;
    let loads = [
        ("memcpy", Load::Memcpy),
        ("read", Load::Read),
        ("direct", Load::Direct),
        ("bounce", Load::Bounce),
    ];
    Ok(Linux {
        memory,
        cpus,
        load: params.word("load", &loads)?,
        disk: params.word("disk", &[("none", false), ("virtio", true)])?,
        populate: params.word("populate", &[("lazy", Pages::Lazy), ("all", Pages::All)])?,
    })
}
