// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How much of what was planned has figures, by strategy.

use crate::{
    document::{Block, Field, Table},
    model::{Bed, Model},
    number,
};
use results::compare::{Arm, Hole};

/// The section: a table a testbed.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    let tables: Vec<Table> = model.beds.iter().map(table).collect();
    match tables.is_empty() {
        true => Vec::new(),
        false => std::iter::once(Block::heading(2, "coverage", "What was measured"))
            .chain(tables.into_iter().map(Block::Table))
            .collect(),
    }
}

/// A row a strategy, over all its modes.
fn table(bed: &Bed<'_>) -> Table {
    let columns = [
        "strategy", "modes", "measured", "missing", "failed", "not run",
    ];
    let title = format!("Cells by strategy: {}", bed.testbed);
    let mut table = Table::new(title, "", &columns);
    for arms in bed.arms.chunk_by(|a, b| a.strategy == b.strategy) {
        let strategy = &arms[0].strategy;
        let cells = bed.tables().flat_map(|table| &table.arms);
        let cells: Vec<&Arm<'_>> = cells.filter(|arm| arm.cell.strategy == *strategy).collect();
        let count = |is: fn(&Arm<'_>) -> bool| {
            let n = cells.iter().filter(|arm| is(arm)).count();
            Field::from(number::grouped(&n.to_string()))
        };
        table.push(
            "",
            vec![
                Field::named(strategy, &Default::default(), strategy.clone()),
                arms.len().to_string().into(),
                count(|arm| arm.figures.is_ok()),
                count(|arm| matches!(arm.figures, Err(Hole::Missing { .. }))),
                count(|arm| matches!(arm.figures, Err(Hole::Failed { .. } | Hole::Units { .. }))),
                count(|arm| matches!(arm.figures, Err(Hole::NotRun))),
            ],
        );
    }
    table
}
