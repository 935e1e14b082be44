// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Measuring: build the machine, check it, rehearse, measure, prove.

use super::{
    ANSWER_LIMIT, Stop, bystander, guard, host_side, linux, proof,
    setup::{self, Ready},
    tlb_model::{self, TlbModel, Window},
};
use abi::Request;
use observe::{
    direct_map, effort,
    pmu::{self, Perf, Pmu},
};
use results::{
    Cell, Outcome, Testbed, Unit, counter,
    record::{Counters, Samples},
    unit::Bytes,
};
use std::{collections::BTreeMap, ops::Range};
use strategies::{Arm, AtWork, GuestRam, Missing};
use vmm::{Config, Cpl, Device, Kvm, Machine, Phases, VmFd, clock, stats};
use workloads::{Access, Call, Script, Setup};

/// The counter that says how many operations the others were counted over.
pub(super) const OPERATIONS: &str = counter::OPERATIONS.key;

/// What is changed about a cell on purpose, to see whether it is noticed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Twist {
    /// The workload's path is taken away, and its proof must say so.
    pub(crate) sabotaged: bool,
    /// So many nanoseconds of work are added to each exit to the VMM.
    pub(crate) delay_ns: u64,
}

/// Measures `cell`, and accounts for what it did to the direct map from before
/// its machine was built until after it was gone. `guest` is what a Linux guest
/// boots, and a place for what its console shows.
pub(crate) fn run(
    arm: &Arm,
    cell: &Cell,
    twist: Twist,
    guest: linux::Boot<'_>,
    model: &TlbModel,
) -> Result<Outcome, Stop> {
    let before = direct_map::counters();
    let mut outcome = measured(arm, cell, twist, guest, model)?;
    if let Outcome::Measured {
        counters,
        unavailable,
        ..
    } = &mut outcome
    {
        if let Some(why) = model.silence(counters) {
            unavailable.insert(tlb_model::NAME.into(), why);
        }
        for (name, now) in direct_map::counters() {
            let then = before.get(&name).copied().unwrap_or(0);
            match name.strip_suffix("_kib") {
                Some(size) => {
                    counters.insert(
                        counter::host::ORIGIN.key(&format!("{size}_kib.before")),
                        then,
                    );
                    counters.insert(counter::host::ORIGIN.key(&format!("{size}_kib.after")), now);
                }
                None if now > then => {
                    counters.insert(counter::host::ORIGIN.key(&name), now - then);
                }
                None => {}
            }
        }
    }
    Ok(outcome)
}

fn measured(
    arm: &Arm,
    cell: &Cell,
    twist: Twist,
    guest: linux::Boot<'_>,
    model: &TlbModel,
) -> Result<Outcome, Stop> {
    let definitions = workloads::all().map_err(|e| Stop::Unproved(e.to_string()))?;
    let workload = definitions.iter().find(|w| w.id == cell.workload);
    let workload =
        workload.ok_or_else(|| Stop::Unproved(format!("no workload {}", cell.workload)))?;
    let script = workload.model.script(&cell.workload, &cell.params);
    let mut script = script.map_err(|e| Stop::Unproved(e.to_string()))?;
    if twist.sabotaged {
        script = sabotage(script)?;
    }

    let config = config(cell, &script);
    guard::memory(Bytes(config.memory))?;
    let kvm = vmm::open_kvm()?;
    let bench = Bench {
        kvm,
        config,
        arm,
        cell,
        model,
        delay_ns: twist.delay_ns,
    };
    match script {
        Script::Boot => bench.boot(),
        Script::Linux(linux) => linux::run(&bench, linux, guest),
        Script::Teardown { touch } => bench.teardown(touch),
        Script::Call(call) => bench.call(&call),
        Script::Populate { by, range } => host_side::populate(&bench, by, range),
        Script::Punch { touch, range } => host_side::punch(&bench, touch, range),
        Script::Victim(victim) => bystander::victim(&bench, &victim),
        Script::Neighbour(neighbour) => bystander::neighbour(&bench, &neighbour),
    }
}

/// What a script needs for its path to be the one it is named for is left out, so
/// that a proof which cannot fail would be found out.
fn sabotage(script: Script) -> Result<Script, Stop> {
    match script {
        Script::Call(call) => call.sabotaged().map(Script::Call),
        _ => None,
    }
    .ok_or_else(|| {
        Stop::Missing(strategies::Missing::new(
            "this workload needs no preparation that could be left out",
            "a workload that does",
        ))
    })
}

