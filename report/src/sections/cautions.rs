// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What must be read before any number: invented numbers, instructions, the warnings of
//! the machine, what the reader of the record passed over.

use crate::{document::Block, evidence, missing, model::Model, number::NOT_DETERMINISTIC, prose};

const UNTUNED: &str = "Reinsertion is untuned: its implementation has not been optimised, so read \
its costs as upper bounds.";

/// The section.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    let run = model.run;
    let beds = model.beds.iter();
    let mut cautions: Vec<String> = beds
        .flat_map(|bed| prose::unit_cautions(run, bed.testbed))
        .collect();
    if prose::reinserts(run) {
        cautions.push(UNTUNED.to_string());
    }
    let moved = missing::not_deterministic(model);
    if moved > 0 {
        cautions.push(format!(
            "{NOT_DETERMINISTIC}: {} counted different instructions in different blocks. \
             That is a defect of the lab or of this build; no conclusion is drawn from it.",
            match moved {
                1 => "1 arm".to_string(),
                n => format!("{n} arms"),
            }
        ));
    }
    cautions.extend(evidence::cautions(model));
    cautions.extend(run.host.warnings.iter().cloned());
    let notes = run.notes.iter();
    cautions.extend(notes.map(|note| format!("The record is incomplete: {note}")));
    let mut blocks: Vec<Block> = cautions.into_iter().map(Block::Caution).collect();
    if model.beds.is_empty() {
        blocks.push(Block::paragraph(
            "The record holds no cell: nothing was run.",
        ));
    }
    blocks
}
