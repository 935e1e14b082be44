// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs of several machines or kernels as one record: every cell gets a parameter
//! [`HOST`], so that arms are compared within a machine and never across two.
//!
//! What is small (plans, fingerprints, audits) is merged here, all at once. Rows are
//! passed through [`Label::row`] one by one, so that a thousand runs need the memory of
//! one.

use crate::{
    Audit, Cell, Fingerprint, Header, Outcome, ParamValue, Plan, Row, Run, audit::Finding,
    record::SCHEMA,
};
use std::collections::BTreeSet;

/// The parameter that says which run a cell is of.
pub const HOST: &str = "host";

/// The name of one run among those that are merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(pub String);

/// All of a merged record but its rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    /// The header, of which `tool`, `git` and `command` are the merger's own to fill in.
    pub header: Option<Header>,
    /// Every strategy and workload of any run, in order of appearance, and the cells that
    /// were planned and have no row.
    pub plan: Plan,
    /// Facts and warnings: once where every run has them alike, else behind the label.
    pub host: Fingerprint,
    /// What was found of isolation, each verdict of an arm once.
    pub audits: Vec<Audit>,
}

/// Why runs cannot be merged.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two runs have one name.
    #[error("two runs are called {0:?}: give one another name, as in NAME=DIR")]
    Twice(String),
    /// A run has no name.
    #[error("a run needs a name: give it one, as in NAME=DIR")]
    Unnamed,
    /// A run was merged before.
    #[error(
        "{label}: {cell}: it has a parameter {HOST} already: merge the runs that it was made of"
    )]
    Merged {
        /// The run.
        label: String,
        /// A cell of it.
        cell: String,
    },
}

impl Label {
    /// `row` as a row of the merged record.
    ///
    /// # Errors
    /// [`Error::Merged`] if its cell has the parameter already.
    pub fn row(&self, row: Row) -> Result<Row, Error> {
        Ok(Row {
            cell: self.cell(row.cell)?,
            ..row
        })
    }

    fn cell(&self, mut cell: Cell) -> Result<Cell, Error> {
        let value = ParamValue::Text(self.0.clone());
        match cell.params.insert(HOST.to_string(), value) {
            None => Ok(cell),
            Some(_) => Err(Error::Merged {
                label: self.0.clone(),
                cell: cell.to_string(),
            }),
        }
    }
}

/// Everything of a run that is merged at once.
#[derive(Clone, Debug)]
pub struct Part {
    label: Label,
    header: Header,
    plan: Plan,
    host: Fingerprint,
    audits: Vec<Audit>,
    /// What a reader of the merged record must be told of this run alone.
    cautions: Vec<String>,
}

impl Part {
    /// What is kept of `run`; its rows are not.
    pub fn of(label: Label, run: &Run) -> Self {
        let incomplete = run.notes.iter();
        let mut cautions: Vec<String> = incomplete
            .map(|note| format!("the record is incomplete: {note}"))
            .collect();
        let unchecked = unchecked(run);
        if !unchecked.is_empty() {
            let arms = unchecked.into_iter().collect::<Vec<_>>().join(", ");
            cautions.push(format!("isolation was not checked for: {arms}"));
        }
        // A cell with rows is in the record: of a thousand plans that would be most of it.
        let recorded: BTreeSet<&Cell> = run.rows.iter().map(|row| &row.cell).collect();
        let planned = run.plan.cells.iter();
        let unseen = planned.filter(|cell| !recorded.contains(cell)).cloned();
        let plan = Plan {
            cells: unseen.collect(),
            ..run.plan.clone()
        };
        Part {
            label,
            header: run.header.clone(),
            plan,
            host: run.host.clone(),
            audits: run.audits.clone(),
            cautions,
        }
    }
}

/// The arms of `run` that claim isolation, were measured, and were not audited.
fn unchecked(run: &Run) -> BTreeSet<String> {
    let measured = run
        .rows
        .iter()
        .filter(|row| matches!(row.outcome, Outcome::Measured { .. }))
        .map(|row| &row.cell);
    let claims = |cell: &&Cell| {
        let mut infos = run.plan.strategies.iter();
        infos.any(|info| info.isolating && info.name == cell.strategy)
    };
    let audited = |cell: &&Cell| {
        run.audits
            .iter()
            .any(|audit| (audit.testbed, audit.arm_id()) == (cell.testbed, cell.arm_id()))
    };
    let left = measured.filter(claims).filter(|cell| !audited(cell));
    left.map(|cell| format!("{} on {}", cell.arm(), cell.testbed))
        .collect()
}

