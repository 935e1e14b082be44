// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What to type to get these numbers again, and which files hold them.

use crate::{
    document::{Block, Style},
    model::Model,
    shell,
};
use results::Testbed;

/// The files of a run directory, beside which a page lies.
const FILES: [(&str, &str); 6] = [
    (
        "samples.jsonl",
        "every row of the record, raw samples, counters, failures with registers",
    ),
    ("plan.json", "what was to be run"),
    ("host.json", "the machine"),
    ("figures/", "every figure as a file of its own"),
    ("report.md", "this report for a pull request"),
    ("report.txt", "this report for a mailing list"),
];

/// The section.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    let header = &model.run.header;
    let mut blocks = vec![Block::heading(2, "reproduce", "How to reproduce this")];
    if !shell::is_revision(&header.git) {
        let git = &header.git;
        let note = format!("The program was not built from a commit alone: {git}.");
        blocks.push(Block::Note(note));
    }
    blocks.extend(commands(model).into_iter().map(Block::Command));
    if model.ran_on(Testbed::Lab) {
        blocks.push(Block::paragraph(
            "The same kernel, program and QEMU count the same to the last digit, on any machine; \
             another build of one of them does not.",
        ));
    }
    let audit = ("audit.json", "what was found of isolation");
    let audit = (!model.run.audits.is_empty()).then_some(audit);
    let files = FILES.into_iter().chain(audit);
    let files = files.map(|(file, what)| format!("{file}: {what}"));
    blocks.push(Block::Page(
        Block::list(Style::Bullets, files).into_iter().collect(),
    ));
    blocks
}

/// What to type, from a clone of the repository on; a list of words each.
fn commands(model: &Model<'_>) -> Vec<Vec<String>> {
    let header = &model.run.header;
    let words = |line: &str| line.split(' ').map(str::to_string).collect::<Vec<_>>();
    let mut commands = Vec::new();
    if shell::is_revision(&header.git) {
        commands.push(words(&format!("git checkout {}", header.git)));
    }
    commands.push(words("cargo build --release --locked"));
    if model.ran_on(Testbed::Lab) {
        commands.push(words("unmapbench lab build"));
    }
    commands.push(header.command.clone());
    commands
}
