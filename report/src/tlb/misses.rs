// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What missed a TLB, per operation of every workload: counted by a PMU, or by the
//! lab's model of one.

use super::{bystander::is_pair, chase::is_chase};
use crate::{counters, digest::Bed, grid::Grid};
use results::{
    compare::Table,
    counter::{model, pmu},
};

/// Each source of such counts: its prefix, its title and what must be said of it.
const SOURCES: [(&str, &str, &str); 2] = [
    (
        pmu::ORIGIN.prefix,
        "TLB misses per operation, counted by the PMU",
        "On the CPU of the vCPU's thread. guest: while the guest ran; host: while it did not.",
    ),
    (
        model::ORIGIN.prefix,
        "TLB misses per operation, MODELLED",
        "Counted by a model of a TLB in the emulated machine, which sees the addresses of every \
         load and store and the pages that translate them; geometry and what it leaves out are \
         among the facts on the machine. kernel, user: the lab's own; guest: its guest. L1: misses \
         of the first level; walks: misses of both; steps: the loads that walks take.",
    ),
];

/// Whether a counter of the model says how something was missed, and not how often it was
/// tried.
pub(super) fn says_misses(name: &str) -> bool {
    !["accesses", "unresolved", "flushed_all"]
        .iter()
        .any(|other| name.ends_with(other))
}

/// `guest.l1_misses` as `guest L1`.
pub(super) fn short(name: &str) -> String {
    let name = name
        .replace("l1_misses", "L1")
        .replace("l2_misses", "walks");
    name.replace("walk_steps", "steps").replace('.', " ")
}

/// A grid for each source that any cell has.
pub(crate) fn of(bed: &Bed<'_>) -> Vec<Grid> {
    within(bed, |_| true)
}

/// The same of the tables that `shown` lets in.
pub(crate) fn within(bed: &Bed<'_>, shown: impl Fn(&Table<'_>) -> bool) -> Vec<Grid> {
    let grid = |(prefix, title, about): (&str, &str, &str)| {
        // A chase and bystanders have tables of their own.
        let tables = bed
            .tables()
            .filter(|table| !is_chase(table) && !is_pair(table) && shown(table));
        let names = counters::Names {
            shown: &|name| name.starts_with(prefix) && says_misses(name),
            short: &|name| short(name.strip_prefix(prefix).unwrap_or(name)),
        };
        let grid = counters::grid(tables, title.to_string(), names, true)?;
        Some(Grid {
            about: about.to_string(),
            ..grid
        })
    };
    SOURCES.into_iter().filter_map(grid).collect()
}
