// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Plain text for a mailing list: ASCII, never wider than 75 columns, and not longer than
//! a list takes. First what was found (a table at a glance, questions answered by name,
//! what moved), then what a sceptic needs (evidence, holes, threats, machine, commands),
//! then all tables in the form `variant | n | median | min | max | delta`. A line is never
//! cut off; tables that would make the mail too long are named with the file they are in.

mod moved;
pub(crate) mod page;
mod tables;

pub(crate) use tables::grid;

use crate::{
    answer::{self, Answer, glance},
    digest::{Bed, Digest},
    gap, prose,
};
use page::Page;
use results::{Run, Testbed, run::Fact};

/// The longest mail that the kernel's lists take, in bytes (vger.kernel.org: "Message
/// size exceeding 100 000 characters causes blocking").
const MOST: usize = 100_000;

/// Beyond this an answer gives its tables away.
const ANSWERS: usize = 60_000;

/// How many reasons for holes are given.
const GAPS: usize = 60;

/// What the columns of most tables are.
const LEGEND: [&str; 2] = [
    "n: blocks, each a fresh VM of every arm. delta, interval: % from memfd by",
    "block; *: it excludes 0, or a count differs. MDE: least % seen 4 in 5.",
];

/// The run as plain text. Every line has at most 75 ASCII characters.
pub fn text(run: &Run) -> String {
    let digest = Digest::of(run);
    let mut out = Page::default();
    out.line("unmapbench: what hiding guest memory costs");
    out.wrapped("", &prose::identity(run).join(", "));
    for bed in &digest.beds {
        let facts = prose::machine(run, bed.testbed).join("; ");
        out.wrapped(
            "",
            &format!("{}: {}. {facts}", bed.testbed, prose::about(bed.testbed)),
        );
    }
    for line in LEGEND {
        out.line(line);
    }
    arms(&mut out, run);
    for caution in prose::cautions(&digest) {
        out.gap();
        out.wrapped("! ", &caution);
    }
    if digest.beds.is_empty() {
        out.gap();
        out.wrapped("", "The record holds no cell: nothing was run.");
    }
    for bed in &digest.beds {
        at_a_glance(&mut out, &digest, bed);
    }
    answers(&mut out, &answer::of(&digest));
    for bed in &digest.beds {
        moved::summary(&mut out, bed);
    }
    gaps(&mut out, &digest);
    out.heading("Threats to validity");
    for threat in prose::threats(&digest) {
        out.wrapped("- ", &threat);
    }
    out.heading(
        match digest.beds.iter().any(|bed| bed.testbed == Testbed::Lab) {
            true => "Machine (lab.*: the lab; the others: what ran its emulator)",
            false => "Machine",
        },
    );
    for fact in &run.host.facts {
        out.wrapped("  ", &format!("{}: {}", fact.name, fact.value));
    }
    if run.host.facts.is_empty() {
        out.wrapped("  ", "not recorded");
    }
    reproduce(&mut out, &digest);
    all_tables(&mut out, &digest);
    out.finish()
}

/// What each strategy of the run is, and what its modes are.
fn arms(out: &mut Page, run: &Run) {
    let ran = |name: &str| run.rows.iter().any(|row| row.cell.strategy == name);
    let ran: Vec<_> = run
        .plan
        .strategies
        .iter()
        .filter(|info| ran(&info.name))
        .collect();
    for (i, info) in ran.iter().enumerate() {
        if i == 0 {
            out.gap();
        }
        out.wrapped("  ", &format!("{}: {}", info.name, info.about));
    }
    let mut told: Vec<&Fact> = Vec::new();
    for parameter in ran.iter().flat_map(|info| &info.parameters) {
        let moded = run
            .rows
            .iter()
            .any(|row| row.cell.mode.contains_key(&parameter.name));
        if moded && !told.contains(&parameter) {
            told.push(parameter);
            out.wrapped("  ", &format!("{}=: {}", parameter.name, parameter.value));
        }
    }
}

fn at_a_glance(out: &mut Page, digest: &Digest<'_>, bed: &Bed<'_>) {
    for glance in glance::of(digest, bed) {
        out.heading(&format!("At a glance: {}", glance.title));
        let head = glance.columns.iter().map(|column| column.name.to_string());
        let mut rows = vec![std::iter::once("variant".to_string()).chain(head).collect()];
        for cell in &glance.arms {
            let words = glance
                .columns
                .iter()
                .map(|column| glance::word(column, cell));
            let name = crate::clean::ascii(&cell.arm());
            rows.push(std::iter::once(name).chain(words).collect::<Vec<_>>());
        }
        out.split(&rows);
        for note in &glance.notes {
            out.wrapped("  ", note);
        }
    }
}

