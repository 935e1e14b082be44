// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a reader came for: one table at a glance, and the questions of `questions.toml`
//! answered by name from whatever the run has. A question that it cannot answer says why.

pub(crate) mod glance;
mod question;
mod section;
mod sweep;

pub use question::{Question, columns, questions};

use crate::{
    digest::{self, Bed, Digest, LAB_CPUS},
    grid::Grid,
};
use question::id;
use results::{
    BASELINE, Cell, Testbed,
    compare::{Arm, Hole, Table},
};
use sweep::sweeps;

impl Part {
    /// Whether there is anything besides that there is no answer.
    fn says(&self) -> bool {
        !self.said.is_empty() || !self.grids.is_empty()
    }
}

/// Why this run has no answer although another one may.
fn not_run(what: &[&str]) -> String {
    let globs = what.iter().map(|id| format!("--workloads {id}"));
    let globs: Vec<String> = globs.collect();
    format!(
        "not answered: this run has no {} ({})",
        what.join(", "),
        globs.join(" ")
    )
}

/// Why there is none, whatever is run here.
fn not_here(why: &str) -> String {
    format!("not answerable on this machine because {why}")
}

/// The title of those of which a run has nothing.
pub(crate) const SILENT: &str = "Questions without an answer";

/// A question with what each testbed says.
pub(crate) struct Answer {
    pub(crate) question: &'static Question,
    pub(crate) parts: Vec<Part>,
}

impl Answer {
    /// Whether any testbed has something to say besides that it has no answer.
    pub(crate) fn says(&self) -> bool {
        self.parts.iter().any(Part::says)
    }

    /// Whether none answers, whatever else it says.
    pub(crate) fn open(&self) -> bool {
        self.parts.iter().all(|part| part.not.is_some())
    }

    /// Why each testbed has no answer.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = String> {
        self.parts
            .iter()
            .filter_map(|part| Some(format!("{}: {}.", part.testbed, part.not.as_ref()?)))
    }
}

/// What one testbed says to a question.
pub(crate) struct Part {
    pub(crate) testbed: Testbed,
    /// That it does not answer and why, though there may be something beside it.
    pub(crate) not: Option<String>,
    /// Sentences.
    pub(crate) said: Vec<String>,
    /// Tables.
    pub(crate) grids: Vec<Grid>,
}

/// Every question, in order; none of a run of nothing.
pub(crate) fn of(digest: &Digest<'_>) -> Vec<Answer> {
    if digest.beds.is_empty() {
        return Vec::new();
    }
    let answer = |question| Answer {
        question,
        parts: digest
            .beds
            .iter()
            .map(|bed| part(digest, bed, question))
            .collect(),
    };
    questions().iter().map(answer).collect()
}

fn part(digest: &Digest<'_>, bed: &Bed<'_>, question: &'static Question) -> Part {
    let mut part = Part {
        testbed: bed.testbed,
        not: None,
        said: Vec::new(),
        grids: Vec::new(),
    };
    match question.shows {
        Some(shows) => section::fill(&mut part, (shows, &ids(question)), digest, bed),
        None => tables(&mut part, digest, bed, question),
    }
    if part.not.is_none() && part.said.is_empty() && part.grids.is_empty() {
        let ids = ids(question);
        let ran = ids.iter().any(|id| !bed.select(id).is_empty());
        part.not = Some(match ran {
            true => "not answered: no cell of this run counted any of it".into(),
            false => not_run(&ids),
        });
    }
    part
}

/// The ids of a question's workloads, each once.
fn ids(question: &'static Question) -> Vec<&'static str> {
    let mut ids: Vec<&str> = question.workloads().collect();
    ids.dedup();
    ids
}

fn tables(part: &mut Part, digest: &Digest<'_>, bed: &Bed<'_>, question: &'static Question) {
    let modes = question.arms.as_deref();
    let moded = |cell: &Cell| {
        let mut others = bed.arms.iter().filter(|arm| arm.strategy == cell.strategy);
        modes.is_none_or(|name| others.any(|arm| arm.mode.contains_key(name)))
    };
    let shown = |cell: &Cell| {
        let only = cell.mode.keys().all(|name| Some(name.as_str()) == modes);
        only && (cell.is_baseline() || moded(cell))
    };
    let across = question.across.as_deref().unwrap_or(LAB_CPUS);
    let mut all: Vec<&Table<'_>> = Vec::new();
    for wanted in &question.of {
        let tables = bed.select(wanted);
        if tables.is_empty() {
            part.said.push(format!("{}: not run.", id(wanted)));
            continue;
        }
        let sweeps = sweeps(&tables, across);
        for sweep in ends(&sweeps) {
            let hides = |cell: &Cell| digest.hides(cell);
            let against = |cell: &Cell| match question.hidden {
                true => hides(cell).then(|| digest.counterpart(cell)),
                false => (!cell.is_baseline()).then(|| BASELINE.to_string()),
            };
            part.grids.extend(sweep.grids(&shown));
            part.grids.extend(match (modes, question.across.is_some()) {
                (Some(name), _) => sweep.modes(name, bed.seed),
                (None, true) => sweep.along(&|c| c.is_baseline() || hides(c), bed.seed),
                (None, false) => sweep.pairs(&against, bed.seed),
            });
        }
        if let Some(more @ 1..) = sweeps.len().checked_sub(2) {
            let id = id(wanted);
            part.said.push(format!(
                "{id}: {more} settings between are among all tables."
            ));
        }
        if question.tails {
            part.grids
                .extend(tables.first().and_then(|table| sweep::tails(table, &shown)));
        }
        all.extend(tables);
    }
    if all.is_empty() {
        part.said.clear();
        part.not = Some(not_run(&ids(question)));
        return;
    }
    let arms = || all.iter().flat_map(|table| &table.arms);
    if arms().all(|arm| arm.figures.is_err()) {
        part.not = Some(not_here(&reasons(arms())));
        part.grids.clear();
    } else if question.hidden {
        let hides = |arm: &&Arm<'_>| digest.hides(arm.cell);
        if !arms().filter(hides).any(|arm| arm.figures.is_ok()) {
            part.not = Some(match arms().any(|arm| hides(&arm)) {
                true => not_here(&reasons(arms().filter(hides))),
                false => "not answered: no strategy of this run hides memory (--strategies)".into(),
            });
            if modes.is_some() {
                part.grids.clear();
            }
        }
    }
}

/// The first and the last.
fn ends<T>(all: &[T]) -> impl Iterator<Item = &T> {
    all.iter().take(1).chain(all.iter().skip(1).last())
}

/// Why `arms` have no figures: each reason once.
fn reasons<'r, 'a: 'r>(arms: impl Iterator<Item = &'r Arm<'a>>) -> String {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for arm in arms {
        let why = match &arm.figures {
            Ok(_) => continue,
            Err(hole @ Hole::Missing { remedy, .. }) => format!("{hole}; remedy: {remedy}"),
            Err(hole) => hole.to_string(),
        };
        let names = digest::entry(&mut all, |(w, _)| *w == why, || (why.clone(), vec![]));
        if !names.1.contains(&arm.cell.strategy) {
            names.1.push(arm.cell.strategy.clone());
        }
    }
    let all = all
        .into_iter()
        .map(|(why, arms)| format!("{}: {why}", arms.join(", ")));
    all.collect::<Vec<_>>().join(". ")
}
