// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a cell is measured under, and the machines of one cell.

use crate::{CellError, LinuxGuest, Needs, PAYLOAD, TlbModel, counting, guard, scale::Scale};
use results::{
    Cell, Testbed,
    record::{Counters, Samples},
};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use strategies::{Arm, AtWork};
use vmm::{
    Kvm, Machine, Phases, VmFd,
    stats::{self, Stats},
};

/// What is changed about a cell on purpose, to see whether it is noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FaultInjection {
    /// What makes KVM take the workload's path is left out, and the verification must fail.
    pub negative_control: bool,
    /// So many nanoseconds of work are added to each exit to the VMM.
    pub delay_ns: u64,
}

impl FaultInjection {
    /// Whether nothing is changed.
    pub fn is_none(&self) -> bool {
        *self == FaultInjection::default()
    }
}

/// What a cell is measured under.
#[derive(Debug)]
pub struct Conditions<'a> {
    /// The cell, whose parameters the model reads.
    pub cell: &'a Cell,
    /// The cell's strategy in its mode.
    pub arm: &'a Arm,
    /// The lab's TLB model, whose windows lie around what is measured.
    pub tlb_model: &'a TlbModel,
    /// What is changed on purpose.
    pub faults: FaultInjection,
    /// What a Linux guest boots, where there is a kernel for one.
    pub linux: Option<&'a LinuxGuest>,
}

/// What every experiment of a cell is carried out with.
pub struct CellContext<'a> {
    conditions: &'a Conditions<'a>,
    kvm: Kvm,
    console: &'a RefCell<Option<String>>,
}

impl<'a> CellContext<'a> {
    /// The context of a cell whose guest's console goes to `console`.
    ///
    /// # Errors
    /// [`CellError::Machine`] without a usable /dev/kvm.
    pub(crate) fn new(
        conditions: &'a Conditions<'a>,
        console: &'a RefCell<Option<String>>,
    ) -> Result<Self, CellError> {
        Ok(CellContext {
            conditions,
            kvm: vmm::open_kvm()?,
            console,
        })
    }

    /// What the cell is measured under.
    pub(crate) fn conditions(&self) -> &Conditions<'_> {
        self.conditions
    }

    /// The strategy in its mode.
    pub(crate) fn arm(&self) -> &Arm {
        self.conditions.arm
    }

    /// The lab's TLB model.
    pub(crate) fn tlb_model(&self) -> &TlbModel {
        self.conditions.tlb_model
    }

    /// Whether this is the lab, where what has no other owner may be overwritten.
    pub(crate) fn lab(&self) -> bool {
        self.conditions.cell.testbed == Testbed::Lab
    }

    /// The KVM of every machine of the cell.
    pub(crate) fn kvm(&self) -> &Kvm {
        &self.kvm
    }

    /// Checks that the strategy was at work: one that did without would be measured as what
    /// it is not.
    pub(crate) fn at_work(&self, seen: AtWork<'_>) -> Result<(), CellError> {
        let shown = self.arm().claims().evidence.check(seen);
        Ok(shown.map_err(|why| format!("{}: {why}", self.arm()))?)
    }

    /// A machine that has run nothing, and how long each step took.
    pub(crate) fn build(&self, needs: Needs) -> Result<(Machine, Phases), CellError> {
        let allocate = |vm: &VmFd, len| self.arm().allocate(vm, len);
        let built = Machine::build(&self.kvm, &needs.config(), PAYLOAD, allocate);
        built.map_err(|e| CellError::building(self.arm(), e))
    }

    /// A machine whose guest takes requests, natively.
    pub(crate) fn started(&self, needs: Needs) -> Result<Machine, CellError> {
        let (mut machine, _) = self.build(needs)?;
        machine.start()?;
        guard::native(&mut machine)?;
        Ok(machine)
    }

    /// What KVM's statistics grew by, what its page tables hold now, and how much of the
    /// memory is huge pages, which is checked against the strategy's promise.
    pub(crate) fn counters(&self, machine: &Machine, grown: Stats) -> Result<Counters, CellError> {
        counting::counters(self.arm(), machine.ram(), machine.stats()?, grown)
    }

    /// The counters of a machine whose statistics did not matter so far.
    pub(crate) fn counters_now(&self, machine: &Machine) -> Result<Counters, CellError> {
        self.counters(machine, stats::Stats::new())
    }

    /// From ticks to the unit of the testbed.
    pub(crate) fn scale(&self, machine: &mut Machine) -> Result<Scale, CellError> {
        Ok(match self.lab() {
            true => Scale::Instructions,
            false => Scale::Khz(machine.vcpus()[0].tsc_khz()?.into()),
        })
    }

    /// Adds to what the guest's console showed.
    pub(crate) fn show(&self, text: &str) {
        let mut console = self.console.borrow_mut();
        console.get_or_insert_default().push_str(text);
    }

    /// What the console has shown so far.
    pub(crate) fn shown(&self) -> String {
        self.console.borrow().clone().unwrap_or_default()
    }
}

/// A series of one sample for each phase, and one for all together.
pub(crate) fn with_total(phases: Phases) -> Samples {
    let total = phases.iter().map(|(_, ticks)| ticks).sum();
    let named = phases.into_iter().chain([("total", total)]);
    named
        .map(|(name, ticks)| (name.to_string(), vec![ticks]))
        .collect()
}
