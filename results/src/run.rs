// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The files beside the samples, and a whole run as it is read back.

use crate::{Audit, Cell, Header, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `plan.json`: what was to be done, written before anything is done. With it a
/// report needs neither the definitions nor the registry of the version that ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The seed of the block order.
    pub seed: u64,
    /// The profile's name.
    pub profile: String,
    /// How many blocks count. Block 0 comes on top and is discarded.
    pub blocks: u32,
    /// The strategies in registry order.
    pub strategies: Vec<StrategyInfo>,
    /// The workloads in definition order.
    pub workloads: Vec<WorkloadInfo>,
    /// Every cell that is to be measured, in order of definition.
    pub cells: Vec<Cell>,
}

/// What a report says about a strategy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyInfo {
    /// The name in the registry.
    pub name: String,
    /// One line: backing, page size, direct map, access path.
    pub about: String,
    /// Whether it claims to take guest memory out of the direct map.
    pub isolating: bool,
    /// The strategy that it differs from in the fewest things; `None` for the baseline and
    /// where the record does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differs_from: Option<String>,
    /// The parameters of its modes, each with a line for a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Fact>,
}

/// How a workload's samples are best shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// One series of repeated operations: percentile curve.
    Latency,
    /// Several series that follow one another and add up: stacked bars.
    Phases,
    /// One series with a wide spread of its own: histogram.
    Histogram,
}

/// What a report says about a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadInfo {
    /// `family/name`.
    pub id: String,
    /// One line.
    pub summary: String,
    /// The prose shown above its table: what it measures, what it does not.
    pub analysis: String,
    /// How to draw it.
    pub view: View,
    /// The series that the comparison table shows.
    pub headline: String,
    /// The series of single operations that curves, histograms and tails show,
    /// where that is not the headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The series of a `phases` view in the order in which they happen. The
    /// headline is their total and not among them.
    #[serde(default)]
    pub phases: Vec<String>,
}

/// `host.json`: the machine, as far as it bears on the numbers. A field that
/// could not be read is absent, never empty or zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Facts by name, in the order in which a reader wants them. The names are
    /// those of `observe::fingerprint`; a report prints them as they are.
    pub facts: Vec<Fact>,
    /// What should be known before a number is believed: nested, no PMU, a
    /// software KVM, a frequency governor other than `performance`.
    pub warnings: Vec<String>,
}

/// One fact of a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// For example `kernel`, `cpu.model`, `kvm.flavour`.
    pub name: String,
    /// The value as the kernel prints it, with its unit.
    pub value: String,
}

impl Fingerprint {
    /// The value of fact `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let fact = self.facts.iter().find(|f| f.name == name)?;
        Some(&fact.value)
    }

    /// Adds a fact, if there is a value.
    pub fn push(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.facts.push(Fact {
                name: name.to_string(),
                value,
            });
        }
    }
}

/// A run directory as read back by [`crate::store::read`].
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Line one of `samples.jsonl`.
    pub header: Header,
    /// `plan.json`.
    pub plan: Plan,
    /// `host.json`.
    pub host: Fingerprint,
    /// All further lines, in the order in which they were written.
    pub rows: Vec<Row>,
    /// `audit.json`: what was found of each arm's isolation; empty if the run
    /// has no such file.
    pub audits: Vec<Audit>,
    /// What the reader had to pass over, for the report to say: a last line
    /// cut off when the writer died.
    pub notes: Vec<String>,
}

impl Run {
    /// The rows of each cell, warm-up included, in plan order; cells that are
    /// in the record but not in the plan come last.
    pub fn by_cell(&self) -> Vec<(&Cell, Vec<&Row>)> {
        let mut rows: BTreeMap<&Cell, Vec<&Row>> = BTreeMap::new();
        for row in &self.rows {
            rows.entry(&row.cell).or_default().push(row);
        }
        let planned = self.plan.cells.iter();
        let mut out: Vec<_> = planned.filter_map(|c| rows.remove_entry(c)).collect();
        out.extend(rows);
        out
    }

    /// The workload `id` of the plan.
    pub fn workload(&self, id: &str) -> Option<&WorkloadInfo> {
        self.plan.workloads.iter().find(|w| w.id == id)
    }
}
