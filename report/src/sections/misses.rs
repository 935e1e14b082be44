// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What missed a TLB, per operation of every workload: counted by a PMU, or by the
//! lab's model of one.

use super::counts;
use crate::{
    counters::{says_misses, short},
    document,
    model::Bed,
    shape::{is_chase, is_pair},
};
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

/// A table for each source that any cell has, of the tables that `shown` lets in.
pub(super) fn within(bed: &Bed<'_>, shown: impl Fn(&Table<'_>) -> bool) -> Vec<document::Table> {
    let grid = |(prefix, title, about): (&str, &str, &str)| {
        // A chase and interference have tables of their own.
        let tables = bed
            .tables()
            .filter(|table| !is_chase(table) && !is_pair(table) && shown(table));
        let names = counts::Names {
            shown: &|name| name.starts_with(prefix) && says_misses(name),
            short: &|name| short(name.strip_prefix(prefix).unwrap_or(name)),
        };
        let table = counts::table(tables, title.to_string(), names, true)?;
        Some(document::Table {
            about: about.to_string(),
            ..table
        })
    };
    SOURCES.into_iter().filter_map(grid).collect()
}
