// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The questions of `questions.toml`, answered by name from whatever the run has. A question
//! that it cannot answer says why.

use super::{
    catalogue::{Question, id, questions},
    said::Said,
    shown,
    sweep::{self, sweeps},
};
use crate::{
    document::{Block, Heading, List, Style},
    model::{self, Bed, LAB_CPUS, Model},
};
use results::{
    BASELINE, Cell,
    compare::{Arm, Hole, Table},
};

/// The section: each question by name, and what each testbed says to it.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    if model.beds.is_empty() {
        return Vec::new();
    }
    let title = Block::heading(2, "questions", "Questions and answers");
    let mut blocks = vec![Block::Page(vec![title])];
    let mut silent = Vec::new();
    for question in questions() {
        let beds = model.beds.iter();
        let answers = beds.map(|bed| (bed.testbed, answer(model, bed, question)));
        let answers: Vec<_> = answers.collect();
        let asks = format!("[{}] {}", question.name, question.asks);
        if !answers.iter().any(|(_, said)| said.says()) {
            let why = answers.into_iter();
            let why = why.filter_map(|(on, said)| Some(format!("{on}: {}.", said.not?)));
            silent.push((asks, why.collect()));
            continue;
        }
        let answers = answers.into_iter();
        let answers = answers.flat_map(|(testbed, said)| said.blocks(testbed));
        let head = Heading::new(3, format!("question-{}", question.name), asks);
        blocks.push(Block::fold(head, true, answers.collect()));
    }
    if !silent.is_empty() {
        let head = Heading::new(3, "unanswered", "Questions without an answer");
        let list = List {
            style: Style::Names,
            items: silent,
        };
        blocks.push(Block::fold(head, true, vec![Block::List(list)]));
    }
    blocks
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

/// What `bed` says.
fn answer(model: &Model<'_>, bed: &Bed<'_>, question: &'static Question) -> Said {
    let ids = ids(question);
    let mut said = match question.shows.as_deref().and_then(shown::named) {
        Some(shows) => shows(model, bed, &ids),
        None => tables(model, bed, question),
    };
    if said.not.is_none() && !said.says() {
        let ran = ids.iter().any(|id| !bed.select(id).is_empty());
        said.not = Some(match ran {
            true => "not answered: no cell of this run counted any of it".into(),
            false => not_run(&ids),
        });
    }
    said
}

/// The ids of a question's workloads, each once.
fn ids(question: &'static Question) -> Vec<&'static str> {
    let mut ids: Vec<&str> = question.workloads().collect();
    ids.dedup();
    ids
}

fn tables(model: &Model<'_>, bed: &Bed<'_>, question: &'static Question) -> Said {
    let mut part = Said::default();
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
            part.sentences.push(format!("{}: not run.", id(wanted)));
            continue;
        }
        let sweeps = sweeps(&tables, across);
        for sweep in ends(&sweeps) {
            let hides = |cell: &Cell| model.hides(cell);
            let against = |cell: &Cell| match question.hidden {
                true => hides(cell).then(|| model.counterpart(cell)),
                false => (!cell.is_baseline()).then(|| BASELINE.to_string()),
            };
            part.tables.extend(sweep.tables(&shown));
            part.tables
                .extend(match (modes, question.across.is_some()) {
                    (Some(name), _) => sweep.modes(name, bed.seed),
                    (None, true) => sweep.along(&|c| c.is_baseline() || hides(c), bed.seed),
                    (None, false) => sweep.pairs(&against, bed.seed),
                });
        }
        if let Some(more @ 1..) = sweeps.len().checked_sub(2) {
            let id = id(wanted);
            part.sentences.push(format!(
                "{id}: {more} settings between are among all tables."
            ));
        }
        if question.tails {
            part.tables
                .extend(tables.first().and_then(|table| sweep::tails(table, &shown)));
        }
        all.extend(tables);
    }
    if all.is_empty() {
        part.sentences.clear();
        part.not = Some(not_run(&ids(question)));
        return part;
    }
    let arms = || all.iter().flat_map(|table| &table.arms);
    if arms().all(|arm| arm.figures.is_err()) {
        part.not = Some(not_here(&reasons(arms())));
        part.tables.clear();
    } else if question.hidden {
        let hides = |arm: &&Arm<'_>| model.hides(arm.cell);
        if !arms().filter(hides).any(|arm| arm.figures.is_ok()) {
            part.not = Some(match arms().any(|arm| hides(&arm)) {
                true => not_here(&reasons(arms().filter(hides))),
                false => "not answered: no strategy of this run hides memory (--strategies)".into(),
            });
            if modes.is_some() {
                part.tables.clear();
            }
        }
    }
    part
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
        let names = model::entry(&mut all, |(w, _)| *w == why, || (why.clone(), vec![]));
        if !names.1.contains(&arm.cell.strategy) {
            names.1.push(arm.cell.strategy.clone());
        }
    }
    let all = all
        .into_iter()
        .map(|(why, arms)| format!("{}: {why}", arms.join(", ")));
    all.collect::<Vec<_>>().join(". ")
}
