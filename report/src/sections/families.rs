// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every table, a fold a family: what each workload measures, its tables, its figures, its
//! counters. Behind the families of a testbed, its tables on translation.

use super::{bounce, counts, detail, translation};
use crate::{
    Error,
    document::{Block, Figure, Heading, Text, Worth},
    figure::{self, Palette},
    model::{Bed, Family, Model, Workload},
};
use results::run::View;

/// The section.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    let palette = model.drawn.then(|| Palette::of(model.run));
    let palette = palette.as_ref();
    let mut folds = Vec::new();
    for bed in &model.beds {
        folds.extend(bed.families.iter().map(|family| fold(bed, family, palette)));
        folds.extend(translation::fold(model, bed));
    }
    folds
}

fn fold(bed: &Bed<'_>, family: &Family<'_>, palette: Option<&Palette>) -> Block {
    let mut blocks = Vec::new();
    if let Some(palette) = palette {
        let ratios = figure::of_family(bed, family, palette).into_iter();
        blocks.extend(ratios.map(figure::block));
    }
    for workload in &family.workloads {
        blocks.extend(self::workload(bed, workload, palette));
    }
    let counted = counts::per_operation(family).into_iter();
    let counted = counted.chain(counts::in_total(family)).map(Block::Table);
    blocks.push(Block::Page(counted.collect()));
    let title = format!("{}: {}", bed.testbed, family.name);
    let head = Heading::new(2, format!("{}-{}", bed.testbed, family.name), title);
    Block::fold(head, false, blocks)
}

/// Whether a page shows a figure: the others are files beside it.
fn shown(figure: &Result<Figure, Error>) -> bool {
    figure
        .as_ref()
        .map_or(true, |figure| figure.worth == Worth::Main)
}

fn workload(bed: &Bed<'_>, workload: &Workload<'_>, palette: Option<&Palette>) -> Vec<Block> {
    let id = &workload.id;
    let title = match workload.info {
        Some(info) => format!("{id}: {}", info.summary),
        None => id.clone(),
    };
    let mut blocks = vec![Block::heading(3, format!("{}-{id}", bed.testbed), title)];
    if let Some(info) = workload.info {
        let paragraphs = info.analysis.split("\n\n").filter(|p| !p.trim().is_empty());
        let paragraphs = paragraphs.map(|p| Block::Paragraph(Text::prose(p)));
        blocks.push(Block::Page(paragraphs.collect()));
    }
    if let Some(palette) = palette {
        let swept = figure::of_workload(bed, workload, palette).into_iter();
        blocks.extend(swept.filter(shown).map(figure::block));
    }
    for table in &workload.tables {
        blocks.push(Block::Table(detail::with_tails(table)));
        let phases = workload.info.is_some_and(|info| info.view == View::Phases);
        if let Some(palette) = palette.filter(|_| phases) {
            let drawn = figure::of_table(bed, workload, table, palette).into_iter();
            blocks.extend(drawn.filter(shown).map(figure::block));
        }
    }
    blocks.extend(bounce::blocks(workload, bed.seed));
    blocks
}
