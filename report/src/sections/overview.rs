// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every workload against every strategy in one table, and a sentence a strategy. For pages:
//! a mail has no room for it.

use crate::{
    document::{Block, Field, Heading, Style, Table},
    figure::{self, Palette},
    model::{self, Bed, Model},
    number::{self, Mark},
    prose,
};
use results::{
    BASELINE, Cell,
    compare::{self, Arm},
};

/// The section.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    let folds = model.beds.iter().map(|bed| fold(model, bed));
    vec![Block::Page(folds.collect())]
}

fn fold(model: &Model<'_>, bed: &Bed<'_>) -> Block {
    let (testbed, about) = (bed.testbed, prose::about(bed.testbed));
    let mut blocks = vec![Block::paragraph(format!(
        "It counts {about}. Column {BASELINE}: median over blocks. Other columns: {}. Marked: {}.{}",
        prose::columns(bed),
        prose::MARKED,
        prose::exact(model)
    ))];
    let defaults = bed.defaults();
    let mark = prose::watermark(testbed).map_or(String::new(), |mark| format!(" ({mark})"));
    let title = format!("Ratio to {BASELINE} by workload on {testbed}{mark}");
    blocks.push(Block::Table(every_workload(bed, &defaults, title)));
    blocks.extend(tallies(bed, &defaults));
    for arms in bed.modes() {
        let strategy = arms.first().map_or("", |cell| &cell.strategy);
        let title = format!("Modes of {strategy} on {testbed}{mark}");
        blocks.push(Block::Table(every_workload(bed, &arms, title)));
        let moded: Vec<_> = arms.into_iter().filter(|c| !c.mode.is_empty()).collect();
        blocks.extend(tallies(bed, &moded));
    }
    if model.drawn {
        let ratios = figure::of_bed(bed, &Palette::of(model.run)).into_iter();
        blocks.extend(ratios.map(figure::block));
    }
    let title = format!("Every workload on {testbed}");
    let head = Heading::new(2, format!("{testbed}-every-workload"), title);
    Block::fold(head, false, blocks)
}

/// Every group in which one of `arms` is, against `arms`.
pub(crate) fn every_workload(bed: &Bed<'_>, arms: &[&Cell], title: String) -> Table {
    let columns: Vec<String> = std::iter::once("workload".to_string())
        .chain(arms.iter().map(|cell| cell.arm()))
        .collect();
    let mut out = Table::new(title, "", &columns);
    for table in bed.tables() {
        let cells: Vec<_> = arms.iter().map(|cell| model::arm(table, cell)).collect();
        if cells.iter().any(Option::is_some) {
            let cells = cells.into_iter();
            let cells = cells.map(|arm| arm.map_or_else(Field::default, |arm| field(table, arm)));
            let name = Field::from(table.group.to_string());
            out.push("", std::iter::once(name).chain(cells).collect());
        }
    }
    out
}

/// An arm's ratio, its median, or why there is none.
fn field(table: &compare::Table<'_>, arm: &Arm<'_>) -> Field {
    match (&arm.figures, &arm.ratio) {
        (Err(hole), _) => model::short(hole).into(),
        (Ok(_), Ok(r)) => {
            let [value, precision] = number::ratio(r);
            let insn = model::difference(table, arm).map(number::difference);
            let insn = insn.map_or(String::new(), |n| format!("({n}) "));
            Field::marked(format!("{value} {insn}{precision}"), Mark::of(r))
        }
        (Ok(f), Err(_)) => model::scale(table).with_unit(f.median).into(),
    }
}

fn tallies(bed: &Bed<'_>, arms: &[&Cell]) -> Option<Block> {
    let tallies = bed.tallies(arms).into_iter();
    let tallies = tallies.map(|tally| format!("{}: {}", tally.arm, prose::tally(&tally)));
    Block::list(Style::Bullets, tallies)
}
