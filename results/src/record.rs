// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The rows of `samples.jsonl`: one header line, then one line per cell and block.
//!
//! The outer form is a contract with readers outside this repository; a change
//! to it raises [`SCHEMA`].

use crate::{Cell, Unit, unique};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the record format that this crate writes and reads.
pub const SCHEMA: u32 = 1;

/// Line one of `samples.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// Name and version of the writer: `unmapbench 0.1.0`.
    pub tool: String,
    /// Our git revision, with `-dirty` if the tree had changes; `unknown` when
    /// built outside a checkout.
    pub git: String,
    /// The seed of the block order and of everything random in the run.
    pub seed: u64,
    /// `quick`, `report` or `list`.
    pub profile: String,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// When the run began, seconds since the Unix epoch. One of the two
    /// wall-clock fields that differ between otherwise identical runs.
    #[serde(default)]
    pub started_unix: u64,
}

/// The samples of one row: series name → raw integers in the row's unit.
pub type Samples = BTreeMap<String, Vec<u64>>;

/// Exact counts beside the samples: KVM statistics as `kvm.<name>`, our own
/// under other prefixes.
pub type Counters = BTreeMap<String, u64>;

/// What became of a cell in one block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// The workload ran, verified itself, and these are its samples.
    Measured {
        /// The unit of every sample in the row.
        unit: Unit,
        /// Raw samples, never summarised.
        #[serde(deserialize_with = "unique::map")]
        samples: Samples,
        /// How many operations one sample of a series covers, where that is
        /// not one: a clock read is shorter than the clock's resolution.
        #[serde(
            default,
            deserialize_with = "unique::map",
            skip_serializing_if = "BTreeMap::is_empty"
        )]
        batch: BTreeMap<String, u64>,
        /// Exact counts over the measured window.
        #[serde(
            default,
            deserialize_with = "unique::map",
            skip_serializing_if = "BTreeMap::is_empty"
        )]
        counters: Counters,
        /// What was to be counted and could not be, by the prefix that its counters
        /// would have had: why, in a line. A count that is absent is never 0.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        unavailable: BTreeMap<String, String>,
    },
    /// This machine lacks what the cell needs. Not an error.
    Missing {
        /// What is missing, naming the call that said so.
        reason: String,
        /// What would provide it.
        remedy: String,
        /// The errno of the call that said so, where one did and it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        errno: Option<i32>,
    },
    /// The cell should have worked and did not.
    Failed {
        /// One line: what failed and how.
        error: String,
        /// Registers, a console tail: evidence of more than one line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
}

/// An ability that a machine lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What is missing, with what was seen.
    pub reason: String,
    /// What would provide it.
    pub remedy: String,
    /// The errno of the call that said so, where one did and it is known.
    pub errno: Option<i32>,
}

impl Missing {
    /// One that no errno tells of.
    pub fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Missing {
            reason: reason.into(),
            remedy: remedy.into(),
            errno: None,
        }
    }

    /// The same, of which `errno` tells.
    pub fn with_errno(self, errno: Option<i32>) -> Self {
        Missing { errno, ..self }
    }
}

impl From<Missing> for Outcome {
    fn from(missing: Missing) -> Self {
        Outcome::Missing {
            reason: missing.reason,
            remedy: missing.remedy,
            errno: missing.errno,
        }
    }
}

impl Outcome {
    /// A missing ability and its remedy.
    pub fn missing(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Outcome::Missing {
            reason: reason.into(),
            remedy: remedy.into(),
            errno: None,
        }
    }

    /// A failure without further evidence.
    pub fn failed(error: impl Into<String>) -> Self {
        Outcome::Failed {
            error: error.into(),
            detail: None,
        }
    }

    /// `measured`, `missing` or `failed`, as in the record.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Measured { .. } => "measured",
            Outcome::Missing { .. } => "missing",
            Outcome::Failed { .. } => "failed",
        }
    }
}

/// One cell in one block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What was measured.
    pub cell: Cell,
    /// The block, from 0; block 0 is the warm-up and enters no statistic.
    /// Absent where no block was run at all (a missing strategy).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<u32>,
    /// The position among the arms of its block, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u32>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The errno that `reason` of a missing row ends in: older records have it nowhere
/// else.
pub(crate) fn errno_in(reason: &str) -> Option<i32> {
    let (_, rest) = reason.split_once("(os error ")?;
    rest.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms of a row, as an outside reader would write them.
    #[test]
    fn reads_and_writes_the_contract() {
        for line in [
            r#"{"cell":{"testbed":"lab","strategy":"memfd","workload":"mmio/user-read","params":{"cpus":1,"mem_mib":64}},"block":3,"order":2,"outcome":"measured","unit":"insn","samples":{"latency":[4858,4858]},"counters":{"kvm.mmio_exits":2000}}"#,
            r#"{"cell":{"testbed":"host","strategy":"memfd","workload":"tlb/chase","params":{}},"block":3,"order":2,"outcome":"measured","unit":"ns","samples":{"latency":[5]},"unavailable":{"pmu":"no hardware PMU exposed"}}"#,
            r#"{"cell":{"testbed":"host","strategy":"memfd-secret","workload":"mmio/user-read","params":{}},"outcome":"missing","reason":"KVM_RUN: EFAULT","remedy":"needs the lab kernel"}"#,
            r#"{"cell":{"testbed":"host","strategy":"memfd-secret","workload":"mmio/user-read","params":{}},"outcome":"missing","reason":"KVM_RUN: EFAULT","remedy":"needs the lab kernel","errno":14}"#,
            r#"{"cell":{"testbed":"host","strategy":"memfd","workload":"pio/user","params":{}},"block":4,"outcome":"failed","error":"guest hung"}"#,
        ] {
            let row: Row = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_string(&row).unwrap(), line);
        }
    }

    #[test]
    fn an_older_record_has_the_errno_in_its_reason() {
        let check = |reason, expected| assert_eq!(errno_in(reason), expected);
        check("not pinned (Bad address (os error 14))", Some(14));
        check("no disk", None);
        check("(os error x)", None);
    }

    #[test]
    fn refuses_a_row_without_an_outcome_or_with_negative_samples() {
        let bad = |tail: &str| {
            let line =
                format!(r#"{{"cell":{{"testbed":"host","strategy":"a","workload":"b"}}{tail}}}"#);
            serde_json::from_str::<Row>(&line).unwrap_err().to_string()
        };
        assert!(bad("").contains("outcome"));
        assert!(
            bad(r#","outcome":"measured","unit":"s","samples":{}"#).contains("unknown variant")
        );
        bad(r#","outcome":"measured","unit":"ns","samples":{"l":[-1]}"#);
        bad(r#","outcome":"measured","unit":"ns","samples":{"l":[1.5]}"#);
    }
}