fn config(cell: &Cell, script: &Script) -> Config {
    let int = |name, default| cell.int(name).unwrap_or(default);
    let setup = match script {
        Script::Call(call) => call.setup,
        _ => Setup::Nothing,
    };
    Config {
        vcpus: int("cpus", 1),
        memory: Bytes::mib(int("mem_mib", 64)).0,
        cpl: Cpl::User,
        irqchip: setup.has_irqchip(),
        shared_memory: setup.has_window(),
        limit: ANSWER_LIMIT,
    }
}

/// What came of a request.
pub(super) struct Asked {
    pub(super) samples: Samples,
    pub(super) counters: Counters,
    /// What the PMU could not count, and why.
    pub(super) unavailable: BTreeMap<String, String>,
    /// From when to when it was carried out, in ticks.
    pub(super) window: Range<u64>,
}

/// What every kind of cell needs.
pub(super) struct Bench<'a> {
    pub(super) kvm: Kvm,
    config: Config,
    pub(super) arm: &'a Arm,
    pub(super) cell: &'a Cell,
    /// The lab's TLB model, whose windows lie around what is measured.
    pub(super) model: &'a TlbModel,
    delay_ns: u64,
}

impl Bench<'_> {
    /// A machine whose guest takes requests, natively.
    pub(super) fn started(&self) -> Result<Machine, Stop> {
        let (mut machine, _) = self.build()?;
        machine.start()?;
        guard::native(&mut machine)?;
        Ok(machine)
    }

    fn build(&self) -> Result<(Machine, Phases), Stop> {
        let allocate = |vm: &VmFd, len| self.arm.allocate(vm, len);
        let built = Machine::build(&self.kvm, &self.config, workloads::PAYLOAD, allocate);
        built.map_err(|e| Stop::building(self.arm, e))
    }

    fn boot(&self) -> Result<Outcome, Stop> {
        let modelled = self.model.begin();
        let (mut machine, mut phases) = self.build()?;
        phases.extend(machine.start()?);
        let modelled = modelled.end();
        guard::native(&mut machine)?;
        let mut counters = self.counters(&machine, stats::Stats::new())?;
        counters.extend(modelled);
        self.phases(&mut machine, phases, counters)
    }

    fn teardown(&self, touch: Request) -> Result<Outcome, Stop> {
        let mut machine = self.started()?;
        machine.call(touch, &mut Device::new(0))?;
        let mut counters = self.counters(&machine, stats::Stats::new())?;
        let scale = self.scale(&mut machine)?;
        let modelled = self.model.begin();
        let phases = machine.tear_down();
        counters.extend(modelled.end());
        Ok(outcome(scale, with_total(phases), counters))
    }

    fn call(&self, call: &Call) -> Result<Outcome, Stop> {
        let in_time_alone = self.cell.testbed == Testbed::Lab && call.proof.access.takes_time();
        if in_time_alone {
            self.model_or_nothing()?;
        }
        let pmu = pmu::ready();
        let (mut machine, _) = self.build()?;
        let ready = setup::at_once(call, &mut machine, self.cell.testbed == Testbed::Lab)?;
        machine.start()?;
        guard::native(&mut machine)?;
        self.ask(&mut machine, call, call.rehearsal, &ready, None)?;
        let ready = setup::after_rehearsal(call, &mut machine)?.unwrap_or(ready);
        let Asked {
            samples,
            counters,
            unavailable: uncounted,
            ..
        } = self.ask(&mut machine, call, call.measured, &ready, pmu.as_ref().ok())?;
        if let (true, Some(why)) = (in_time_alone, self.model.silence(&counters)) {
            return Err(Stop::Unproved(why));
        }
        let scale = self.scale(&mut machine)?;

        let mut batch = BTreeMap::new();
        batch.insert(call.series.to_string(), call.operations_per_sample());
        if let Some(total) = call.total {
            batch.insert(total.to_string(), call.measured.args.count);
        }
        let mut outcome = scale.outcome(samples, batch, counters);
        if let Outcome::Measured { unavailable, .. } = &mut outcome {
            *unavailable = uncounted;
            unavailable.extend(
                pmu.err()
                    .and_then(|why| nothing_counted(&why, self.cell.family())),
            );
        }
        Ok(outcome)
    }

    /// In the lab, what shows in time alone can only be modelled.
    fn model_or_nothing(&self) -> Result<(), Stop> {
        let unmodelled = match self.model {
            TlbModel::Here => return Ok(()),
            TlbModel::Unasked => String::new(),
            TlbModel::Absent(why) => format!("; its model of TLBs is unavailable: {why}"),
        };
        Err(Stop::Missing(Missing::new(
            format!(
                "the lab counts instructions, and this costs as many however long it takes{unmodelled}"
            ),
            "`unmapbench lab build`, which gets what the model needs, or --on host",
        )))
    }

    /// Carries out `request` on all vCPUs and proves it; `pmu` counts meanwhile.
    pub(super) fn ask(
        &self,
        machine: &mut Machine,
        call: &Call,
        request: Request,
        ready: &Ready,
        pmu: Option<&Pmu<Perf>>,
    ) -> Result<Asked, Stop> {
        let delay = match self.delay_ns {
            0 => 0,
            ns => self.scale(machine)?.ticks(ns),
        };
        let vcpus = 0..self.config.vcpus;
        let requests: Vec<_> = vcpus.map(|i| call.for_vcpu(request, i)).collect();
        let mut devices: Vec<_> = requests
            .iter()
            .map(|r| setup::device(call, r, ready).delayed(delay))
            .collect();
        let effort = effort::so_far();
        let (before, clock_before) = (machine.stats()?, machine.clock()?);
        // A rehearsal is thrown away.
        let modelled = (request != call.rehearsal).then(|| self.model.begin());
        let begun = clock::ticks();
        let (replies, counted) = machine.call_all_between(
            &requests,
            &mut devices,
            || pmu.map(Pmu::start),
            |running| pmu.zip(running).map(|(pmu, running)| pmu.stop(running)),
        )?;
        let window = begun..clock::ticks();
        let modelled = modelled.map(Window::end).unwrap_or_default();
        let (clock_after, after) = (machine.clock()?, machine.stats()?);
        let effort = effort::since(&effort);
        let grown = stats::growth(&before, &after);

        let mut samples = Samples::new();
        for (i, (request, reply)) in requests.iter().zip(&replies).enumerate() {
            let ticks = machine.samples(i, *request, reply)?;
            samples.entry(call.series.into()).or_default().extend(ticks);
            if let Some(total) = call.total {
                samples.entry(total.into()).or_default().push(reply.out[0]);
            }
        }
        let saw = ready.saw()?;
        let seen = proof::Seen {
            requests: &requests,
            replies: &replies,
            devices: &devices,
            grown: &grown,
            clock: (clock_before, clock_after),
            ready: saw,
        };
        proof::check(call, &seen, machine)?;
        if let (Ready::Virtio(device), Access::BlockWrite) = (ready, call.proof.access) {
            device.check_disk(request)?;
        }
        self.at_work(AtWork {
            touched: proof::touched(call, &requests),
            freed: 0,
            grown: &grown,
        })?;

        let mut counters = self.counters(machine, grown)?;
        let operations = requests.iter().map(|r| call.operations(*r)).sum();
        counters.insert(OPERATIONS.into(), operations);
        let exits = devices.iter().map(Device::exits).sum();
        counter::vmm::EXITS.put(&mut counters, exits);
        counters.extend(effort);
        counters.extend(modelled);
        if let setup::Saw::Virtio(count) = saw {
            counters.extend(count.counters(call, operations));
        }
        let counted: Vec<_> = counted.into_iter().flatten().collect();
        let tally = pmu.map(|pmu| pmu.tally(&counted)).unwrap_or_default();
        counters.extend(tally.counters);
        Ok(Asked {
            samples,
            counters,
            unavailable: tally.unavailable,
            window,
        })
    }

    /// Checks that the strategy was at work: one that did without would be measured as
    /// what it is not.
    pub(super) fn at_work(&self, seen: AtWork<'_>) -> Result<(), Stop> {
        let shown = self.arm.claims().evidence.check(seen);
        shown.map_err(|why| Stop::Unproved(format!("{}: {why}", self.arm)))
    }

    /// What KVM's statistics grew by, what its page tables hold now, and how
    /// much of the memory is huge pages, which is checked against the promise.
    pub(super) fn counters(
        &self,
        machine: &Machine,
        grown: stats::Stats,
    ) -> Result<Counters, Stop> {
        self.counted(machine.ram(), machine.stats()?, grown)
    }

    /// The same of any machine: of its memory, and its statistics now.
    pub(super) fn counted(
        &self,
        ram: &GuestRam,
        now: stats::Stats,
        grown: stats::Stats,
    ) -> Result<Counters, Stop> {
        let huge = guard::page_size(self.arm.strategy(), ram).map_err(|why| {
            Stop::Unproved(format!(
                "the page size is not what {} promises: {why}",
                self.arm
            ))
        })?;
        let mut counters = Counters::new();
        for (name, n) in now {
            if name.starts_with(counter::PAGES) {
                counters.insert(counter::mapped::ORIGIN.key(&name), n);
            }
        }
        for (name, n) in grown {
            if !name.starts_with(counter::PAGES) {
                counters.insert(counter::kvm::ORIGIN.key(&name), n);
            }
        }
        counter::ram::HUGE_BYTES.put(&mut counters, huge);
        Ok(counters)
    }

    fn phases(
        &self,
        machine: &mut Machine,
        phases: Phases,
        counters: Counters,
    ) -> Result<Outcome, Stop> {
        Ok(outcome(self.scale(machine)?, with_total(phases), counters))
    }

    pub(super) fn scale(&self, machine: &mut Machine) -> Result<Scale, Stop> {
        Ok(match self.cell.testbed {
            Testbed::Lab => Scale::Instructions,
            Testbed::Host | Testbed::Fake => Scale::Khz(machine.vcpus()[0].tsc_khz()?.into()),
        })
    }
}

