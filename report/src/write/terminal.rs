// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Text for a terminal: 100 columns in UTF-8 and no colour codes, because a pipe may be
//! reading. What is read first stands last, where it is in sight when a run has ended.

use super::{
    page::SCREEN,
    text::{Lines, mail},
};
use crate::document::Document;

/// The document for a terminal.
pub(crate) fn terminal(document: Document) -> String {
    let mut lines = Lines::new(SCREEN, usize::MAX);
    for block in mail(document.body) {
        lines.block(&block);
    }
    if !lines.page.is_empty() {
        lines.page.gap();
    }
    for block in mail(document.lead) {
        lines.block(&block);
    }
    lines.page.finish()
}
