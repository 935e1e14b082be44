// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What moved, in the manner of a diffstat: for each workload how many ratios lie above
//! the baseline and how many below, over all settings and arms.

use super::page::Page;
use crate::{
    clean::ascii,
    digest::{Bed, Workload},
    number::Mark,
};
use results::BASELINE;

/// The longest bar, in characters.
const BAR: usize = 36;

/// A line a workload of which something moved, and one for all.
pub(super) fn summary(out: &mut Page, bed: &Bed<'_>) {
    let workloads = bed.families.iter().flat_map(|family| &family.workloads);
    let counts: Vec<(String, Count)> = workloads.map(|w| (ascii(&w.id), count(w))).collect();
    let most = counts
        .iter()
        .map(|(_, c)| c.more + c.less)
        .max()
        .unwrap_or(0);
    let width = counts
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0)
        .min(30);
    let all = counts.iter().fold(Count::default(), |all, (_, c)| Count {
        more: all.more + c.more,
        less: all.less + c.less,
        other: all.other + c.other,
    });
    out.heading(&format!("What moved against {BASELINE}: {}", bed.testbed));
    for (name, count) in counts.iter().filter(|(_, c)| c.more + c.less > 0) {
        let bar = bar(count, most);
        let line = format!(" {name:width$} | {:>4} {bar}", count.more + count.less);
        match name.len() <= width {
            true => out.line(&line),
            false => out.wrapped(" ", &line),
        }
    }
    let still = counts.iter().filter(|(_, c)| c.more + c.less == 0).count();
    out.wrapped(" ", &format!(
        "{} workloads, {} ratios above (+), {} below (-), {} not; nothing moved in {still} workloads",
        counts.len(), all.more, all.less, all.other
    ));
}

#[derive(Default)]
struct Count {
    more: usize,
    less: usize,
    /// Neither, or not known.
    other: usize,
}

fn count(workload: &Workload<'_>) -> Count {
    let mut count = Count::default();
    for arm in workload.tables.iter().flat_map(|table| &table.arms) {
        match arm.ratio.as_ref().map(Mark::of) {
            Ok(Mark::More) => count.more += 1,
            Ok(Mark::Less) => count.less += 1,
            Ok(Mark::Open) => count.other += 1,
            Err(_) => {}
        }
    }
    count
}

/// As many signs as ratios moved, or in proportion where `most` would not fit; one at
/// least of each kind that there is.
fn bar(count: &Count, most: usize) -> String {
    let length = |n: usize| match (n, most > BAR) {
        (0, _) => 0,
        (n, false) => n,
        (n, true) => (n * (BAR - 1) / most).max(1),
    };
    "+".repeat(length(count.more)) + &"-".repeat(length(count.less))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_what_moved_or_in_proportion() {
        let check = |more, less, most, expected: &str| {
            let other = 0;
            assert_eq!(bar(&Count { more, less, other }, most), expected);
        };
        check(3, 2, 5, "+++--");
        check(0, 0, 5, "");
        check(350, 1, 351, &("+".repeat(34) + "-"));
        check(0, 351, 351, &"-".repeat(35));
    }
}