pub(super) fn with_total(phases: Phases) -> Samples {
    let total = phases.iter().map(|(_, ticks)| ticks).sum();
    let named = phases.into_iter().chain([("total", total)]);
    named
        .map(|(name, ticks)| (name.to_string(), vec![ticks]))
        .collect()
}

fn outcome(scale: Scale, samples: Samples, counters: Counters) -> Outcome {
    scale.outcome(samples, BTreeMap::new(), counters)
}

/// From ticks to the unit of the testbed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// One tick is one instruction.
    Instructions,
    /// This many thousand ticks a second.
    Khz(u64),
}

impl Scale {
    /// An outcome of `samples` in ticks; `batch` is the operations in one sample of
    /// a series, where it is not 1.
    pub(super) fn outcome(
        self,
        mut samples: Samples,
        mut batch: BTreeMap<String, u64>,
        counters: Counters,
    ) -> Outcome {
        let unit = match self {
            Scale::Instructions => Unit::Insn,
            Scale::Khz(_) => Unit::Ns,
        };
        for ticks in samples.values_mut().flatten() {
            *ticks = self.convert(*ticks);
        }
        batch.retain(|_, n| *n != 1);
        Outcome::Measured {
            unit,
            samples,
            batch,
            counters,
            unavailable: BTreeMap::new(),
        }
    }

