// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a VM does to those who have nothing to do with it: work of the host's kernel
//! before and after a VM, and a process on another CPU beside one.

use crate::{
    Call, Error,
    params::Checked,
    script::{Access, Setup},
};
use abi::layout;

/// Work of the host before a VM was there, and again after it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Victim {
    /// What the host does.
    pub work: HostWork,
    /// How many things it works on, one after the other in random order.
    pub things: u64,
    /// Samples each time.
    pub count: u64,
    /// Operations in a sample.
    pub batch: u64,
    /// What the VM's guest does: it touches all its memory in random order.
    pub touch: Call,
}

/// What the host's kernel does, over memory that it reaches by the direct map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostWork {
    /// Reads of 64 bytes, each of another page of a file that is in memory.
    PageCache,
    /// A page into one of many pipes, each half full, and a page out of it.
    Pipe,
    /// Asking for the state of one of many files by its name.
    Stat,
}

/// A process on another CPU, alone and beside a VM that is busy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// What the VM's guest does meanwhile.
    pub call: Call,
}

/// What a file's inode and its name take in the kernel, bytes: of tmpfs about 720 and
/// 192, and the list of a directory.
const INODE: u64 = 1024;

/// More pipes would need more descriptors than a process gets by default.
const PIPES_MAX: u64 = 400;

/// More files would take longer to make than all else.
const FILES_MAX: u64 = 8192;

impl HostWork {
    /// Pages in each pipe, which has room for 16.
    pub const PIPE_PAGES: u64 = 8;
}

/// `count` samples of `batch` operations on `footprint_mib` MiB of whatever `work` says.
pub(crate) fn victim(touch: Call, params: &Checked<'_>) -> Result<Victim, Error> {
    let works = [
        ("page-cache", HostWork::PageCache),
        ("pipe", HostWork::Pipe),
        ("stat", HostWork::Stat),
    ];
    let work = params.word("work", &works)?;
    let bytes = params.within("footprint_mib", 1..=1024)? << 20;
    let pipe = HostWork::PIPE_PAGES * layout::PAGE;
    let things = match work {
        HostWork::PageCache => bytes / layout::PAGE,
        HostWork::Pipe => (bytes / pipe).min(PIPES_MAX),
        HostWork::Stat => (bytes / INODE).min(FILES_MAX),
    };
    Ok(Victim {
        work,
        things,
        count: params.within("count", 1..=1000)?,
        batch: params.within("batch", 1..=1 << 20)?,
        touch,
    })
}

/// A neighbour of a guest that does `call`, which must need no preparation.
pub(crate) fn neighbour(call: Call) -> Neighbour {
    debug_assert_eq!(call.setup, Setup::Nothing);
    debug_assert_ne!(call.proof.access, Access::Nothing);
    Neighbour { call }
}
