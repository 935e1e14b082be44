// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One thing to do in a run.

use results::Cell;

/// A cell in its place within the run.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is to be measured.
    pub cell: Cell,
    /// In which block.
    pub block: u32,
    /// In which place within the block.
    pub order: u32,
}
