// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The two runs side by side: what made each, on which machine. Directories are not
//! part of it, so that a comparison says the same wherever its runs lie.

use super::pair::Pair;
use chrono::DateTime;
use results::{Fingerprint, Run};
use std::collections::BTreeSet;

/// The facts of a machine that a reader asks for first, whether they differ or not.
const ASKED: [&str; 7] = [
    "cpu.model",
    "kvm.flavour",
    "kernel",
    "lab.kernel",
    "lab.kernel.base",
    "lab.qemu",
    "guest.kernel",
];

/// Facts that are another each time they are looked at, and identify nothing.
const PASSING: [&str; 2] = [".before", ".after"];

/// One fact of both runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) name: String,
    /// In the baseline and in the current run; `None` if it was not recorded.
    pub(super) values: [Option<String>; 2],
}

impl Fact {
    pub(super) fn differs(&self) -> bool {
        self.values[0] != self.values[1]
    }

    /// Both values in words.
    pub(super) fn shown(&self) -> [&str; 2] {
        let [a, b] = &self.values;
        [a, b].map(|value| value.as_deref().unwrap_or("not recorded"))
    }
}

/// What both runs say of themselves.
#[derive(Debug)]
pub(super) struct Heads {
    /// What a reader asks for first, and what was refused or crossed.
    pub(super) first: Vec<Fact>,
    /// Further facts of the machines that differ.
    pub(super) further: Vec<Fact>,
    /// How many facts of the machines are the same and not named here.
    pub(super) same: usize,
}

impl Heads {
    pub(super) fn of(pair: &Pair<'_>) -> Self {
        let runs = [pair.baseline, pair.current];
        let mut first = vec![
            said("tool", runs.map(|r| r.header.tool.clone())),
            said("git", runs.map(|r| r.header.git.clone())),
            said("run", runs.map(plan)),
            Fact {
                name: "began".to_string(),
                values: runs.map(began),
            },
        ];
        let comparison = pair.comparison;
        let named = comparison.refused.iter().chain(&comparison.crossed);
        let named: BTreeSet<&str> = named.map(|d| d.fact.as_str()).collect();
        let (mut further, mut same) = (Vec::new(), 0);
        for fact in facts(&pair.baseline.host, &pair.current.host) {
            let asked = ASKED.contains(&fact.name.as_str()) || named.contains(fact.name.as_str());
            match (asked, fact.differs()) {
                (true, _) => first.push(fact),
                (false, true) => further.push(fact),
                (false, false) => same += 1,
            }
        }
        Heads {
            first,
            further,
            same,
        }
    }
}

fn said(name: &str, values: [String; 2]) -> Fact {
    Fact {
        name: name.to_string(),
        values: values.map(Some),
    }
}

/// When a run began, to the minute. A record of before there was such a thing has 0.
fn began(run: &Run) -> Option<String> {
    let seconds = i64::try_from(run.header.started_unix)
        .ok()
        .filter(|s| *s > 0)?;
    let time = DateTime::from_timestamp(seconds, 0)?;
    Some(time.format("%Y-%m-%d %H:%M UTC").to_string())
}

/// `lab, profile quick, 1 block, seed 7`
fn plan(run: &Run) -> String {
    let all: BTreeSet<_> = run.rows.iter().map(|row| row.cell.testbed).collect();
    let all: Vec<&str> = all.into_iter().map(|testbed| testbed.name()).collect();
    let testbeds = match all.is_empty() {
        true => "nothing recorded".to_string(),
        false => all.join(" and "),
    };
    let blocks = match run.plan.blocks {
        1 => "1 block".to_string(),
        n => format!("{n} blocks"),
    };
    let (profile, seed) = (&run.header.profile, run.header.seed);
    format!("{testbeds}, profile {profile}, {blocks}, seed {seed}")
}

/// Every lasting fact of either machine, in the order of the first that has it.
fn facts(a: &Fingerprint, b: &Fingerprint) -> Vec<Fact> {
    let mut seen = BTreeSet::new();
    let names = a
        .facts
        .iter()
        .chain(&b.facts)
        .map(|fact| fact.name.as_str());
    let lasting = names.filter(|name| !PASSING.iter().any(|end| name.ends_with(end)));
    let once = lasting.filter(|name| seen.insert(*name));
    let fact = |name: &str| Fact {
        name: name.to_string(),
        values: [a, b].map(|host| {
            let all = host.facts.iter().filter(|fact| fact.name == name);
            let all: Vec<&str> = all.map(|fact| fact.value.as_str()).collect();
            (!all.is_empty()).then(|| all.join(" + "))
        }),
    };
    once.map(fact).collect()
}
