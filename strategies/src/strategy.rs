// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a strategy is, and the memory it hands out.

use crate::{Error, mapping::Mapping};
use kvm_ioctls::VmFd;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The page size a strategy promises for guest memory in the host's page
/// tables. It is checked in every cell: an arm that got another page size
/// would measure page size and call it isolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSize {
    /// 4 KiB only.
    Base,
    /// 2 MiB wherever an aligned 2 MiB of memory was touched.
    Huge,
}

/// A guest-memory strategy.
pub struct Strategy {
    /// The name on the command line and in records.
    pub name: &'static str,
    /// One line for a person: backing, page size, direct map, access path.
    pub about: &'static str,
    /// Whether it claims that the host kernel's direct map has no entry for
    /// guest memory. The claim is proved before it is reported.
    pub isolating: bool,
    /// The page size it promises.
    pub page_size: PageSize,
    /// Memory of `len` bytes, zero-filled, for `vm`. The memory must outlive
    /// every memslot made of it.
    pub allocate: fn(vm: &VmFd, len: u64) -> Result<GuestRam, Error>,
    /// What it means when this kernel refuses the strategy at some stage.
    pub explain: fn(&Refusal) -> Missing,
}

impl std::fmt::Debug for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Strategy").field(&self.name).finish()
    }
}

/// Where a trial stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Allocating or mapping the memory.
    Allocate,
    /// Making a memslot of it.
    Memslot,
    /// The first access from the host: a signal killed the process.
    Touch,
    /// KVM_RUN returned an error.
    Run,
    /// It runs, but not with the page size it promises.
    PageSize,
}

/// How a kernel refused a strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where.
    pub stage: Stage,
    /// The kernel's errno, where there was one.
    pub errno: Option<i32>,
    /// What was seen, one line: the call and the kernel's answer.
    pub seen: String,
}

/// An ability that this machine lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What is missing, with what was seen.
    pub reason: String,
    /// What would provide it.
    pub remedy: String,
}

impl Missing {
    pub(crate) fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Missing {
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }

    /// The explanation of a refusal that the strategy knows nothing special
    /// about.
    pub(crate) fn plain(refusal: &Refusal) -> Self {
        Self::new(
            refusal.seen.clone(),
            "this strategy runs on any stock kernel: see the kernel log for why this one refuses",
        )
    }
}

/// Guest memory: a mapping in this process and, for guest_memfd, the file that
/// KVM itself maps from. Dropping it releases both.
#[derive(Debug)]
pub struct GuestRam {
    mapping: Mapping,
    guest_memfd: Option<OwnedFd>,
}

impl GuestRam {
    /// Memory that KVM reaches through the mapping.
    pub(crate) fn mapped(mapping: Mapping) -> Self {
        GuestRam {
            mapping,
            guest_memfd: None,
        }
    }

    /// Memory that KVM reaches through `file`, mapped here as well.
    pub(crate) fn guest_memfd(mapping: Mapping, file: OwnedFd) -> Self {
        GuestRam {
            mapping,
            guest_memfd: Some(file),
        }
    }

    /// Where it is mapped in this process. Aligned to 2 MiB.
    pub fn host_address(&self) -> *mut u8 {
        self.mapping.address()
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.mapping.len()
    }

    /// Whether it has no bytes; it always has some.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file to put into the memslot: `Some` asks for a memslot of
    /// KVM_SET_USER_MEMORY_REGION2 with KVM_MEM_GUEST_MEMFD.
    pub fn guest_memfd_file(&self) -> Option<BorrowedFd<'_>> {
        self.guest_memfd.as_ref().map(|f| f.as_fd())
    }
}
