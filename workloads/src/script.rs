// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is to be done for one cell, in terms that need no KVM to be written
//! down or tested.

use crate::{
    Linux, Neighbour, Victim,
    virtio::{Completion, Virtio},
};
use abi::{Args, Digest, Op, Order, Request, layout, truncate, value};

/// What one cell does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// Build a machine and bring the payload up; the steps are the samples.
    Boot,
    /// Boot Linux to its first process and end it; the steps are the samples.
    Linux(Linux),
    /// Let the guest touch its memory, then drop everything; the steps are the
    /// samples.
    Teardown {
        /// What vCPU 0 is asked first.
        touch: Request,
    },
    /// Ask every vCPU for something; its samples are the samples.
    Call(Call),
    /// Let the host populate memory that nobody has touched.
    Populate {
        /// By which call.
        by: Populate,
        /// Where.
        range: Range,
    },
    /// Let the guest touch memory, then give it back by holes.
    Punch {
        /// What vCPU 0 is asked first.
        touch: Request,
        /// Where.
        range: Range,
    },
    /// Let the host work before and after a VM.
    Victim(Victim),
    /// Let a process work beside a VM.
    Neighbour(Neighbour),
}

/// How a host populates guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Populate {
    /// A copy through the mapping.
    Memcpy,
    /// `madvise(MADV_POPULATE_WRITE)`.
    Madvise,
    /// `KVM_PRE_FAULT_MEMORY`.
    Prefault,
    /// `pwrite` to the file.
    Write,
}

/// Pages of the arena, taken so many at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Guest-physical address of the first.
    pub address: u64,
    /// How many pages, a multiple of `batch`.
    pub pages: u64,
    /// How many of them one call takes.
    pub batch: u64,
}

impl Range {
    /// The address of each batch.
    pub fn batches(&self) -> impl Iterator<Item = u64> + use<> {
        let Range {
            address,
            pages,
            batch,
        } = *self;
        (0..pages / batch).map(move |i| address + i * batch * layout::PAGE)
    }
}

/// A request to every vCPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Asked first, checked like the real one, its samples thrown away.
    pub rehearsal: Request,
    /// What is measured.
    pub measured: Request,
    /// What must be there before.
    pub setup: Setup,
    /// What the host makes KVM do at every read of the data port.
    pub forced: Forced,
    /// What shows that it took the path it is named for.
    pub proof: Proof,
    /// The name of the series.
    pub series: &'static str,
    /// The name of a further series with one sample: the reply's `out[0]`, the
    /// ticks for everything together.
    pub total: Option<&'static str>,
    /// How far apart the vCPUs' addresses lie.
    pub per_vcpu_bytes: u64,
}

/// What must be there before the guest is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setup {
    /// Nothing more than a machine.
    #[default]
    Nothing,
    /// kvm-clock at the address of the request.
    Kvmclock,
    /// Steal time, whose version field is at the address of the request.
    StealTime,
    /// An eventfd that KVM signals at a write to the address of the request.
    Ioeventfd {
        /// Of this many bytes that equal the request's seed; 0 is any length and
        /// any data, which a CPU may serve without decoding ("fast MMIO bus").
        bytes: u32,
    },
    /// Interrupt controllers in the kernel; the address is a register of one.
    Irqchip,
    /// The guest's registers in the shared page at every exit.
    SharedRegisters,
    /// Memory that was touched, and then given back by a hole.
    Holed,
    /// A userfaultfd over the memory, and a thread that serves it.
    Userfault(Faults),
    /// A virtio device.
    Virtio(Virtio),
}

impl Setup {
    /// Whether interrupt controllers in the kernel are part of it.
    pub fn has_irqchip(self) -> bool {
        match self {
            Setup::Irqchip => true,
            Setup::Virtio(device) => device.completion == Completion::Irqfd,
            _ => false,
        }
    }

    /// Whether memory that guest and host share is part of it.
    pub fn has_window(self) -> bool {
        matches!(self, Setup::Virtio(device) if device.has_window())
    }
}