/// Merges all but the rows.
///
/// # Errors
/// [`Error`], naming the run.
pub fn merge(parts: &[Part]) -> Result<Merged, Error> {
    let mut names = BTreeSet::new();
    for Part { label, .. } in parts {
        if label.0.trim().is_empty() {
            return Err(Error::Unnamed);
        }
        if !names.insert(&label.0) {
            return Err(Error::Twice(label.0.clone()));
        }
    }
    let mut merged = Merged::default();
    for part in parts {
        merge_header(&mut merged.header, &part.header);
        merge_plan(&mut merged.plan, part)?;
        for audit in &part.audits {
            keep(&mut merged.audits, audit, &part.label);
        }
    }
    merged.host = fingerprint(parts);
    Ok(merged)
}

fn merge_header(all: &mut Option<Header>, header: &Header) {
    match all {
        None => {
            *all = Some(Header {
                schema: SCHEMA,
                ..header.clone()
            });
        }
        Some(all) => {
            if all.profile != header.profile {
                all.profile = "merged".into();
            }
            all.started_unix = all.started_unix.min(header.started_unix);
        }
    }
}

fn merge_plan(all: &mut Plan, part: &Part) -> Result<(), Error> {
    let plan = &part.plan;
    if all.strategies.is_empty() {
        (all.seed, all.profile) = (plan.seed, plan.profile.clone());
    }
    if all.profile != plan.profile {
        all.profile = "merged".into();
    }
    all.blocks = all.blocks.max(plan.blocks);
    for info in &plan.strategies {
        if all.strategies.iter().all(|known| known.name != info.name) {
            all.strategies.push(info.clone());
        }
    }
    for info in &plan.workloads {
        if all.workloads.iter().all(|known| known.id != info.id) {
            all.workloads.push(info.clone());
        }
    }
    for cell in &plan.cells {
        all.cells.push(part.label.cell(cell.clone())?);
    }
    Ok(())
}

/// Keeps `audit` unless the same was found of the arm before; what was seen is behind
/// the label of the run that saw it first.
fn keep(all: &mut Vec<Audit>, audit: &Audit, label: &Label) {
    let verdicts = |audit: &Audit| -> Vec<_> {
        let findings = audit.findings.iter();
        findings.map(|f| (f.reader, f.verdict)).collect()
    };
    let same = |known: &&Audit| {
        (known.testbed, known.arm_id(), known.claim())
            == (audit.testbed, audit.arm_id(), audit.claim())
            && verdicts(known) == verdicts(audit)
    };
    if all.iter().find(same).is_none() {
        let seen = |finding: &Finding| Finding {
            seen: format!("{}: {}", label.0, finding.seen),
            ..finding.clone()
        };
        all.push(Audit {
            findings: audit.findings.iter().map(seen).collect(),
            ..audit.clone()
        });
    }
}

fn fingerprint(parts: &[Part]) -> Fingerprint {
    let mut all = Fingerprint::default();
    let [first, others @ ..] = parts else {
        return all;
    };
    let names: Vec<&str> = parts.iter().map(|part| part.label.0.as_str()).collect();
    all.push("merged", Some(names.join(", ")));
    let shared = |name: &str, value: &str| {
        others
            .iter()
            .all(|other| other.host.get(name) == Some(value))
    };
    for fact in &first.host.facts {
        if shared(&fact.name, &fact.value) {
            all.facts.push(fact.clone());
        }
    }
    for part in parts {
        for fact in &part.host.facts {
            if all.get(&fact.name) != Some(&fact.value) {
                let name = format!("{}: {}", part.label.0, fact.name);
                all.push(&name, Some(fact.value.clone()));
            }
        }
        for warning in &part.host.warnings {
            let common = parts.iter().all(|p| p.host.warnings.contains(warning));
            if !common {
                all.warnings.push(format!("{}: {warning}", part.label.0));
            } else if !all.warnings.contains(warning) {
                all.warnings.push(warning.clone());
            }
        }
        let cautions = part.cautions.iter();
        all.warnings
            .extend(cautions.map(|what| format!("{}: {what}", part.label.0)));
    }
    all
}

#[cfg(test)]
mod tests;
