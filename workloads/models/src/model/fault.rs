// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The guest's first write to each page: of fresh memory, of memory that was given back, or
//! of memory whose faults a thread of the VMM serves.

use crate::{
    BadParameter, CellError, GuestRequests, Model, Needs, Parameters, Size,
    counting::pages_in,
    evidence::{Evidence, content},
    model::mmio::SEED,
    request::{LeftOut, Requests, Stage},
};
use abi::{Args, Op, Order, Request, layout, value};
use results::record::Counters;
use strategies::GuestRam;
use vmm::{Device, Machine, Userfault};

pub(super) const MODELS: &[Model] = &[
    Model::new("touch", |p| Ok(Box::new(Touch::new(p)?))),
    Model::new("retouch", |p| Ok(Box::new(Touch::again(p)?))),
    Model::new("userfault", |p| Ok(Box::new(Touch::served(p)?))),
];

/// Pages of the arena that the rehearsal of a touch takes: the first 2 MiB, so that a
/// strategy with huge pages has shown one before it is measured.
const REHEARSED: u64 = 512;

/// The seed of every random order.
const RANDOM: u64 = 0x0dd5_eed5;

/// First touches of the arena, of which each vCPU has a share.
#[derive(Debug)]
pub(super) struct Touch {
    size: Size,
    /// The seed of the order, see [`Order`]; 0 is ascending.
    shuffle: u64,
    /// How many pages of each share are rehearsed, at most.
    rehearsed: u64,
    /// How the memory is when it is touched.
    memory: Memory,
}

/// How memory is when the guest touches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// As it was made.
    Fresh,
    /// KVM had mapped it, and lost it to a hole.
    Holed,
    /// A userfaultfd sees faults of pages that do not exist; its thread copies one in.
    Missing,
    /// A userfaultfd sees faults of pages that exist in the file and are not mapped; its
    /// thread writes to the file by another mapping and lets the fault go on.
    Minor,
}

/// What shows that the memory was like that.
#[derive(Default)]
pub(super) struct Fixture {
    /// How many pages KVM lost at the hole.
    lost: u64,
    userfault: Option<Userfault>,
}

impl Touch {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Touch {
            size: params.size()?,
            shuffle: params.word("order", &[("sequential", 0), ("random", RANDOM)])?,
            rehearsed: REHEARSED,
            memory: Memory::Fresh,
        })
    }

    fn again(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Touch {
            memory: Memory::Holed,
            ..Touch::new(params)?
        })
    }

    fn served(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let faults = [("missing", Memory::Missing), ("minor", Memory::Minor)];
        Ok(Touch {
            memory: params.word("faults", &faults)?,
            rehearsed: REHEARSED,
            ..Touch::all(params.size()?)
        })
    }

    /// Touches in random order, with a rehearsal.
    pub(super) fn at_random(size: Size) -> Self {
        Touch {
            rehearsed: REHEARSED,
            ..Touch::all_at_random(size)
        }
    }

    /// All pages in ascending order, without a rehearsal.
    pub(super) fn all(size: Size) -> Self {
        Touch {
            size,
            shuffle: 0,
            rehearsed: 0,
            memory: Memory::Fresh,
        }
    }

    /// All pages in random order, without a rehearsal.
    pub(super) fn all_at_random(size: Size) -> Self {
        Touch {
            shuffle: RANDOM,
            ..Touch::all(size)
        }
    }

    /// Has the first vCPU touch its share.
    pub(super) fn carry_out(&self, machine: &mut Machine) -> Result<(), CellError> {
        machine.call(self.requests().measured, &mut Device::new(0))?;
        Ok(())
    }

    /// Has KVM map all that is measured and lose it again: how many pages it lost.
    fn punch(&self, machine: &mut Machine) -> Result<u64, CellError> {
        let vcpus = 0..machine.vcpus().len() as u64;
        let all = self.requests();
        let requests: Vec<_> = vcpus.map(|i| all.of_vcpu(Stage::Measurement, i)).collect();
        let mut devices: Vec<_> = requests.iter().map(|_| Device::new(0)).collect();
        machine.call_all(&requests, &mut devices)?;
        let mapped = pages_in(&machine.stats()?);
        let rest = machine.ram().len() as u64 - layout::ARENA;
        let punched = machine.ram().punch_hole(layout::ARENA, rest);
        punched.map_err(|e| no_holes(&e))?;
        Ok(mapped.saturating_sub(pages_in(&machine.stats()?)))
    }
}

/// A thread that serves the faults of the arena, made by `make`.
fn userfault(
    machine: &Machine,
    make: impl Fn(&GuestRam, u64) -> Result<Userfault, vmm::Error>,
) -> Result<Userfault, CellError> {
    let ram = machine.ram();
    if ram.granule() > layout::PAGE {
        return Err(CellError::missing(
            "userfaultfd serves reserved huge pages whole, 512 touches at a time",
            "memory of base pages, or transparent huge pages",
        ));
    }
    make(ram, layout::ARENA).map_err(|e| {
        CellError::missing(
            format!("userfaultfd cannot serve this memory ({e})"),
            "a kernel whose userfaultfd supports this kind of memory",
        )
    })
}

