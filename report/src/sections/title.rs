// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the document is, what made the record, and what each strategy is.

use crate::{
    document::{Block, Fact, Facts},
    model::Model,
    prose,
};
use results::Run;

/// What the columns of most tables are.
const LEGEND: &str = "n: blocks, each with a fresh VM for every arm. delta: the difference from \
memfd in percent, block by block; interval: its 95 % interval; *: that interval excludes 0, or a \
count differs. MDE: the smallest difference that would be found in 4 cases of 5, in percent.";

/// The section.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    let run = model.run;
    let title = "unmapbench: what hiding guest memory costs";
    let mut blocks = vec![
        Block::heading(1, "top", title),
        Block::paragraph(prose::identity(run).join(", ")),
    ];
    for bed in &model.beds {
        let facts = prose::machine(run, bed.testbed).join("; ");
        let about = prose::about(bed.testbed);
        blocks.push(Block::paragraph(format!(
            "{}: {about}. {facts}",
            bed.testbed
        )));
    }
    blocks.push(Block::paragraph(LEGEND));
    let rows = strategies(run);
    if !rows.is_empty() {
        blocks.push(Block::Facts(Facts {
            caption: "The strategies of this run, and the parameters of their modes.".into(),
            columns: vec!["what it is"],
            rows,
        }));
    }
    blocks
}

/// What each strategy of the run is, and what its modes are.
fn strategies(run: &Run) -> Vec<Fact> {
    let ran = |name: &str| run.rows.iter().any(|row| row.cell.strategy == name);
    let infos = run.plan.strategies.iter().filter(|info| ran(&info.name));
    let infos: Vec<_> = infos.collect();
    let fact = |name: &str, value: &str| Fact {
        name: name.to_string(),
        value: value.to_string(),
        other: None,
    };
    let mut facts: Vec<Fact> = infos.iter().map(|i| fact(&i.name, &i.about)).collect();
    for parameter in infos.iter().flat_map(|info| &info.parameters) {
        let mut cells = run.rows.iter().map(|row| &row.cell);
        let moded = cells.any(|cell| cell.mode.contains_key(&parameter.name));
        let fact = fact(&format!("{}=", parameter.name), &parameter.value);
        if moded && !facts.contains(&fact) {
            facts.push(fact);
        }
    }
    facts
}
