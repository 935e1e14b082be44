// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every table on translation: how far TLBs reach, what misses them, what is flushed on
//! other CPUs, what others feel of it. What could not be counted is named with its reason.

use super::{interference, misses, reach, shootdowns, uncounted};
use crate::{
    chase,
    document::{Block, Heading, Table},
    figure::{self, Palette},
    model::{Bed, Model},
};

/// The fold of a testbed; nothing if it has no such table.
pub(super) fn fold(model: &Model<'_>, bed: &Bed<'_>) -> Option<Block> {
    let chases = chase::of(bed);
    let mut tables: Vec<Table> = Vec::new();
    for chase in &chases {
        tables.extend(reach::reach(chase));
        tables.extend(reach::counted(chase));
        tables.extend(reach::sizes_mapped(chase));
    }
    tables.extend(misses::within(bed, |_| true));
    tables.extend(uncounted::table(bed));
    tables.extend(shootdowns::table(bed));
    tables.extend(interference::tables(bed));
    tables.first()?;
    let mut blocks = Vec::new();
    if model.drawn {
        let palette = Palette::of(model.run);
        let drawn = chases
            .iter()
            .flat_map(|c| figure::of_chase(bed, c, &palette));
        blocks.extend(drawn.map(figure::block));
    }
    blocks.extend(tables.into_iter().map(Block::Table));
    let title = format!(
        "{}: Translation: TLB reach, misses and shootdowns",
        bed.testbed
    );
    let head = Heading::new(2, format!("{}-translation", bed.testbed), title);
    Some(Block::fold(head, false, blocks))
}
