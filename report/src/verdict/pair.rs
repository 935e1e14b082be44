// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Two runs with the verdicts on them.

use results::{Run, gate::Comparison};

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What decides and what changed.
    Decisive,
    /// Every series, changed or not.
    All,
}

/// What is to be rendered.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// What is compared with: A.
    pub baseline: &'a Run,
    /// What is judged: B.
    pub current: &'a Run,
    /// The verdicts on the two.
    pub comparison: &'a Comparison,
    /// How much of them is shown.
    pub scope: Scope,
}
