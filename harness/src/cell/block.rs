// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The block device of a cell: its disk, who serves it, and what it saw.

use super::Stop;
use crate::audit::direct_io;
use abi::{Request, layout, pattern};
use std::{
    cell::Cell,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use strategies::Missing;
use vmm::{
    Machine,
    virtio::{self, Disk, FileDisk, Kicked, RamDisk, SharedBlock, Transport, UringDisk},
};
use workloads::{Access, Backend, Block, Bounce, Call, Notify};

/// The register that a driver writes to announce requests (virtio 1.2, 4.2.2).
const QUEUE_NOTIFY: u64 = layout::VIRTIO + 0x50;

/// A block device that a guest can drive.
pub(super) struct Ready {
    device: SharedBlock,
    /// Ends the thread when dropped.
    _kicked: Option<Kicked>,
    seen: Cell<Count>,
}

/// What a device counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Requests that it completed well.
    pub(super) requests: u64,
    /// Bytes that they moved.
    pub(super) moved: u64,
    /// Bytes that the VMM copied.
    pub(super) copied: u64,
    /// How often it was notified.
    pub(super) notified: u64,
}

impl Ready {
    /// Makes the device that `call` needs. In the lab (`overwrite`) a RAM disk may
    /// be its disk.
    pub(super) fn make(
        block: Block,
        call: &Call,
        machine: &Machine,
        overwrite: bool,
    ) -> Result<Self, Stop> {
        let content = match call.proof.access {
            Access::BlockRead => content(call.measured.args.seed),
            _ => vec![0; layout::DISK as usize],
        };
        let disk = disk(block, content, machine, overwrite)?;
        let device = virtio::Block::new(disk);
        let device = Transport::new(device, machine.memory().clone()).map_err(Stop::Unproved)?;
        let device = Arc::new(Mutex::new(device));
        let kicked = match block.notify {
            Notify::Exit => None,
            Notify::Ioeventfd => {
                let kicked = Kicked::serve(device.clone())
                    .map_err(|e| Stop::Unproved(format!("a thread for the block device: {e}")))?;
                machine.signal(QUEUE_NOTIFY, 0, kicked.eventfd())?;
                Some(kicked)
            }
        };
        Ok(Ready {
            device,
            _kicked: kicked,
            seen: Cell::default(),
        })
    }

    /// The device, for a vCPU.
    pub(super) fn device(&self) -> SharedBlock {
        self.device.clone()
    }

    /// What it counted since it was last asked.
    ///
    /// # Errors
    /// A refusal of the kernel to read or write guest memory is a finding; a driver
    /// that the device could not follow is a failure.
    pub(super) fn count(&self) -> Result<Count, Stop> {
        let device = self.lock();
        if let Some(why) = device.broken() {
            return Err(Stop::Unproved(format!("the block device stopped: {why}")));
        }
        let block = device.work();
        if let Some(e) = block.failed() {
            return Err(refused(e));
        }
        let now = Count {
            requests: block.requests(),
            moved: block.moved(),
            copied: block.disk().copied(),
            notified: device.notified(),
        };
        let before = self.seen.replace(now);
        Ok(Count {
            requests: now.requests - before.requests,
            moved: now.moved - before.moved,
            copied: now.copied - before.copied,
            notified: now.notified - before.notified,
        })
    }

    /// The host finds on the disk what `request` wrote.
    pub(super) fn check_disk(&self, request: Request) -> Result<(), Stop> {
        let args = request.args;
        let len = (args.count * args.batch * args.stride).min(layout::DISK);
        let mut found = vec![0; len as usize];
        let inspected = self.lock().work().disk().inspect(0, &mut found);
        inspected.map_err(|e| Stop::Unproved(format!("reading the disk: {e}")))?;
        let expected = content(args.seed);
        match found[..] == expected[..found.len()] {
            true => Ok(()),
            false => Err(Stop::Unproved(
                "the disk does not hold what the guest wrote".into(),
            )),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Transport<virtio::Block>> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a disk holds that holds the pattern of `seed`.
fn content(seed: u64) -> Vec<u8> {
    let words = 0..layout::DISK / 8;
    words.flat_map(|i| pattern(seed, i).to_le_bytes()).collect()
}

fn disk(
    block: Block,
    content: Vec<u8>,
    machine: &Machine,
    overwrite: bool,
) -> Result<Box<dyn Disk>, Stop> {
    let bounce = match block.bounce {
        Bounce::None => virtio::Bounce::None,
        Bounce::PerRequest => virtio::Bounce::PerRequest,
        Bounce::Pool => virtio::Bounce::Pool,
    };
    let said = |e: io::Error| Stop::Unproved(format!("making the disk: {e}"));
    let (plain, file) = match block.backend {
        Backend::Ram => return Ok(Box::new(RamDisk::new(content))),
        Backend::File => {
            let file = tempfile::tempfile().map_err(said)?;
            (file.try_clone().map_err(said)?, file)
        }
        Backend::Direct | Backend::Uring | Backend::UringFixed => {
            direct_io::scratch(layout::DISK, overwrite).map_err(|reason| {
                Stop::Missing(Missing {
                    reason,
                    remedy: "a directory for temporary files on a disk (TMPDIR)".into(),
                })
            })?
        }
    };
    use std::os::unix::fs::FileExt;
    plain.write_all_at(&content, 0).map_err(said)?;
    plain.sync_data().map_err(said)?;
    let memory = (block.backend == Backend::UringFixed).then(|| machine.memory());
    Ok(match block.backend {
        Backend::Uring | Backend::UringFixed => {
            let disk = UringDisk::new(file, layout::DISK, memory);
            Box::new(disk.map_err(|e| no_ring(&e))?)
        }
        _ => Box::new(FileDisk::new(file, layout::DISK, bounce)),
    })
}

/// Why there is no ring, or none with this memory.
fn no_ring(error: &io::Error) -> Stop {
    match error.raw_os_error() {
        Some(libc::EFAULT) => refused(error),
        _ => Stop::Missing(Missing {
            reason: format!("io_uring cannot be used ({error})"),
            remedy: "a kernel with CONFIG_IO_URING, kernel.io_uring_disabled=0 and memory to lock"
                .into(),
        }),
    }
}

/// What an error of the disk means.
fn refused(error: &io::Error) -> Stop {
    match error.raw_os_error() {
        Some(libc::EFAULT) => Stop::Missing(Missing {
            reason: format!("the kernel does not pin this memory for O_DIRECT ({error})"),
            remedy: "a bounce buffer (bounce=pool), or a backend that copies".into(),
        }),
        _ => Stop::Unproved(format!("the disk failed: {error}")),
    }
}