/// Each question by name, and what each testbed says to it.
fn answers(out: &mut Page, answers: &[Answer]) {
    for answer in answers.iter().filter(|answer| answer.says()) {
        let mut whole = Page::default();
        said(&mut whole, answer, true);
        match out.len() + whole.len() < ANSWERS {
            true => out.append(whole),
            false => said(out, answer, false),
        }
    }
    let silent = answers.iter().filter(|answer| !answer.says());
    for (i, answer) in silent.enumerate() {
        if i == 0 {
            out.heading(answer::SILENT);
        }
        out.wrapped(
            "",
            &format!("[{}] {}", answer.question.name, answer.question.asks),
        );
        for why in answer.reasons() {
            out.wrapped("  ", &why);
        }
    }
}

/// A question with what is said to it, its tables only on request.
fn said(out: &mut Page, answer: &Answer, tables: bool) {
    let question = &answer.question;
    out.heading(&format!("[{}] {}", question.name, question.asks));
    for part in &answer.parts {
        let testbed = part.testbed;
        if let Some(why) = &part.not {
            out.wrapped("! ", &format!("{testbed}: {why}."));
        }
        for said in &part.said {
            out.wrapped("- ", &format!("{testbed}: {said}"));
        }
        for (i, grid) in part.grids.iter().filter(|_| tables).enumerate() {
            if i > 0 || !part.said.is_empty() || part.not.is_some() {
                out.gap();
            }
            tables::grid(out, grid);
        }
        if let (false, n @ 1..) = (tables, part.grids.len()) {
            let text = format!("{testbed}: {n} tables do not fit; report.html has them.");
            out.wrapped("", &text);
        }
    }
}

fn gaps(out: &mut Page, digest: &Digest<'_>) {
    let gaps = gap::gaps(digest);
    if gaps.is_empty() {
        return;
    }
    out.heading("Missing and failed");
    for gap in gaps.iter().take(GAPS) {
        let scope = gap.scope();
        out.wrapped("- ", &format!("{} on {}, {scope}:", gap.who(), gap.testbed));
        out.wrapped("  ", &gap.what);
        if let Some(remedy) = &gap.remedy {
            out.wrapped("  ", &format!("remedy: {remedy}"));
        }
    }
    if let Some(more @ 1..) = gaps.len().checked_sub(GAPS) {
        out.wrapped("- ", &format!("{more} more reasons; report.html has them."));
    }
}

/// What to type to get these numbers again.
fn reproduce(out: &mut Page, digest: &Digest<'_>) {
    let header = &digest.run.header;
    out.heading("How to reproduce this");
    if !prose::is_revision(&header.git) {
        let git = &header.git;
        out.wrapped(
            "! ",
            &format!("The program was not built from a commit alone: {git}."),
        );
    }
    for words in prose::reproduction(digest) {
        out.command(&words);
    }
    if digest.beds.iter().any(|bed| bed.testbed == Testbed::Lab) {
        out.wrapped(
            "",
            "The same kernel, program and QEMU count the same to the last digit, on any machine; \
             another build of one of them does not.",
        );
    }
}

/// Every table, a family at a time, as long as there is room.
fn all_tables(out: &mut Page, digest: &Digest<'_>) {
    let mut left_out: Vec<String> = Vec::new();
    for bed in &digest.beds {
        let families = bed.families.iter().map(|family| {
            let tables: usize = family.workloads.iter().map(|w| w.tables.len()).sum();
            let name = format!("{} on {} ({tables})", family.name, bed.testbed);
            (name, tables::family(bed, family))
        });
        let translation = tables::translation(bed);
        let translation = translation.map(|page| (format!("translation on {}", bed.testbed), page));
        for (name, page) in families.chain(translation) {
            match out.len() + page.len() < MOST - 2_000 {
                true => out.append(page),
                false => left_out.push(name),
            }
        }
    }
    if !left_out.is_empty() {
        out.heading("Tables left out");
        let names = left_out.join(", ");
        out.wrapped("", &format!(
            "A list takes {MOST} characters. Left out, and in report.html and samples.csv: {names}."
        ));
    }
}
