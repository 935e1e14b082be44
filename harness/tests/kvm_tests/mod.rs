// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The tests by themselves: of the machine, and of every strategy.

pub(crate) mod absence;
mod contract;
mod machine;
mod pmu;

use abi::{Args, Op, Request};
use libtest_mimic::{Completion, Failed};
use std::time::Duration;
use strategies::{Arm, Strategy};
use vmm::{Config, Cpl, Machine};

pub(crate) type OnMachine = fn() -> Result<Completion, Failed>;
pub(crate) type OnStrategy = fn(&'static Strategy) -> Result<(), Failed>;

pub(crate) use contract::TESTS as CONTRACT;
pub(crate) use machine::TESTS as MACHINE;

/// The least memory with an arena.
const MEMORY: u64 = abi::layout::MEMORY_MIN;

fn config(vcpus: u64, cpl: Cpl) -> Config {
    Config {
        vcpus,
        memory: MEMORY,
        cpl,
        irqchip: false,
        shared_memory: false,
        limit: Duration::from_secs(10),
    }
}

/// A machine of `strategy` that takes requests.
fn started(strategy: &'static Strategy, config: &Config) -> Result<Machine, vmm::Error> {
    let kvm = vmm::open_kvm()?;
    let (mut machine, _) = Machine::build(&kvm, config, models::PAYLOAD, |vm, len| {
        Arm::of(strategy).allocate(vm, len)
    })?;
    machine.start()?;
    Ok(machine)
}

fn ask(op: Op, args: Args) -> Request {
    Request { op, args }
}
