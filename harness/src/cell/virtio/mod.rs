// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The virtio device of a cell: who serves it, what it saw, and what that proves.

pub(super) mod disk;

use super::{Stop, proof::Seen};
use abi::{Reply, Request, layout, step};
use results::{
    counter::{self, Counter},
    record::Counters,
};
use std::{
    cell::Cell,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use strategies::Missing;
use vmm::{
    Machine,
    virtio::{self, Kicked, Net, PacketSocket, Shared, Transport, Vhost, VirtioDevice},
};
use workloads::{
    Access, Call,
    virtio::{Completion, Device, Notify, Virtio, Wire},
};

/// The register that a driver writes to announce requests (virtio 1.2, 4.2.2).
const QUEUE_NOTIFY: u64 = layout::VIRTIO + 0x50;

/// Words of the disk behind a block device.
const WORDS: u64 = layout::DISK / 8;

/// A device that a guest can drive.
pub(super) struct Ready {
    kind: Kind,
    /// Ends the thread when dropped.
    _kicked: Option<Kicked>,
    seen: Cell<Count>,
}

/// The device by its kind.
enum Kind {
    Block(Arc<Mutex<Transport<virtio::Block>>>),
    Net(Arc<Mutex<Transport<Net>>>),
    Vhost(Arc<Mutex<Transport<Vhost>>>),
}

/// What a device counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Requests that it completed well, or frames that came back.
    pub(super) requests: u64,
    /// Bytes that they moved.
    pub(super) moved: u64,
    /// Bytes that the VMM copied.
    pub(super) copied: u64,
    /// How often the VMM was notified.
    pub(super) notified: u64,
    /// How often the VMM interrupted.
    pub(super) interrupts: u64,
    /// Whether the VMM does the work at all.
    elsewhere: bool,
}

impl Count {
    /// What a record keeps of it, over `operations` requests.
    pub(super) fn counters(self, call: &Call, operations: u64) -> Counters {
        let mut counters = Counters::new();
        let mut put = |counter: Counter, n| counter.put(&mut counters, n);
        let args = call.measured.args;
        put(counter::virtio::MOVED, operations * args.stride);
        if args.place != layout::ARENA {
            // A frame crosses twice: when it is sent and when it is received.
            let times = 1 + u64::from(call.proof.access == Access::Frames);
            put(
                counter::virtio::GUEST_COPIED,
                operations * args.stride * times,
            );
        }
        if !self.elsewhere {
            put(counter::virtio::COPIED, self.copied);
            put(counter::virtio::NOTIFIED, self.notified);
            put(counter::virtio::INTERRUPTS, self.interrupts);
        }
        counters
    }

    fn since(self, before: Count) -> Count {
        Count {
            requests: self.requests - before.requests,
            moved: self.moved - before.moved,
            copied: self.copied - before.copied,
            notified: self.notified - before.notified,
            interrupts: self.interrupts - before.interrupts,
            elsewhere: self.elsewhere,
        }
    }
}

impl Ready {
    /// Makes the device that `call` needs. In the lab what has no other owner is ours.
    pub(super) fn make(
        device: Virtio,
        call: &Call,
        machine: &Machine,
        lab: bool,
    ) -> Result<Self, Stop> {
        let line = match device.completion {
            Completion::Polling => None,
            Completion::Irqfd => {
                let vector = call.measured.args.vector as u8;
                Some(machine.interrupt(layout::VIRTIO_GSI, vector)?)
            }
        };
        let kind = match device.device {
            Device::Block(backend) => {
                let content = match call.proof.access {
                    Access::BlockRead => disk::content(call.measured.args.seed, WORDS),
                    _ => vec![0; layout::DISK as usize],
                };
                let disk = disk::make(backend, device.bounce, content, machine, lab)?;
                let block = transport(virtio::Block::new(disk), machine)?;
                Kind::Block(shared(block.interrupting(line)))
            }
            Device::Net(Wire::Loop) => {
                let net = transport(Net::default(), machine)?;
                Kind::Net(shared(net.interrupting(line)))
            }
            Device::Net(Wire::Vhost) => {
                let wire = PacketSocket::on_loopback(lab)
                    .map_err(|e| lacking("a packet socket on the loopback interface", &e))?;
                let vhost = Vhost::new(machine.memory(), wire, line)
                    .map_err(|e| lacking("/dev/vhost-net", &e))?;
                for (queue, data) in [(0, 0), (1, 1)] {
                    if let Some(kick) = vhost.kick(queue) {
                        machine.register_ioeventfd(QUEUE_NOTIFY, data, kick)?;
                    }
                }
                Kind::Vhost(shared(transport(vhost, machine)?))
            }
        };
        let kicked = match (&kind, device.notify) {
            (Kind::Vhost(_), _) | (_, Notify::Exit) => None,
            (_, Notify::Ioeventfd) => Some(served(&kind, machine, None)?),
            (_, Notify::IoeventfdApart) => Some(served(&kind, machine, Some(apart()?))?),
        };
        Ok(Ready {
            kind,
            _kicked: kicked,
            seen: Cell::default(),
        })
    }

