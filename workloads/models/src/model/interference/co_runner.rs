// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A process on another CPU, alone and beside a VM that is busy.

use super::rounds::Rounds;
use crate::{
    BadParameter, CellContext, CellError, Experiment, GuestRequests, Needs, Parameters,
    model::{fault::Touch, mmio},
    request::{RequestResult, Stage, run_request},
};
use results::{Outcome, record::Samples};
use std::{
    collections::BTreeMap,
    env,
    io::{self, BufRead, BufReader},
    ops::Range,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};
use vmm::{
    clock,
    virtio::{cpus, pin, spread},
};

/// How long the co-runner works alone before the guest begins.
const ALONE: Duration = Duration::from_millis(50);

/// Fewer rounds say nothing.
const ROUNDS_MIN: usize = 20;

/// More are not recorded, but evenly spaced ones of them.
const ROUNDS_MAX: usize = 256;

/// A co-runner, and what the guest does meanwhile.
#[derive(Debug)]
pub(super) enum CoRunner {
    /// First touches of all memory in random order.
    Populate(Touch),
    /// Reads of an address without memory.
    MmioRead(mmio::Access),
}

impl CoRunner {
    pub(super) fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(
            match params.word("load", &[("populate", true), ("mmio-read", false)])? {
                true => {
                    // One list of counts is for both.
                    params.count()?;
                    CoRunner::Populate(Touch::at_random(params.size()?))
                }
                false => CoRunner::MmioRead(mmio::Access::read(params)?),
            },
        )
    }
}

impl Experiment for CoRunner {
    fn needs(&self) -> Needs {
        match self {
            CoRunner::Populate(touch) => GuestRequests::needs(touch),
            CoRunner::MmioRead(reads) => GuestRequests::needs(reads),
        }
    }

    fn run(&self, context: &CellContext<'_>) -> Result<Outcome, CellError> {
        if context.lab() {
            return Err(CellError::missing(
                "the lab's CPUs take turns, so that nothing in it runs beside anything else",
                "--on host",
            ));
        }
        let all = cpus().map_err(|e| failed("which CPUs there are", e))?;
        let (Some(own), Some(other)) = (all.first(), all.get(1..).and_then(<[_]>::last)) else {
            return Err(CellError::missing(
                "a co-runner needs a CPU of its own, and this process may use one only",
                "a machine with two CPUs, or taskset",
            ));
        };
        pin(*own).map_err(|e| failed("stay on one CPU", e))?;
        let outcome = match self {
            CoRunner::Populate(touch) => beside(context, touch, *other),
            CoRunner::MmioRead(reads) => beside(context, reads, *other),
        };
        spread(&all).map_err(|e| failed("use all CPUs again", e))?;
        outcome
    }
}

/// Has the guest do its part with this thread on one CPU and the co-runner on CPU `other`.
fn beside<M: GuestRequests>(
    context: &CellContext<'_>,
    model: &M,
    other: usize,
) -> Result<Outcome, CellError> {
    let mut machine = context.started(GuestRequests::needs(model))?;
    let fixture = M::Fixture::default();
    run_request(
        context,
        &mut machine,
        model,
        &fixture,
        Stage::Rehearsal,
        None,
    )?;
    let process = Process::start(other).map_err(|e| failed("start", e))?;
    thread::sleep(ALONE);
    let alone = clock::ticks();
    thread::sleep(ALONE);
    let alone = alone..clock::ticks();
    let RequestResult {
        counters, window, ..
    } = run_request(
        context,
        &mut machine,
        model,
        &fixture,
        Stage::Measurement,
        None,
    )?;
    let rounds = process.end().map_err(|e| failed("what it did", e))?;
    if !rounds.right {
        return Err("co-runner: what it read did not add up".to_string().into());
    }
    let series = [("alone", alone), ("beside", window)];
    let samples = series.map(|(name, window)| {
        let within = within(&rounds.begun, &window);
        match within.len() {
            0..ROUNDS_MIN => Err(format!(
                "co-runner: {} whole rounds {name}, and {ROUNDS_MIN} are the least: raise count or mem_mib",
                within.len()
            )),
            n => Ok((name.to_string(), within.into_iter().step_by(n.div_ceil(ROUNDS_MAX)).collect())),
        }
    });
    let samples: Samples = samples.into_iter().collect::<Result<_, _>>()?;
    let scale = context.scale(&mut machine)?;
    Ok(scale.outcome(samples, BTreeMap::new(), counters))
}

fn failed(what: &str, e: io::Error) -> CellError {
    format!("co-runner: {what}: {e}").into()
}

/// How long each round took that lies wholly within `window`; `begun` is when each
/// began.
fn within(begun: &[u64], window: &Range<u64>) -> Vec<u64> {
    let rounds = begun.windows(2);
    let inside = rounds.filter(|r| window.start <= r[0] && r[1] <= window.end);
    inside.map(|r| r[1].saturating_sub(r[0])).collect()
}

/// The process, which ends when its standard input does.
struct Process {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Process {
    fn start(cpu: usize) -> io::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .arg("co-runner")
            .arg(cpu.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take();
        let mut said = BufReader::new(output.ok_or_else(|| io::Error::other("no pipe"))?);
        // It says so when it begins to work.
        said.read_line(&mut String::new())?;
        Ok(Process { child, said })
    }

    fn end(mut self) -> io::Result<Rounds> {
        drop(self.child.stdin.take());
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        let status = self.child.wait()?;
        serde_json::from_str(&line).map_err(|_| io::Error::other(format!("it ended ({status})")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be at the end already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_count_that_lie_wholly_within() {
        let begun = [10, 20, 30, 45, 60];
        let check = |window: Range<u64>, expected: &[u64]| {
            assert_eq!(within(&begun, &window), expected);
        };
        check(0..100, &[10, 10, 15, 15]);
        check(11..50, &[10, 15]);
        check(20..45, &[10, 15]);
        check(21..29, &[]);
        assert!(within(&[], &(0..9)).is_empty());
    }
}
