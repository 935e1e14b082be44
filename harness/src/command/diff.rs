// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench diff`: two runs side by side, without a judgement.

use super::gate::{Sides, nothing};
use crate::{cli::DiffArgs, exit::Exit};
use report::verdict::{Pair, Scope, render};
use results::gate::Outcome;

/// Prints every series of both runs, and every count that changed.
pub(super) fn run(args: &DiffArgs) -> anyhow::Result<Exit> {
    let sides = Sides::read(&args.a, &args.b, &args.compare)?;
    let comparison = sides.compare();
    let pair = Pair {
        baseline: &sides.baseline,
        current: &sides.current,
        comparison: &comparison,
        scope: Scope::All,
    };
    super::print(&render(sides.form, &pair)?)?;
    match comparison.outcome() {
        Outcome::Nothing | Outcome::Unfit => Err(nothing(&comparison).into()),
        Outcome::Fine | Outcome::Regression | Outcome::Inconclusive => Ok(Exit::Fine),
    }
}
