// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every cell without figures or without a ratio, every lost block, by its cause.

use crate::{
    document::{Block, Missing},
    missing,
    model::Model,
};

/// The section.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    let causes = missing::causes(model).into_iter();
    let causes: Vec<Missing> = causes
        .map(|cause| Missing {
            who: format!("{} on {}", cause.who(), cause.testbed),
            scope: cause.scope(),
            what: cause.what,
            remedy: cause.remedy.unwrap_or_default(),
        })
        .collect();
    match causes.is_empty() {
        true => Vec::new(),
        false => vec![
            Block::heading(2, "missing", "Missing and failed"),
            Block::Missing(causes),
        ],
    }
}