/// Where the guest's writes must be found: guest-physical address and value, page by page.
fn words(request: &Request) -> impl Iterator<Item = (u64, u64)> + use<> {
    let args = request.args;
    let order = Order::new(args.shuffle, args.count);
    (0..args.count).map(move |i| {
        let at = order.at(i);
        (args.address + at * args.stride, value(args.seed, at))
    })
}

impl GuestRequests for Touch {
    type Fixture = Fixture;

    const TOTAL: Option<&'static str> = Some("total");

    fn needs(&self) -> Needs {
        Needs::of(self.size)
    }

    fn requests(&self) -> Requests {
        let Size { cpus, memory } = self.size;
        let share = (memory - layout::ARENA) / cpus / (2 << 20) * (2 << 20);
        let pages = share / layout::PAGE;
        let rehearsed = self.rehearsed.min(pages / 2);
        let args = |first: u64, count: u64| Args {
            count,
            // As many samples as fit an eighth of the buffer: at 1 GiB every sixteenth
            // page is timed by itself, and all are timed together.
            batch: count.div_ceil(layout::SAMPLES_MAX / 8),
            address: layout::ARENA + first * layout::PAGE,
            stride: layout::PAGE,
            seed: SEED,
            shuffle: self.shuffle,
            ..Args::default()
        };
        let mut requests = Requests::new(Op::Touch, args(rehearsed, pages - rehearsed));
        requests.rehearsal.args = args(0, rehearsed);
        requests.apart(share)
    }

    fn first_touches(&self, request: &Request) -> u64 {
        request.args.count
    }

    fn after_rehearsal(
        &self,
        fixture: &mut Fixture,
        machine: &mut Machine,
    ) -> Result<(), CellError> {
        match self.memory {
            Memory::Fresh => {}
            Memory::Holed => fixture.lost = self.punch(machine)?,
            Memory::Missing => fixture.userfault = Some(userfault(machine, Userfault::missing)?),
            Memory::Minor => fixture.userfault = Some(userfault(machine, Userfault::minor)?),
        }
        Ok(())
    }

    /// KVM's page tables grew by as many pages as were touched, the host finds in each what
    /// the guest wrote, and the memory was as it should be.
    fn verify(&self, evidence: &Evidence<'_>, fixture: &Fixture) -> Result<Counters, CellError> {
        let due = evidence.count();
        let lost = fixture.lost;
        let served = fixture.userfault.as_ref().map_or(0, Userfault::served);
        match self.memory {
            // What follows is there only after the rehearsal.
            _ if evidence.rehearsal => {}
            Memory::Holed if lost < due => {
                return Err(format!(
                    "KVM had lost {lost} pages before where {due} were touched again"
                )
                .into());
            }
            Memory::Missing | Memory::Minor if served != due => {
                return Err(format!(
                    "userfaultfd served {served} faults where {due} pages were touched: the guest's faults take another way"
                )
                .into());
            }
            _ => {}
        }
        evidence.mapped(due)?;
        evidence.each_vcpu(|vcpu| content(evidence.machine, words(&vcpu.request)))?;
        Ok(Counters::new())
    }

    fn left_out(&self) -> Option<LeftOut> {
        (self.memory != Memory::Fresh).then_some(LeftOut::Preparation)
    }
}

/// Memory that cannot be given back page by page.
pub(super) fn no_holes(error: &strategies::Error) -> CellError {
    CellError::missing(
        format!("this memory takes no holes ({error})"),
        "a kernel whose file behind this memory supports fallocate(PUNCH_HOLE)",
    )
    .with_errno(error.source.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn touch(cpus: u64, mib: u64) -> Touch {
        Touch {
            size: Size {
                cpus,
                memory: mib << 20,
            },
            shuffle: RANDOM,
            rehearsed: REHEARSED,
            memory: Memory::Fresh,
        }
    }

    #[test]
    fn every_page_lies_in_the_arena_and_samples_fit() {
        for mib in [32, 64, 256, 4096] {
            for cpus in [1, 3, layout::MAX_VCPUS] {
                let requests = touch(cpus, mib).requests();
                for stage in [Stage::Rehearsal, Stage::Measurement] {
                    let last = requests.of_vcpu(stage, cpus - 1).args;
                    assert!(last.address >= layout::ARENA);
                    assert!(last.address + last.count * layout::PAGE <= mib << 20);
                    let samples = last.count.div_ceil(last.batch.max(1));
                    assert!(samples <= layout::SAMPLES_MAX);
                }
            }
        }
    }

    #[test]
    fn vcpus_touch_disjoint_pages_and_rehearse_others() {
        let requests = touch(3, 32).requests();
        let mut seen = BTreeSet::new();
        for stage in [Stage::Rehearsal, Stage::Measurement] {
            for i in 0..3 {
                for (address, _) in words(&requests.of_vcpu(stage, i)) {
                    assert!(seen.insert(address), "{address:#x} twice");
                }
            }
        }
    }
}
