// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Keeps a document within its size, whatever the record holds, by one rule: in the order of
//! the document, whatever can be folded away is kept as long as there is room. A fold that
//! stays loses tables and figures alone; any other is left out as a whole if its text has no
//! room.

use crate::document::{Block, Fold};

/// A document that fits.
pub(super) struct Fitted {
    pub(super) blocks: Vec<Block>,
    /// The titles of folds that were left out.
    pub(super) left_out: Vec<String>,
}

/// What is left of the room, and how to measure.
struct Room<'f> {
    left: usize,
    size: &'f dyn Fn(&Block) -> usize,
    left_out: Vec<String>,
}

/// `blocks` within `most`, as `size` measures them.
pub(super) fn fit(blocks: Vec<Block>, most: usize, size: &dyn Fn(&Block) -> usize) -> Fitted {
    let mut room = Room {
        left: most,
        size,
        left_out: Vec::new(),
    };
    let stays: usize = blocks.iter().map(|block| room.text(block)).sum();
    room.left = most.saturating_sub(stays);
    let kept = blocks.into_iter().filter_map(|block| match block {
        Block::Fold(fold) => room.fold(fold),
        block => Some(block),
    });
    let blocks = kept.collect();
    Fitted {
        blocks,
        left_out: room.left_out,
    }
}

/// Whether a fold may lose it.
fn may_go(block: &Block) -> bool {
    matches!(block, Block::Table(_) | Block::Figure(_))
}

impl Room<'_> {
    /// The size of what stays of a block whatever the room.
    fn text(&self, block: &Block) -> usize {
        match block {
            Block::Fold(fold) if !fold.stays => 0,
            Block::Fold(fold) => self.text_of(fold),
            block => (self.size)(block),
        }
    }

    /// The size of a fold without tables and figures.
    fn text_of(&self, fold: &Fold) -> usize {
        let empty = Fold {
            head: fold.head.clone(),
            stays: fold.stays,
            blocks: Vec::new(),
        };
        let inside = fold.blocks.iter().filter(|block| !may_go(block));
        let inside = inside.map(|block| self.text(block));
        (self.size)(&Block::Fold(empty)) + inside.sum::<usize>()
    }

    fn fold(&mut self, fold: Fold) -> Option<Block> {
        if !fold.stays {
            match self.left.checked_sub(self.text_of(&fold)) {
                Some(left) => self.left = left,
                None => {
                    self.left_out.push(fold.head.text);
                    return None;
                }
            }
        }
        let mut blocks = Vec::new();
        let (mut tables, mut figures) = (0, 0);
        for block in fold.blocks {
            match block {
                Block::Fold(fold) => blocks.extend(self.fold(fold)),
                block if may_go(&block) => match self.left.checked_sub((self.size)(&block)) {
                    Some(left) => {
                        self.left = left;
                        blocks.push(block);
                    }
                    None if matches!(block, Block::Figure(_)) => figures += 1,
                    None => tables += 1,
                },
                block => blocks.push(block),
            }
        }
        let lost = [
            (tables, "table", "samples.jsonl has its data"),
            (figures, "figure", "it is in figures/"),
        ];
        for (n, what, place) in lost.into_iter().filter(|(n, ..)| *n > 0) {
            blocks.push(Block::paragraph(match n {
                1 => format!("1 {what} does not fit here; {place}."),
                n => format!(
                    "{n} {what}s do not fit here; {}.",
                    place
                        .replace("its data", "their data")
                        .replace("it is", "they are")
                ),
            }));
        }
        Some(Block::Fold(Fold { blocks, ..fold }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Heading, Table};

    fn fold(name: &str, stays: bool, tables: usize) -> Block {
        let columns: [&str; 0] = [];
        let table = Block::Table(Table::new("", "", &columns));
        let blocks = vec![table; tables];
        Block::fold(Heading::new(2, name, name), stays, blocks)
    }

    /// The text of a fold takes 1, a table 10, anything else 2.
    fn size(block: &Block) -> usize {
        match block {
            Block::Fold(_) => 1,
            Block::Table(_) => 10,
            _ => 2,
        }
    }

    #[test]
    fn what_comes_first_is_kept() {
        let check = |most: usize, tables: &[usize], left_out: &[&str]| {
            let blocks = vec![
                fold("stays", true, 2),
                fold("goes", false, 2),
                Block::paragraph("text"),
            ];
            let fitted = fit(blocks, most, &size);
            let folds = fitted.blocks.iter().filter_map(|block| match block {
                Block::Fold(fold) => Some(fold),
                _ => None,
            });
            let kept = folds.map(|fold| fold.blocks.iter().filter(|b| may_go(b)).count());
            assert_eq!(kept.collect::<Vec<_>>(), tables, "{most}");
            assert_eq!(fitted.left_out, left_out, "{most}");
        };
        check(100, &[2, 2], &[]);
        check(44, &[2, 2], &[]);
        check(40, &[2, 1], &[]);
        check(24, &[2, 0], &[]);
        check(23, &[2], &["goes"]);
        check(13, &[1], &["goes"]);
        check(0, &[0], &["goes"]);
    }
}
