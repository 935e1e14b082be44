// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Counters of a record: exact counts beside the samples of each cell.

use results::{Outcome, Row, counter, stats::median};
use std::collections::BTreeMap;

/// The counter that says over how many operations the others were counted.
pub(crate) const OPERATIONS: &str = counter::OPERATIONS.key;

/// Whether a counter of the model says how something was missed, and not how often it was
/// tried.
pub(crate) fn says_misses(name: &str) -> bool {
    !["accesses", "unresolved", "flushed_all"]
        .iter()
        .any(|other| name.ends_with(other))
}

/// `guest.l1_misses` as `guest L1`.
pub(crate) fn short(name: &str) -> String {
    let name = name
        .replace("l1_misses", "L1")
        .replace("l2_misses", "walks");
    name.replace("walk_steps", "steps").replace('.', " ")
}

/// The median over counted blocks of each counter.
pub(crate) fn medians<'a>(rows: &[&'a Row]) -> BTreeMap<&'a str, f64> {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.block.is_some_and(|b| b > 0)) {
        let Outcome::Measured { counters, .. } = &row.outcome else {
            continue;
        };
        for (name, count) in counters {
            values.entry(name).or_default().push(*count as f64);
        }
    }
    let medians = values.into_iter();
    medians
        .filter_map(|(name, v)| Some((name, median(&v)?)))
        .collect()
}