    /// So many nanoseconds in ticks; of the lab's clock, whose tick is one.
    fn ticks(self, ns: u64) -> u64 {
        match self {
            Scale::Instructions => ns,
            Scale::Khz(khz) => {
                let ticks = u128::from(ns) * u128::from(khz) / 1_000_000;
                u64::try_from(ticks).unwrap_or(u64::MAX)
            }
        }
    }

    fn convert(self, ticks: u64) -> u64 {
        match self {
            Scale::Instructions => ticks,
            Scale::Khz(khz) => {
                let khz = u128::from(khz.max(1));
                let ns = (u128::from(ticks) * 1_000_000 + khz / 2) / khz;
                u64::try_from(ns).unwrap_or(u64::MAX)
            }
        }
    }
}

/// The line of a record for a PMU that counts nothing at all, if a cell of `family` is to
/// have one: each is, unless there is no PMU. That is said once for the run (host.json),
/// and here only where the counts were what the cell is about.
fn nothing_counted(why: &pmu::Absence, family: &str) -> Option<(String, String)> {
    let expected = *why != pmu::Absence::NoPmu || family == "tlb";
    expected.then(|| (counter::pmu::ORIGIN.word.to_string(), why.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_pmu_is_noted_where_it_matters() {
        let note = |why, family| nothing_counted(&why, family).map(|(what, _)| what);
        assert_eq!(note(pmu::Absence::NoPmu, "tlb").as_deref(), Some("pmu"));
        assert_eq!(note(pmu::Absence::NoPmu, "mmio"), None);
        assert_eq!(note(pmu::Absence::Full, "mmio").as_deref(), Some("pmu"));
    }

    #[test]
    fn ticks_become_nanoseconds_to_the_nearest() {
        let check = |khz, ticks, ns| assert_eq!(Scale::Khz(khz).convert(ticks), ns);
        check(1_000_000, 7, 7);
        check(2_600_000, 26, 10);
        check(2_600_000, 27, 10);
        check(2_600_000, 28, 11);
        check(2_600_000, u64::MAX, 7_094_901_566_811_366_006);
        check(0, 5, 5_000_000);
        assert_eq!(Scale::Instructions.convert(4858), 4858);
        assert_eq!(Scale::Khz(2_600_000).ticks(10), 26);
        assert_eq!(Scale::Instructions.ticks(10), 10);
    }
}
