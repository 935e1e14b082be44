// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The machine, as the run found it.

use crate::{
    document::{Block, Fact, Facts, Style},
    model::Model,
};
use results::Testbed;

/// The section.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    let title = match model.ran_on(Testbed::Lab) {
        true => "Machine (lab.*: the lab; the others: what ran its emulator)",
        false => "Machine",
    };
    let rows = model.run.host.facts.iter().map(|fact| Fact {
        name: fact.name.clone(),
        value: fact.value.clone(),
        other: None,
    });
    let rows: Vec<Fact> = rows.collect();
    let mut blocks = vec![Block::heading(2, "machine", title)];
    match rows.is_empty() {
        true => blocks.extend(Block::list(Style::Notes, ["not recorded".to_string()])),
        false => blocks.push(Block::Facts(Facts {
            caption: "Facts on the machine, as the run found them.".into(),
            columns: vec!["value"],
            rows,
        })),
    }
    blocks
}
