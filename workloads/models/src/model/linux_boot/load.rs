// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Ways of loading a kernel and its initrd into guest memory.

use crate::{BadParameter, CellError, LinuxGuest, Parameters, model::virtio::disk::no_directory};
use observe::audit::scratch;
use std::{fs::File, io, os::unix::fs::FileExt};
use vmm::linux::{Source, Way};

/// How a VMM loads a file into guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// The file is in the VMM's memory already: a copy through the mapping.
    Memcpy,
    /// `read` into the mapping, through the page cache.
    Read,
    /// The same with O_DIRECT, which pins the pages it reads into.
    Direct,
    /// O_DIRECT into a buffer of the VMM, and a copy from there.
    Bounce,
}

impl Load {
    pub(super) fn of(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let loads = [
            ("memcpy", Load::Memcpy),
            ("read", Load::Read),
            ("direct", Load::Direct),
            ("bounce", Load::Bounce),
        ];
        params.word("load", &loads)
    }

    /// Kernel and initrd, to be loaded this way.
    pub(super) fn sources(
        self,
        guest: &LinuxGuest,
        lab: bool,
    ) -> Result<(Source, Source), CellError> {
        let kernel = guest.image.bytes().to_vec();
        let initrd = guest.initrd.clone();
        let base = Source::room(kernel.len() as u64);
        let len = base + Source::room(initrd.len() as u64);
        let said = |e: io::Error| CellError::from(format!("a file to load from: {e}"));
        let write = |file: &File| {
            file.write_all_at(&kernel, 0)?;
            file.write_all_at(&initrd, base)?;
            file.sync_data()
        };
        let (file, way): (_, fn(File) -> Way) = match self {
            Load::Memcpy => {
                return Ok((
                    Source::new(kernel, Way::Memcpy, 0),
                    Source::new(initrd, Way::Memcpy, 0),
                ));
            }
            Load::Read => {
                let file = tempfile::tempfile().map_err(said)?;
                write(&file).map_err(said)?;
                (file, Way::Read)
            }
            Load::Direct | Load::Bounce => {
                let (plain, direct) = scratch(len, lab).map_err(no_directory)?;
                write(&plain).map_err(said)?;
                match self {
                    Load::Direct => (direct, Way::Direct),
                    _ => (direct, Way::Bounce),
                }
            }
        };
        let second = file.try_clone().map_err(said)?;
        Ok((
            Source::new(kernel, way(file), 0),
            Source::new(initrd, way(second), base),
        ))
    }

    /// What it means that a machine was not built.
    pub(super) fn refused(self, error: vmm::Error) -> CellError {
        match error.errno() {
            errno @ Some(libc::EFAULT) if self == Load::Direct => CellError::missing(
                format!("the kernel does not pin this memory for O_DIRECT ({error})"),
                "load by way of a buffer (load=bounce), or without O_DIRECT (load=read)",
            )
            .with_errno(errno),
            _ => error.into(),
        }
    }
}
