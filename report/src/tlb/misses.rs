// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What missed a TLB, per operation of every workload: counted by a PMU, or by the
//! lab's model of one.

use super::chase::is_chase;
use crate::{counters, digest::Bed, grid::Grid};

/// Each source of such counts: its prefix, its title and what must be said of it.
const SOURCES: [(&str, &str, &str); 2] = [
    (
        "pmu.",
        "TLB misses per operation, counted by the PMU",
        "On the CPU of the vCPU's thread. guest: while the guest ran; host: while it did not.",
    ),
    (
        "model.",
        "TLB misses per operation, MODELLED",
        "Counted by a model of a TLB in the emulated machine, which sees the addresses of every \
         load and store and the pages that translate them; geometry and what it leaves out are \
         among the facts on the machine. kernel, user: the lab's own; guest: its guest. l2_misses \
         are page walks, walk_steps the loads that those take.",
    ),
];

/// A grid for each source that any cell has.
pub(super) fn of(bed: &Bed<'_>) -> Vec<Grid> {
    let grid = |(prefix, title, about): (&str, &str, &str)| {
        // A chase has a table of its own.
        let tables = bed.tables().filter(|table| !is_chase(table));
        let grid = counters::grid(tables, title.to_string(), &[prefix], true)?;
        Some(Grid {
            about: about.to_string(),
            ..grid
        })
    };
    SOURCES.into_iter().filter_map(grid).collect()
}
