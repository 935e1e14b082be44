// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The section on translation: how far TLBs reach, what misses them and how often,
//! what is flushed on other CPUs, and what bystanders feel of it. Everything comes
//! from rows of the record; what could not be counted is named with its reason.

pub(crate) mod absent;
pub(crate) mod bystander;
pub(crate) mod chase;
mod drawing;
pub(crate) mod misses;
pub(crate) mod shootdowns;

use crate::{digest::Bed, grid::Grid};

/// The title of the section.
pub(crate) const TITLE: &str = "Translation: TLB reach, misses and shootdowns";

/// Every table of the section that `bed` has something for.
pub(crate) fn of(bed: &Bed<'_>) -> Vec<Grid> {
    let chases = chase::of(bed);
    let mut grids: Vec<Grid> = Vec::new();
    for chase in &chases {
        grids.extend(chase.reach());
        grids.extend(chase.counted());
        grids.extend(chase.sizes_mapped());
    }
    grids.extend(misses::of(bed));
    grids.extend(absent::of(bed));
    grids.extend(shootdowns::of(bed));
    grids.extend(bystander::of(bed));
    grids
}

/// What a terminal shows of it: a line each.
pub(crate) fn lines(bed: &Bed<'_>) -> Vec<String> {
    let chases = chase::of(bed);
    let reach = chases.iter().flat_map(chase::Chase::lines);
    reach.chain(absent::lines(bed)).collect()
}