/// Which faults a userfaultfd is to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Of pages that do not exist; the handler copies one in.
    Missing,
    /// Of pages that exist in the file and are not mapped; the handler writes to
    /// the file by another mapping and lets the fault go on.
    Minor,
}

/// What the host makes KVM do at every read of the data port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forced {
    /// Nothing.
    #[default]
    Nothing,
    /// `KVM_KVMCLOCK_CTRL`: KVM rewrites the vCPU's kvm-clock.
    KvmclockCtrl,
    /// `KVM_SET_CLOCK`: KVM rewrites every vCPU's kvm-clock.
    SetClock,
    /// A write of `MSR_KVM_WALL_CLOCK_NEW`: KVM rewrites the wall clock.
    WallClock,
}

/// What must be true after a request was carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// KVM statistics of which the first that grew at all must have grown by
    /// `times` per operation exactly. More than one, because not every flavour of
    /// KVM keeps each. Empty where no statistic tells.
    pub counters: &'static [&'static str],
    /// How often each operation counts; 0: not at all.
    pub times: u64,
    /// What was accessed, and so which evidence there is.
    pub access: Access,
}

/// What a request accesses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Nothing but registers.
    #[default]
    Nothing,
    /// The test device, by reads: the digest is that of what it handed out.
    Read,
    /// The test device through page-table entries that the guest had just made:
    /// the digest is that of values that depend on where each entry led, and
    /// every entry was walked over.
    ReadCold,
    /// The test device, by writes: the digest is that of what arrived.
    Write,
    /// The eventfd: its count is that of the writes, and the device saw none.
    Notify,
    /// A register of an interrupt controller in the kernel, which the host knows:
    /// the guest read nothing else, and the device saw nothing.
    Register,
    /// The same by writes: the host finds the last value there.
    RegisterWrite,
    /// The time-stamp counter: `out[0]` steps backwards, which must be none.
    Tsc,
    /// kvm-clock: it moved forwards only, lies within the host's readings of
    /// the same clock, and has a version that KVM wrote.
    Pvclock,
    /// kvm-clock, rewritten at every read of the data port: as [`Access::Read`] and
    /// [`Access::Pvclock`], and the version field moved on every time.
    ClockUpdate,
    /// A structure with a version, rewritten at every read of the data port: as
    /// [`Access::Read`], and the version field moved on every time.
    Rewrite,
    /// The timer port: it moved forwards only.
    Timer,
    /// A block device, by reads: it completed each request, and the guest found in
    /// every word what the disk holds.
    BlockRead,
    /// A block device, by writes: it completed each request, and the host finds on
    /// the disk what the guest wrote.
    BlockWrite,
    /// A network device: it returned each frame, and the guest found in every word
    /// what it had sent.
    Frames,
    /// Places that lead to each other: a round passed them all, and the last step led
    /// where it must.
    Chase,
    /// Pages: KVM's page tables grew by as many, and the host finds in each
    /// what the guest wrote.
    Pages,
    /// Pages that KVM had mapped before and then lost: as [`Access::Pages`].
    PagesAgain,
    /// Pages that a thread of the VMM served: one fault each, and as
    /// [`Access::Pages`].
    PagesServed,
}

impl Access {
    /// Whether a virtio device is driven.
    pub fn drives(self) -> bool {
        matches!(
            self,
            Access::BlockRead | Access::BlockWrite | Access::Frames
        )
    }

    /// Whether what is measured shows in time alone: instructions are the same whatever
    /// happens.
    pub fn takes_time(self) -> bool {
        self == Access::Chase
    }

    /// Whether pages are touched for the first time.
    pub fn touches(self) -> bool {
        matches!(
            self,
            Access::Pages | Access::PagesAgain | Access::PagesServed
        )
    }
}

/// How many operations are run, checked and thrown away before a measurement.
const REHEARSAL: u64 = 64;

impl Call {
    /// A request on every vCPU, rehearsed in small, its samples named `latency`.
    pub(crate) fn new(op: Op, args: Args, access: Access) -> Self {
        let rehearsal = Args {
            count: args.count.min(REHEARSAL),
            seed: args.seed ^ 1,
            ..args
        };
        Call {
            rehearsal: Request {
                op,
                args: rehearsal,
            },
            measured: Request { op, args },
            setup: Setup::Nothing,
            forced: Forced::Nothing,
            proof: Proof {
                counters: &[],
                times: 1,
                access,
            },
            series: "latency",
            total: None,
            per_vcpu_bytes: 0,
        }
    }

