// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Requests to the guest: rehearse one, measure one, verify both.

use crate::{
    CellContext, CellError, Experiment, Needs, TlbModel,
    evidence::{Crossing, Evidence, Statistic},
    guard,
};
use abi::{Args, Op, Request};
use observe::{
    effort,
    pmu::{self, Perf, Pmu},
};
use results::{
    Outcome, counter,
    record::{Counters, Samples},
};
use std::{collections::BTreeMap, fmt::Debug, ops::Range};
use strategies::AtWork;
use vmm::{Device, Machine, clock, stats};

/// How many operations are rehearsed, where a model does not say otherwise.
const REHEARSAL: u64 = 64;

/// What the guest is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Requests {
    /// Asked first and verified like the real one; its samples are thrown away.
    pub(crate) rehearsal: Request,
    /// What is measured.
    pub(crate) measured: Request,
    /// How far apart the vCPUs' addresses lie, bytes.
    pub(crate) vcpu_stride: u64,
}

impl Requests {
    /// `op` on every vCPU at the same address, rehearsed in small with other values.
    pub(crate) fn new(op: Op, args: Args) -> Self {
        let rehearsal = Args {
            count: args.count.min(REHEARSAL),
            seed: args.seed ^ 1,
            ..args
        };
        Requests {
            rehearsal: Request {
                op,
                args: rehearsal,
            },
            measured: Request { op, args },
            vcpu_stride: 0,
        }
    }

    /// The same with the vCPUs' addresses so many bytes apart.
    pub(crate) fn apart(self, vcpu_stride: u64) -> Self {
        Requests {
            vcpu_stride,
            ..self
        }
    }

    /// What vCPU `index` is asked at `stage`: its own values at its own addresses.
    pub(crate) fn of_vcpu(&self, stage: Stage, index: u64) -> Request {
        let mut own = match stage {
            Stage::Rehearsal => self.rehearsal,
            Stage::Measurement => self.measured,
        };
        own.args.seed = own.args.seed.wrapping_add(index << 32);
        own.args.address += index * self.vcpu_stride;
        own
    }
}

/// Which of the two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The small one.
    Rehearsal,
    /// The real one.
    Measurement,
}

/// What makes KVM take the path that a workload is named for, and a negative control lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// Both steps of preparation, and what the machine needs for them.
    Preparation,
    /// The model's own device: one answers that knows nothing of it.
    Device,
}

/// A model that asks every vCPU for something at the same time; the guest's samples are
/// those of the cell.
pub(crate) trait GuestRequests: Debug + 'static {
    /// What must be there while the guest runs.
    type Fixture: Default;

    /// A further series of one sample: the reply's `out[0]`, the ticks for everything
    /// together.
    const TOTAL: Option<&'static str> = None;

    /// Whether it costs time alone: as many instructions are executed whatever happens, so
    /// that the lab can only model it.
    const IN_TIME_ALONE: bool = false;

    /// The machine.
    fn needs(&self) -> Needs;

    /// What the guest is asked.
    fn requests(&self) -> Requests;

    /// Prepares the machine before its guest runs at all.
    ///
    /// # Errors
    /// What the machine lacks, or what failed.
    fn prepare(
        &self,
        _machine: &mut Machine,
        _context: &CellContext<'_>,
    ) -> Result<Self::Fixture, CellError> {
        Ok(Self::Fixture::default())
    }

    /// Prepares what must not be there before the rehearsal.
    ///
    /// # Errors
    /// As [`GuestRequests::prepare`].
    fn after_rehearsal(
        &self,
        _fixture: &mut Self::Fixture,
        _machine: &mut Machine,
    ) -> Result<(), CellError> {
        Ok(())
    }

    /// What answers the accesses of a vCPU that was asked for `request`.
    fn device(&self, request: &Request, _fixture: &Self::Fixture) -> Device {
        Device::new(request.args.seed)
    }

    /// How many operations one sample covers.
    fn operations_per_sample(&self) -> u64 {
        1
    }

    /// How many operations `request` is.
    fn operations(&self, request: &Request) -> u64 {
        request.args.count * self.operations_per_sample()
    }

    /// How many pages `request` touches for the first time.
    fn first_touches(&self, _request: &Request) -> u64 {
        0
    }

    /// What the test device exchanges with the guest meanwhile.
    fn crossing(&self, _request: &Request) -> Crossing {
        Crossing::NOTHING
    }

    /// What KVM counts meanwhile; `None` where no statistic tells.
    fn statistic(&self) -> Option<Statistic> {
        None
    }

    /// Verifies what the methods above do not say, and returns the model's own counters.
    ///
    /// # Errors
    /// What shows that the path was another one.
    fn verify(
        &self,
        _evidence: &Evidence<'_>,
        _fixture: &Self::Fixture,
    ) -> Result<Counters, CellError> {
        Ok(Counters::new())
    }

    /// What its negative control leaves out; `None` if there is nothing that could be.
    fn left_out(&self) -> Option<LeftOut> {
        None
    }
}