    /// The device, for a vCPU.
    pub(super) fn device(&self) -> Shared {
        self.kind.shared()
    }

    /// What it counted since it was last asked.
    ///
    /// # Errors
    /// A refusal of the kernel to read or write guest memory is a finding; a driver
    /// that the device could not follow is a failure.
    pub(super) fn count(&self) -> Result<Count, Stop> {
        let now = match &self.kind {
            Kind::Block(device) => block(&lock(device))?,
            Kind::Net(device) => net(&lock(device))?,
            // It forgets what it has told.
            Kind::Vhost(device) => return vhost(&lock(device)),
        };
        Ok(now.since(self.seen.replace(now)))
    }

    /// The host finds on the disk what `request` wrote.
    pub(super) fn check_disk(&self, request: Request) -> Result<(), Stop> {
        let Kind::Block(device) = &self.kind else {
            return Err(Stop::Unproved("there is no disk to look at".into()));
        };
        let args = request.args;
        let len = (args.count * args.batch * args.stride).min(layout::DISK);
        let mut found = vec![0; len as usize];
        let inspected = lock(device).device().disk().inspect(0, &mut found);
        inspected.map_err(|e| Stop::Unproved(format!("reading the disk: {e}")))?;
        let expected = disk::content(args.seed, WORDS);
        match found[..] == expected[..found.len()] {
            true => Ok(()),
            false => Err(Stop::Unproved(
                "the disk does not hold what the guest wrote".into(),
            )),
        }
    }
}

impl Kind {
    fn shared(&self) -> Shared {
        match self {
            Kind::Block(device) => device.clone(),
            Kind::Net(device) => device.clone(),
            Kind::Vhost(device) => device.clone(),
        }
    }

    /// The queue at whose notifications there is something to do.
    fn queue(&self) -> usize {
        match self {
            Kind::Block(_) => 0,
            Kind::Net(_) | Kind::Vhost(_) => 1,
        }
    }
}

fn transport<W: VirtioDevice>(work: W, machine: &Machine) -> Result<Transport<W>, Stop> {
    Transport::new(work, machine.memory().clone()).map_err(Stop::Unproved)
}

fn shared<W>(device: Transport<W>) -> Arc<Mutex<Transport<W>>> {
    Arc::new(Mutex::new(device))
}

fn lock<W>(device: &Mutex<Transport<W>>) -> MutexGuard<'_, Transport<W>> {
    device.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that serves the device, on CPU `cpu` if one is named.
fn served(kind: &Kind, machine: &Machine, cpu: Option<usize>) -> Result<Kicked, Stop> {
    let queue = kind.queue();
    let kicked = Kicked::serve(kind.shared(), queue, cpu)
        .map_err(|e| Stop::Unproved(format!("a thread for the virtio device: {e}")))?;
    machine.register_ioeventfd(QUEUE_NOTIFY, queue as u32, kicked.eventfd())?;
    Ok(kicked)
}