    /// The same, proved by KVM statistics as well, see [`Proof::counters`].
    pub(crate) fn counted_by(mut self, counters: &'static [&'static str], times: u64) -> Self {
        (self.proof.counters, self.proof.times) = (counters, times);
        self
    }

    /// The same after a setup.
    pub(crate) fn after(mut self, setup: Setup) -> Self {
        self.setup = setup;
        self
    }

    /// The same with another kind of proof.
    pub(crate) fn showing(mut self, access: Access) -> Self {
        self.proof.access = access;
        self
    }

    /// The same, while the host forces something.
    pub(crate) fn forcing(mut self, forced: Forced) -> Self {
        self.forced = forced;
        self
    }

    /// The same without what makes KVM take the path that is to be measured: for
    /// tests, whose proofs must then fail. `None` if it takes no preparation.
    pub fn sabotaged(&self) -> Option<Call> {
        let nothing = (Setup::Nothing, Forced::Nothing);
        ((self.setup, self.forced) != nothing).then(|| Call {
            // A clock must be there for its update to be missed.
            setup: match self.forced {
                Forced::Nothing => Setup::Nothing,
                _ => self.setup,
            },
            forced: Forced::Nothing,
            ..self.clone()
        })
    }

    /// What vCPU `index` is asked when `request` is carried out: its own
    /// sequence and its own addresses.
    pub fn for_vcpu(&self, request: Request, index: u64) -> Request {
        let mut own = request;
        own.args.seed = own.args.seed.wrapping_add(index << 32);
        own.args.address += index * self.per_vcpu_bytes;
        own
    }

    /// How many operations one sample of the series covers.
    pub fn operations_per_sample(&self) -> u64 {
        match self.proof.access {
            Access::Tsc | Access::Pvclock | Access::Chase => self.measured.args.batch,
            access if access.drives() => self.measured.args.batch,
            Access::Nothing => self.measured.args.count,
            _ => 1,
        }
    }

    /// How many operations `request` is, over all samples.
    pub fn operations(&self, request: Request) -> u64 {
        match self.proof.access {
            Access::Tsc | Access::Pvclock | Access::Chase => {
                request.args.count * request.args.batch
            }
            access if access.drives() => request.args.count * request.args.batch,
            _ => request.args.count,
        }
    }

    /// How many values the device exchanges when `request` is carried out.
    pub fn values(&self, request: Request) -> u64 {
        let args = request.args;
        match request.op {
            Op::MmioFill | Op::MmioCopyIn | Op::MmioCopyOut | Op::PortIn | Op::PortOut => {
                args.count * args.batch
            }
            _ => args.count,
        }
    }

    /// The digest that the reply to `request` must have, where data crossed.
    pub fn digest(&self, request: Request) -> Option<u64> {
        let Args {
            seed,
            count,
            batch,
            width,
            ..
        } = request.args;
        match self.proof.access {
            Access::Write if request.op == Op::MmioFill => {
                Some(Digest::of_values(seed, count, 4, batch))
            }
            Access::Read | Access::Write => {
                let values = self.values(request);
                Some(Digest::of_values(seed, values, width, 1))
            }
            Access::ClockUpdate | Access::Rewrite => Some(Digest::of_values(seed, count, 4, 1)),
            Access::ReadCold => Some(cold(seed, count)),
            _ => None,
        }
    }

    /// Where the guest's writes must be found afterwards: guest-physical
    /// address and value, page by page.
    pub fn pages(&self, request: Request) -> impl Iterator<Item = (u64, u64)> + use<> {
        let args = request.args;
        let count = match self.proof.access.touches() {
            true => args.count,
            false => 0,
        };
        let order = Order::new(args.shuffle, count);
        (0..count).map(move |i| {
            let at = order.at(i);
            (args.address + at * args.stride, value(args.seed, at))
        })
    }
}

