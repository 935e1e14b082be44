// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether a strategy runs on this kernel: tried, never guessed.
//!
//! The guest runs at CPL3, because a software KVM emulates CPL0 through the
//! user mapping and so seems to run even on memory that it cannot map.

use crate::job::Answer;
use abi::{Args, Op, Request, layout};
use models::{
    CellError, PAYLOAD,
    guard::{self, ANSWER_LIMIT},
};
use results::{Outcome, unit::Bytes};
use strategies::{Arm, Refusal, Stage};
use vmm::{Config, Cpl, Device, Error, Kvm, Machine};

/// A machine whose arena has room for huge pages.
const ROOMY: Bytes = Bytes::mib(64);

/// Tries `arm`.
pub(crate) fn run(arm: &Arm) -> Answer {
    match attempt(arm) {
        Ok(()) => Answer::Available,
        Err(CellError::Machine(error)) => Answer::Outcome(refused(arm, &error)),
        Err(CellError::VerificationFailed(seen)) => Answer::Outcome(explained(
            arm,
            Refusal {
                stage: Stage::PageSize,
                errno: None,
                seen,
            },
        )),
        Err(CellError::Missing(missing)) => Answer::Outcome(missing.into()),
    }
}

/// First the smallest machine there is: a kernel that cannot map the memory at
/// all says so before a limit on its amount does. Then one with an arena.
fn attempt(arm: &Arm) -> Result<(), CellError> {
    guard::memory(ROOMY)?;
    let kvm = vmm::open_kvm()?;
    start(&kvm, arm, Bytes(layout::MEMORY_BARE))?;
    let mut machine = start(&kvm, arm, ROOMY)?;
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
    guard::page_size(arm.strategy(), machine.ram())?;
    Ok(())
}

/// A started machine of `arm`.
fn start(kvm: &Kvm, arm: &Arm, memory: Bytes) -> Result<Machine, CellError> {
    let config = Config {
        vcpus: 1,
        memory: memory.0,
        cpl: Cpl::User,
        irqchip: false,
        shared_memory: false,
        limit: ANSWER_LIMIT,
    };
    let (mut machine, _) = Machine::build(kvm, &config, PAYLOAD, |vm, len| arm.allocate(vm, len))?;
    machine.start()?;
    guard::native(&mut machine)?;
    Ok(machine)
}

/// What `error` means for `arm`. An error that is the machine's and not
/// the strategy's is a failure or a missing KVM, whatever the strategy.
fn refused(arm: &Arm, error: &Error) -> Outcome {
    let stage = match error {
        Error::Memory(refused) => refused.stage,
        Error::Memslot { .. } => Stage::Memslot,
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
        arm,
        Refusal {
            stage,
            errno: error.errno(),
            seen: error.to_string(),
        },
    )
}

/// The strategy's own explanation of a refusal.
pub(crate) fn explained(arm: &Arm, refusal: Refusal) -> Outcome {
    arm.explain(&refusal).into()
}
