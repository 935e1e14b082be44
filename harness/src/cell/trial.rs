// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether a strategy runs on this kernel: tried, never guessed.
//!
//! The guest runs at CPL3, because a software KVM emulates CPL0 through the
//! user mapping and so seems to run even on memory that it cannot map.

use super::{ANSWER_LIMIT, Answer, Stop, guard};
use abi::{Args, Op, Request, layout};
use results::{Outcome, unit::Bytes};
use strategies::{Mode, Refusal, Stage, Strategy};
use vmm::{Config, Cpl, Device, Error, Kvm, Machine};

/// A machine whose arena has room for huge pages.
const ROOMY: Bytes = Bytes::mib(64);

/// Tries `strategy`.
pub(crate) fn run(strategy: &Strategy) -> Answer {
    match attempt(strategy) {
        Ok(()) => Answer::Available,
        Err(Stop::Machine(error)) => Answer::Outcome(refused(strategy, &error)),
        Err(Stop::Unproved(seen)) => Answer::Outcome(explained(
            strategy,
            Refusal {
                stage: Stage::PageSize,
                errno: None,
                seen,
            },
        )),
        Err(Stop::Missing(m)) => Answer::Outcome(Outcome::missing(m.reason, m.remedy)),
    }
}

/// First the smallest machine there is: a kernel that cannot map the memory at
/// all says so before a limit on its amount does. Then one with an arena.
fn attempt(strategy: &Strategy) -> Result<(), Stop> {
    guard::memory(ROOMY)?;
    let kvm = vmm::open_kvm()?;
    start(&kvm, strategy, Bytes(layout::MEMORY_BARE))?;
    let mut machine = start(&kvm, strategy, ROOMY)?;
    let touch = Request {
        op: Op::Touch,
        args: Args {
            count: 1024,
            batch: 1024,
            address: layout::ARENA,
            stride: layout::PAGE,
            seed: 1,
            ..Args::default()
        },
    };
    machine.call(touch, &mut Device::new(0))?;
    guard::page_size(strategy, machine.ram()).map_err(Stop::Unproved)?;
    Ok(())
}

/// A started machine of `strategy` in its default mode.
fn start(kvm: &Kvm, strategy: &Strategy, memory: Bytes) -> Result<Machine, Stop> {
    let config = Config {
        vcpus: 1,
        memory: memory.0,
        cpl: Cpl::User,
        irqchip: false,
        shared_memory: false,
        limit: ANSWER_LIMIT,
    };
    let (mut machine, _) = Machine::build(kvm, &config, workloads::PAYLOAD, |vm, len| {
        (strategy.allocate)(vm, len, &Mode::new())
    })?;
    machine.start()?;
    guard::native(&mut machine)?;
    Ok(machine)
}

/// What `error` means for `strategy`. An error that is the machine's and not
/// the strategy's is a failure or a missing KVM, whatever the strategy.
fn refused(strategy: &Strategy, error: &Error) -> Outcome {
    let stage = match error {
        Error::Memory(_) => Stage::Allocate,
        Error::Call { call, .. } if call.contains("MEMORY_REGION") => Stage::Memslot,
        Error::Run { .. } => Stage::Run,
        Error::NoKvm { .. } => {
            return Outcome::missing(
                error.to_string(),
                "a usable /dev/kvm, or --on lab, with a kernel that has KVM built in",
            );
        }
        _ => {
            return Outcome::Failed {
                error: error.to_string(),
                detail: error.registers().map(|r| r.to_string()),
            };
        }
    };
    explained(
        strategy,
        Refusal {
            stage,
            errno: error.errno(),
            seen: error.to_string(),
        },
    )
}

/// The strategy's own explanation of a refusal.
pub(crate) fn explained(strategy: &Strategy, refusal: Refusal) -> Outcome {
    let missing = (strategy.explain)(&refusal);
    Outcome::missing(missing.reason, missing.remedy)
}
