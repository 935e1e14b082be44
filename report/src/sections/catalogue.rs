// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a reviewer asks, as data: `questions.toml`. A question names workloads and never a
//! strategy: whatever arms a run has answer it.

use serde::Deserialize;
use std::sync::LazyLock;

/// A question, and where its answer is in a record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What it is called.
    pub name: String,
    /// The question.
    pub asks: String,
    /// The workloads that answer it, or whose cells do, each as `ID` or `ID?NAME=VALUE`.
    #[serde(default)]
    pub of: Vec<String>,
    /// The parameter by which its tables are put side by side; that of the lab's CPUs if
    /// there is none.
    pub(super) across: Option<String>,
    /// The only mode parameter by which the arms shown may differ from their defaults.
    pub(super) arms: Option<String>,
    /// The name of the answer in [`super::shown`] if it is more than tables of arms.
    pub(super) shows: Option<String>,
    /// Whether the tails of single operations are part of the answer.
    #[serde(default)]
    pub(super) tails: bool,
    /// Whether nothing answers it without an arm that hides memory.
    #[serde(default)]
    pub(super) hidden: bool,
}

/// A column of a report's first table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub(super) name: String,
    /// The workloads of which the first that a run has is shown.
    pub(super) of: Vec<String>,
    /// Whether at its greatest parameters, not at its least.
    #[serde(default)]
    pub(super) most: bool,
    /// Whether instructions say nothing of it.
    #[serde(default)]
    pub(super) timed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    pub(super) column: Vec<Column>,
    pub(super) question: Vec<Question>,
}

pub(super) static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| toml::from_str(include_str!("questions.toml")).expect("a test reads it"));

/// Every question, in the order in which a report answers them.
pub fn questions() -> &'static [Question] {
    &CATALOGUE.question
}

/// The columns of a report's first table, each with the ids of workloads that it may be of.
pub fn columns() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let columns = CATALOGUE.column.iter();
    columns.map(|c| {
        (
            c.name.as_str(),
            c.of.iter().map(|wanted| id(wanted)).collect(),
        )
    })
}

impl Question {
    /// The ids of the workloads that answer it.
    pub fn workloads(&self) -> impl Iterator<Item = &str> {
        self.of.iter().map(|wanted| id(wanted))
    }
}

/// `ID` of `ID?NAME=VALUE`.
pub(super) fn id(wanted: &str) -> &str {
    wanted.split('?').next().unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_each_question_has_an_answer_somewhere() {
        let names: BTreeSet<&str> = questions().iter().map(|q| q.name.as_str()).collect();
        assert_eq!(names.len(), questions().len());
        for question in questions() {
            assert!(
                !question.of.is_empty() || question.shows.is_some(),
                "{question:?}"
            );
            assert!(question.asks.ends_with('?'), "{question:?}");
        }
    }
}
