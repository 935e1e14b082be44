// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the record of a workload has of its own, told by its parameters and its series. This
//! is all that a report knows of models: which section shows a workload is decided here, by
//! the data of the record. Only `questions.toml` and [`CONTROL`] name workloads.

use results::compare::Table;

/// The parameter that says how a device reaches its storage or its network.
pub(crate) const BACKEND: &str = "backend";

/// The parameter that says how requests are bounced, and its value where they are not.
pub(crate) const BOUNCE: &str = "bounce";
pub(crate) const UNBOUNCED: &str = "none";

/// The parameters of a chase: what lies between two places, and how many places there are.
pub(crate) const SPACING: &str = "spacing";
pub(crate) const PLACES: &str = "places";

/// The values of [`SPACING`]: a page, or the next line.
pub(crate) const BY_PAGE: &str = "page";
pub(crate) const BY_LINE: &str = "line";

/// Two series of one cell, the first without the VM and the second with it, below the title
/// of their table.
pub(crate) const PAIRS: [(&str, &str, &str); 2] = [
    (
        "before",
        "after",
        "Work of the host before a VM and after it was gone",
    ),
    (
        "alone",
        "beside",
        "A process on another CPU, alone and beside a VM at work",
    ),
];

/// Workloads that measure the machine and nothing of a strategy.
pub(crate) const CONTROL: &str = "calibrate/";

/// Whether `table` is a point of a curve over more and more places.
pub(crate) fn is_chase(table: &Table<'_>) -> bool {
    let has = |name: &&str| table.group.params.contains_key(*name);
    [SPACING, PLACES].iter().all(has)
}

/// Whether `table` has a series of each of a pair.
pub(crate) fn is_pair(table: &Table<'_>) -> bool {
    PAIRS.iter().any(|(_, second, _)| table.series == *second)
}