/// Puts this thread, which runs the vCPU, on one CPU; returns another one.
fn apart() -> Result<usize, Stop> {
    let said = |e: io::Error| Stop::Unproved(format!("choosing a CPU for a thread: {e}"));
    let cpus = virtio::cpus().map_err(said)?;
    let [first, second, ..] = cpus[..] else {
        return Err(Stop::Missing(Missing::new(
            "there is one CPU, and a thread cannot be apart from the vCPU's",
            "two CPUs (in the lab: --cpus 2)",
        )));
    };
    virtio::pin(first).map_err(said)?;
    Ok(second)
}

fn lacking(what: &str, error: &io::Error) -> Stop {
    let missing = Missing::new(
        format!("{what} is not available ({error})"),
        "a kernel with CONFIG_VHOST_NET and CONFIG_PACKET, and root",
    );
    Stop::Missing(missing.with_errno(error.raw_os_error()))
}

fn broken<W: VirtioDevice>(device: &Transport<W>) -> Result<(), Stop> {
    match device.broken() {
        Some(why) => Err(Stop::Unproved(format!("the virtio device stopped: {why}"))),
        None => Ok(()),
    }
}

fn block(device: &Transport<virtio::Block>) -> Result<Count, Stop> {
    broken(device)?;
    let block = device.device();
    if let Some(e) = block.failed() {
        return Err(disk::refused(e));
    }
    Ok(Count {
        requests: block.requests(),
        moved: block.moved(),
        copied: block.disk().copied(),
        notified: device.notified(),
        interrupts: device.interrupts(),
        elsewhere: false,
    })
}

fn net(device: &Transport<Net>) -> Result<Count, Stop> {
    broken(device)?;
    let net = device.device();
    Ok(Count {
        requests: net.frames(),
        moved: net.moved(),
        copied: net.moved(),
        notified: device.notified(),
        interrupts: device.interrupts(),
        elsewhere: false,
    })
}

fn vhost(device: &Transport<Vhost>) -> Result<Count, Stop> {
    broken(device)?;
    let received = device.device().wire().received();
    let (frames, lost) = received.map_err(|e| Stop::Unproved(format!("counting frames: {e}")))?;
    Ok(Count {
        requests: frames - lost.min(frames),
        elsewhere: true,
        ..Count::default()
    })
}

/// A device that was done while its interrupt did not come: KVM raised none, as a
/// software KVM does not for a guest that knows nothing of it.
pub(super) fn interrupted(call: &Call, seen: &Seen<'_>) -> Result<(), Stop> {
    let missed = |reply: &Reply| reply.out[3] == step::NO_INTERRUPT;
    if !call.proof.access.drives() || !seen.replies.iter().any(missed) {
        return Ok(());
    }
    Err(Stop::Missing(Missing::new(
        "this KVM did not deliver the interrupt of an irqfd to a guest at CPL3",
        "a KVM with hardware virtualisation, or --on lab",
    )))
}

/// The device completed every request, and was told and told of them as it should.
pub(super) fn check(call: &Call, seen: &Seen<'_>, count: Count) -> Result<(), String> {
    let requests: u64 = seen.requests.iter().map(|r| call.operations(*r)).sum();
    if count.requests != requests {
        return Err(format!(
            "the virtio device completed {} requests where {requests} were due",
            count.requests
        ));
    }
    let bytes = requests * call.measured.args.stride;
    if !count.elsewhere && count.moved != bytes {
        return Err(format!(
            "the virtio device moved {} bytes where {bytes} were due",
            count.moved
        ));
    }
    if !count.elsewhere && count.notified == 0 {
        return Err("the virtio device was never notified".into());
    }
    let taken: u64 = seen.replies.iter().map(|reply| reply.digest).sum();
    let rounds: u64 = seen.requests.iter().map(|r| r.args.count).sum();
    match call.measured.args.vector {
        0 if taken == 0 && count.interrupts == 0 => Ok(()),
        0 => Err(format!(
            "the guest polled, and had {taken} interrupts of {}",
            count.interrupts
        )),
        _ if taken >= rounds && (count.elsewhere || count.interrupts >= taken) => Ok(()),
        _ => Err(format!(
            "the guest had {taken} interrupts, of {} that were raised, in {rounds} rounds",
            count.interrupts
        )),
    }
}
