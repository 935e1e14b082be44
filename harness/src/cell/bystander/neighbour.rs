// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A process on another CPU, alone and beside a VM that is busy.

use super::rounds::Rounds;
use crate::cell::{
    Stop,
    measure::{Asked, Bench},
    setup::Ready,
};
use results::{Outcome, Testbed, record::Samples};
use std::{
    collections::BTreeMap,
    env,
    io::{self, BufRead, BufReader},
    ops::Range,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};
use strategies::Missing;
use vmm::{
    clock,
    virtio::{cpus, pin, spread},
};
use workloads::Neighbour;

/// How long the neighbour works alone before the guest begins.
const ALONE: Duration = Duration::from_millis(50);

/// Fewer rounds say nothing.
const ROUNDS_MIN: usize = 20;

/// More are not recorded: every so-manieth is.
const ROUNDS_MAX: usize = 256;

/// Lets the guest do what `neighbour` says beside a process on another CPU.
pub(in crate::cell) fn neighbour(
    bench: &Bench<'_>,
    neighbour: &Neighbour,
) -> Result<Outcome, Stop> {
    if bench.cell.testbed == Testbed::Lab {
        return missing(
            "the lab's CPUs take turns, so that nothing in it runs beside anything else",
            "--on host",
        );
    }
    let all = cpus().map_err(|e| failed("which CPUs there are", e))?;
    let (Some(own), Some(other)) = (all.first(), all.get(1..).and_then(<[_]>::last)) else {
        return missing(
            "a neighbour needs a CPU of its own, and this process may use one only",
            "a machine with two CPUs, or taskset",
        );
    };
    pin(*own).map_err(|e| failed("stay on one CPU", e))?;
    let outcome = beside(bench, neighbour, *other);
    spread(&all).map_err(|e| failed("use all CPUs again", e))?;
    outcome
}

/// The same with this thread on one CPU and the neighbour on CPU `other`.
fn beside(bench: &Bench<'_>, neighbour: &Neighbour, other: usize) -> Result<Outcome, Stop> {
    let call = &neighbour.call;
    let mut machine = bench.started()?;
    bench.ask(&mut machine, call, call.rehearsal, &Ready::Nothing, None)?;
    let process = Process::start(other).map_err(|e| failed("start", e))?;
    thread::sleep(ALONE);
    let alone = clock::ticks();
    thread::sleep(ALONE);
    let alone = alone..clock::ticks();
    let Asked {
        counters, window, ..
    } = bench.ask(&mut machine, call, call.measured, &Ready::Nothing, None)?;
    let rounds = process.end().map_err(|e| failed("what it did", e))?;
    if !rounds.right {
        return Err(Stop::Unproved(
            "neighbour: what it read did not add up".into(),
        ));
    }
    let series = [("alone", alone), ("beside", window)];
    let samples = series.map(|(name, window)| {
        let within = within(&rounds.begun, &window);
        match within.len() {
            0..ROUNDS_MIN => Err(Stop::Unproved(format!(
                "neighbour: {} whole rounds {name}, and {ROUNDS_MIN} are the least: raise count or mem_mib",
                within.len()
            ))),
            n => Ok((name.to_string(), within.into_iter().step_by(n.div_ceil(ROUNDS_MAX)).collect())),
        }
    });
    let samples: Samples = samples.into_iter().collect::<Result<_, _>>()?;
    Ok(bench
        .scale(&mut machine)?
        .outcome(samples, BTreeMap::new(), counters))
}

fn failed(what: &str, e: io::Error) -> Stop {
    Stop::Unproved(format!("neighbour: {what}: {e}"))
}

fn missing(reason: &str, remedy: &str) -> Result<Outcome, Stop> {
    Err(Stop::Missing(Missing::new(reason, remedy)))
}

/// How long each round took that lies wholly within `window`; `begun` is when each
/// began.
fn within(begun: &[u64], window: &Range<u64>) -> Vec<u64> {
    let rounds = begun.windows(2);
    let inside = rounds.filter(|r| window.start <= r[0] && r[1] <= window.end);
    inside.map(|r| r[1].saturating_sub(r[0])).collect()
}

/// The neighbour, which ends when nobody holds its standard input any more.
struct Process {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Process {
    fn start(cpu: usize) -> io::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .arg("neighbour")
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
