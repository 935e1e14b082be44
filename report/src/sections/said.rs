// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What one testbed says to a question.

use crate::document::{Block, Style, Table};
use results::Testbed;

/// An answer, or why there is none.
#[derive(Default)]
pub(super) struct Said {
    /// That it does not answer and why, though there may be something beside it.
    pub(super) not: Option<String>,
    pub(super) sentences: Vec<String>,
    pub(super) tables: Vec<Table>,
    /// Further tables, which only pages show.
    pub(super) pages: Vec<Table>,
}

impl Said {
    /// Whether there is anything besides that there is no answer.
    pub(super) fn says(&self) -> bool {
        !self.sentences.is_empty() || !self.tables.is_empty()
    }

    /// As blocks, each sentence with its testbed.
    pub(super) fn blocks(self, testbed: Testbed) -> Vec<Block> {
        let mut blocks = Vec::new();
        let not = self.not.map(|why| format!("{testbed}: {why}."));
        blocks.extend(not.map(Block::Note));
        let sentences = self.sentences.into_iter();
        let sentences = sentences.map(|sentence| format!("{testbed}: {sentence}"));
        blocks.extend(Block::list(Style::Bullets, sentences));
        blocks.extend(self.tables.into_iter().map(Block::Table));
        if !self.pages.is_empty() {
            let pages = self.pages.into_iter().map(Block::Table);
            blocks.push(Block::Page(pages.collect()));
        }
        blocks
    }
}