impl<M: GuestRequests> Experiment for M {
    fn needs(&self) -> Needs {
        GuestRequests::needs(self)
    }

    fn run(&self, context: &CellContext<'_>) -> Result<Outcome, CellError> {
        measure(self, context)
    }

    fn has_negative_control(&self) -> bool {
        self.left_out().is_some()
    }
}

/// What came of a request.
pub(crate) struct RequestResult {
    pub(crate) samples: Samples,
    pub(crate) counters: Counters,
    /// What the PMU could not count, and why.
    pub(crate) unavailable: BTreeMap<String, String>,
    /// From when to when it was carried out, in ticks.
    pub(crate) window: Range<u64>,
}

/// The series of a request.
const SERIES: &str = "latency";

/// What this cell leaves out, if it is a negative control.
fn left_out<M: GuestRequests>(context: &CellContext<'_>, model: &M) -> Option<LeftOut> {
    let control = context.conditions().faults.negative_control;
    model.left_out().filter(|_| control)
}

/// Builds the machine, rehearses and measures.
fn measure<M: GuestRequests>(model: &M, context: &CellContext<'_>) -> Result<Outcome, CellError> {
    let modelled = M::IN_TIME_ALONE && context.lab();
    if modelled {
        model_or_nothing(context.tlb_model())?;
    }
    let pmu = pmu::ready();
    let prepares = left_out(context, model) != Some(LeftOut::Preparation);
    let needs = GuestRequests::needs(model);
    let (mut machine, _) = match prepares {
        true => context.build(needs)?,
        false => context.build(Needs::of(needs.size))?,
    };
    // After the machine, and so dropped before it.
    let mut fixture = match prepares {
        true => model.prepare(&mut machine, context)?,
        false => M::Fixture::default(),
    };
    machine.start()?;
    guard::native(&mut machine)?;
    run_request(
        context,
        &mut machine,
        model,
        &fixture,
        Stage::Rehearsal,
        None,
    )?;
    if prepares {
        model.after_rehearsal(&mut fixture, &mut machine)?;
    }
    let result = run_request(
        context,
        &mut machine,
        model,
        &fixture,
        Stage::Measurement,
        pmu.as_ref().ok(),
    )?;
    if let (true, Some(why)) = (modelled, context.tlb_model().silence(&result.counters)) {
        return Err(why.into());
    }
    let mut batch = BTreeMap::from([(SERIES.to_string(), model.operations_per_sample())]);
    if let Some(total) = M::TOTAL {
        batch.insert(total.to_string(), model.requests().measured.args.count);
    }
    let scale = context.scale(&mut machine)?;
    let mut outcome = scale.outcome(result.samples, batch, result.counters);
    if let Outcome::Measured { unavailable, .. } = &mut outcome {
        *unavailable = result.unavailable;
        unavailable.extend(pmu.err().and_then(|why| no_pmu(&why, M::IN_TIME_ALONE)));
    }
    Ok(outcome)
}

/// The line of a record for a PMU that counts nothing at all, if the cell is to have one:
/// each is, unless there is no PMU. That is said once for the run (host.json), and here only
/// where the counts are what the model is about.
fn no_pmu(why: &pmu::Absence, about_counts: bool) -> Option<(String, String)> {
    let expected = *why != pmu::Absence::NoPmu || about_counts;
    expected.then(|| (counter::pmu::ORIGIN.word.to_string(), why.to_string()))
}

/// In the lab, what shows in time alone can only be modelled.
fn model_or_nothing(model: &TlbModel) -> Result<(), CellError> {
    let unmodelled = match model {
        TlbModel::Here => return Ok(()),
        TlbModel::Unasked => String::new(),
        TlbModel::Absent(why) => format!("; its model of TLBs is unavailable: {why}"),
    };
    Err(CellError::missing(
        format!(
            "the lab counts instructions, and this costs as many however long it takes{unmodelled}"
        ),
        "`unmapbench lab build`, which gets what the model needs, or --on host",
    ))
}