/// What the device answers where each read comes by an entry of its own: its
/// values with the number of the page added.
fn cold(seed: u64, count: u64) -> u64 {
    let mut digest = Digest::new();
    for i in 0..count {
        let page = value(seed, i) % layout::MMIO_PAGES;
        digest.push(truncate(value(seed, i).wrapping_add(page), 4));
    }
    digest.get()
}

// The sample buffer of a touch, see `model::touch`, is never too small.
const _: () = assert!(layout::SAMPLES_MAX / 8 >= 4096);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;
    use results::{Testbed, cell::ParamValue};

    /// Whatever a definition asks for fits the guest's memory and the sample
    /// buffer, for every number of vCPUs.
    #[test]
    fn every_script_stays_within_the_layout() {
        for w in crate::all().unwrap() {
            for mut params in w.cells(Profile::List, Testbed::Host) {
                let mib = match params["mem_mib"] {
                    ParamValue::Int(n) => n,
                    _ => unreachable!("checked by the definitions"),
                };
                for cpus in 1..=layout::MAX_VCPUS {
                    params.insert("cpus".into(), ParamValue::Int(cpus));
                    let call = match w.model.script(&w.id, &params).unwrap() {
                        Script::Call(call) => call,
                        Script::Populate { range, .. } | Script::Punch { range, .. } => {
                            let end = range.address + range.pages * layout::PAGE;
                            assert!(range.address >= layout::ARENA && end <= mib << 20);
                            assert!(range.batches().count() as u64 * range.batch == range.pages);
                            continue;
                        }
                        Script::Neighbour(Neighbour { call }) => call,
                        _ => continue,
                    };
                    for (address, _) in (0..cpus)
                        .flat_map(|i| [call.rehearsal, call.measured].map(|r| call.for_vcpu(r, i)))
                        .flat_map(|r| call.pages(r).collect::<Vec<_>>())
                    {
                        assert!(address >= layout::ARENA && address + layout::PAGE <= mib << 20);
                    }
                }
            }
        }
    }

    #[test]
    fn vcpus_touch_disjoint_pages_and_rehearse_others() {
        let w = &crate::select(crate::all().unwrap(), &["fault/guest-touch".into()]).unwrap()[0];
        let mut params = w.cells(Profile::Quick, Testbed::Host)[0].clone();
        params.insert("cpus".into(), ParamValue::Int(3));
        let Script::Call(call) = w.model.script(&w.id, &params).unwrap() else {
            panic!("a touch is a call")
        };
        let mut seen = std::collections::BTreeSet::new();
        for request in [call.rehearsal, call.measured] {
            for i in 0..3 {
                for (address, _) in call.pages(call.for_vcpu(request, i)) {
                    assert!(seen.insert(address), "{address:#x} twice");
                }
            }
        }
    }

    /// What is asked of a vCPU at its aliases stays among its own.
    #[test]
    fn cold_walks_use_each_alias_once() {
        for w in crate::select(crate::all().unwrap(), &["mmio/cold-walk".into()]).unwrap() {
            for params in w.cells(Profile::List, Testbed::Host) {
                let Script::Call(call) = w.model.script(&w.id, &params).unwrap() else {
                    panic!("a cold walk is a call")
                };
                let end = |r: Request| r.args.address + r.args.count * layout::PAGE;
                assert!(call.rehearsal.args.address >= layout::alias(0));
                assert!(end(call.rehearsal) <= call.measured.args.address);
                assert!(end(call.measured) <= layout::alias(1));
            }
        }
    }

    #[test]
    fn sabotage_takes_the_path_away_and_nothing_else() {
        for w in crate::all().unwrap() {
            for params in w.cells(Profile::Quick, Testbed::Host) {
                let Script::Call(call) = w.model.script(&w.id, &params).unwrap() else {
                    continue;
                };
                let Some(broken) = call.sabotaged() else {
                    continue;
                };
                assert_ne!(broken, call, "{}", w.id);
                assert_eq!((broken.measured, broken.proof), (call.measured, call.proof));
            }
        }
    }
}
