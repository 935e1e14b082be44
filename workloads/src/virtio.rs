// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Workloads on a virtio device: what it is, what is behind it, how it is told of
//! requests and tells of their end.

use crate::{
    Error,
    params::Checked,
    script::{Access, Call, Setup},
};
use abi::{Args, Op, layout};

/// A virtio device of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Virtio {
    /// What it is, and what is behind it.
    pub device: Device,
    /// How data crosses between that and guest memory.
    pub bounce: Bounce,
    /// How the driver's notification reaches it.
    pub notify: Notify,
    /// How its driver learns that it is done.
    pub completion: Completion,
}

impl Virtio {
    /// Whether the driver keeps rings and buffers in memory that is shared with the
    /// host whatever the strategy.
    pub fn has_window(&self) -> bool {
        self.bounce == Bounce::Swiotlb
    }
}

/// A kind of device with what is behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// virtio-blk.
    Block(Backend),
    /// virtio-net.
    Net(Wire),
}

/// Where the data of a block device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// In the VMM's memory: a request is a copy.
    Ram,
    /// In a file, by pread and pwrite through the page cache.
    File,
    /// In a file opened with O_DIRECT, which pins the memory it reads and writes.
    Direct,
    /// The same by io_uring.
    Uring,
    /// The same by io_uring, with all guest memory registered, and so pinned, once.
    UringFixed,
}

/// By which way a frame comes back to its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// The VMM copies it.
    Loop,
    /// vhost-net in the kernel sends and receives it on the loopback interface.
    Vhost,
}

/// How data crosses between a backend and guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounce {
    /// The backend reads and writes guest memory.
    None,
    /// By a buffer of the VMM, made for each request.
    PerRequest,
    /// By a buffer of the VMM that is kept.
    Pool,
    /// By memory that guest and host share; the guest copies, as Linux does by
    /// swiotlb.
    Swiotlb,
}

/// How a driver's notification reaches a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    /// By an exit to userspace; the vCPU's thread does the work.
    Exit,
    /// By an eventfd, at which another thread does the work.
    Ioeventfd,
    /// The same, that thread and the vCPU's each on a CPU of its own.
    IoeventfdApart,
}

/// How a driver learns that the device is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// It looks.
    Polling,
    /// By an interrupt that an eventfd raises.
    Irqfd,
}

/// The vector of the device's interrupt; any above those of exceptions will do.
const VECTOR: u64 = 0x40;

/// `count` times `depth` requests of `bytes` each to a block device.
pub(crate) fn block(params: &Checked<'_>) -> Result<Call, Error> {
    let backends = [
        ("ram", Backend::Ram),
        ("file", Backend::File),
        ("direct", Backend::Direct),
        ("uring", Backend::Uring),
        ("uring-fixed", Backend::UringFixed),
    ];
    let bounces = [
        ("none", Bounce::None),
        ("per-request", Bounce::PerRequest),
        ("pool", Bounce::Pool),
        ("swiotlb", Bounce::Swiotlb),
    ];
    let notifies = [
        ("exit", Notify::Exit),
        ("ioeventfd", Notify::Ioeventfd),
        ("ioeventfd-apart", Notify::IoeventfdApart),
    ];
    let device = Virtio {
        device: Device::Block(params.word("backend", &backends)?),
        bounce: params.word("bounce", &bounces)?,
        notify: params.word("notify", &notifies)?,
        completion: completion(params)?,
    };
    let sizes = [
        ("4096", 4096),
        ("512", 512),
        ("65536", 1 << 16),
        ("1048576", 1 << 20),
    ];
    let writes = params.word("op", &[("read", 0), ("write", 1)])?;
    let args = Args {
        stride: params.word("bytes", &sizes)?,
        width: writes,
        ..driven(params, &device)?
    };
    let access = match writes {
        0 => Access::BlockRead,
        _ => Access::BlockWrite,
    };
    let mut call = call(Op::Block, args, access, device);
    if writes == 0 {
        // Both read the same disk.
        call.rehearsal.args.seed = args.seed;
    }
    Ok(call)
}

/// `count` times `depth` frames of `bytes` each to a network device and back.
pub(crate) fn net(params: &Checked<'_>) -> Result<Call, Error> {
    let wire = params.word("backend", &[("loop", Wire::Loop), ("vhost", Wire::Vhost)])?;
    let bounces = [("none", Bounce::None), ("swiotlb", Bounce::Swiotlb)];
    let device = Virtio {
        device: Device::Net(wire),
        bounce: params.word("bounce", &bounces)?,
        // vhost has threads of its own, and is woken like them.
        notify: match wire {
            Wire::Loop => Notify::Exit,
            Wire::Vhost => Notify::Ioeventfd,
        },
        completion: completion(params)?,
    };
    let args = Args {
        stride: params.within("bytes", 64..=1514)?,
        ..driven(params, &device)?
    };
    Ok(call(Op::Net, args, Access::Frames, device))
}

fn completion(params: &Checked<'_>) -> Result<Completion, Error> {
    let words = [
        ("polling", Completion::Polling),
        ("irqfd", Completion::Irqfd),
    ];
    params.word("completion", &words)
}

/// What every driver is told.
fn driven(params: &Checked<'_>, device: &Virtio) -> Result<Args, Error> {
    Ok(Args {
        count: params.within("count", 1..=4096)?,
        batch: params.within("depth", 1..=32)?,
        address: layout::VIRTIO,
        seed: 0x5eed,
        place: match device.has_window() {
            true => layout::WINDOW,
            false => layout::ARENA,
        },
        vector: match device.completion {
            Completion::Polling => 0,
            Completion::Irqfd => VECTOR,
        },
        ..Args::default()
    })
}

fn call(op: Op, args: Args, access: Access, device: Virtio) -> Call {
    let mut call = Call::new(op, args, access).after(Setup::Virtio(device));
    call.rehearsal.args.count = args.count.min(2);
    call
}