/// Carries out a request on all vCPUs and verifies it; `pmu` counts meanwhile. The lab's TLB
/// model counts a measurement and no rehearsal.
pub(crate) fn run_request<M: GuestRequests>(
    context: &CellContext<'_>,
    machine: &mut Machine,
    model: &M,
    fixture: &M::Fixture,
    stage: Stage,
    pmu: Option<&Pmu<Perf>>,
) -> Result<RequestResult, CellError> {
    let delay = match context.conditions().faults.delay_ns {
        0 => 0,
        ns => context.scale(machine)?.ticks(ns),
    };
    let left_out = left_out(context, model);
    let all = model.requests();
    let vcpus = 0..machine.vcpus().len() as u64;
    let requests: Vec<_> = vcpus.map(|i| all.of_vcpu(stage, i)).collect();
    let mut devices: Vec<_> = requests
        .iter()
        .map(|request| match left_out {
            Some(LeftOut::Device) => Device::new(request.args.seed),
            _ => model.device(request, fixture),
        })
        .map(|device| device.delayed(delay))
        .collect();
    let effort = effort::so_far();
    let (before, clock_before) = (machine.stats()?, machine.clock()?);
    let window = (stage == Stage::Measurement).then(|| context.tlb_model().begin());
    let begun = clock::ticks();
    let (replies, counted) = machine.call_all_between(
        &requests,
        &mut devices,
        || pmu.map(Pmu::start),
        |running| pmu.zip(running).map(|(pmu, running)| pmu.stop(running)),
    )?;
    let ended = clock::ticks();
    let modelled = window.map(|window| window.end()).unwrap_or_default();
    let (clock_after, after) = (machine.clock()?, machine.stats()?);
    let effort = effort::since(&effort);
    let grown = stats::growth(&before, &after);

    let mut samples = Samples::new();
    for (i, (request, reply)) in requests.iter().zip(&replies).enumerate() {
        let ticks = machine.samples(i, *request, reply)?;
        samples.entry(SERIES.into()).or_default().extend(ticks);
        if let Some(total) = M::TOTAL {
            samples.entry(total.into()).or_default().push(reply.out[0]);
        }
    }
    let own = verify(
        context,
        model,
        fixture,
        &Evidence {
            machine,
            requests: &requests,
            replies: &replies,
            devices: &devices,
            grown: &grown,
            clock: (clock_before, clock_after),
            rehearsal: stage == Stage::Rehearsal,
        },
    )?;
    let mut counters = context.counters(machine, grown)?;
    let operations = requests.iter().map(|r| model.operations(r)).sum();
    counter::OPERATIONS.put(&mut counters, operations);
    let exits = devices.iter().map(Device::exits).sum();
    counter::vmm::EXITS.put(&mut counters, exits);
    counters.extend(effort);
    counters.extend(modelled);
    counters.extend(own);
    let counted: Vec<_> = counted.into_iter().flatten().collect();
    let tally = pmu.map(|pmu| pmu.tally(&counted)).unwrap_or_default();
    counters.extend(tally.counters);
    Ok(RequestResult {
        samples,
        counters,
        unavailable: tally.unavailable,
        window: begun..ended,
    })
}

/// Everything that must be true after a request.
fn verify<M: GuestRequests>(
    context: &CellContext<'_>,
    model: &M,
    fixture: &M::Fixture,
    evidence: &Evidence<'_>,
) -> Result<Counters, CellError> {
    // What KVM counted comes first: it says of a path that was not taken what was instead.
    if let Some(statistic) = model.statistic() {
        evidence.counted(statistic)?;
    }
    let own = model.verify(evidence, fixture)?;
    evidence.each_vcpu(|vcpu| vcpu.crossed(model.crossing(&vcpu.request)))?;
    let requests = evidence.requests.iter();
    let touched = requests.map(|r| model.first_touches(r)).sum();
    context.at_work(AtWork {
        touched,
        freed: 0,
        grown: evidence.grown,
    })?;
    Ok(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_pmu_is_noted_where_it_matters() {
        let note = |why, about| no_pmu(&why, about).map(|(what, _)| what);
        assert_eq!(note(pmu::Absence::NoPmu, true).as_deref(), Some("pmu"));
        assert_eq!(note(pmu::Absence::NoPmu, false), None);
        assert_eq!(note(pmu::Absence::Full, false).as_deref(), Some("pmu"));
    }
}
