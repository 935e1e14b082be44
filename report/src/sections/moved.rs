// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What moved, in the manner of a diffstat: for each workload how many ratios lie above
//! the baseline and how many below, over all settings and arms.

use crate::{
    document::{Block, Move, Moves},
    model::{Bed, Model, Workload},
    number::Mark,
};
use results::BASELINE;

/// The section.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    model.beds.iter().flat_map(summary).collect()
}

/// A row for each workload of which something moved, and a sentence on all.
fn summary(bed: &Bed<'_>) -> Vec<Block> {
    let workloads = bed.families.iter().flat_map(|family| &family.workloads);
    let counts: Vec<(&str, Count)> = workloads.map(|w| (w.id.as_str(), count(w))).collect();
    let all = counts.iter().fold(Count::default(), |all, (_, c)| Count {
        more: all.more + c.more,
        less: all.less + c.less,
        other: all.other + c.other,
    });
    let still = counts.iter().filter(|(_, c)| c.more + c.less == 0).count();
    let rows = counts.iter().filter(|(_, c)| c.more + c.less > 0);
    let rows = rows.map(|(workload, count)| Move {
        workload: workload.to_string(),
        more: count.more,
        less: count.less,
        open: 0,
        other: String::new(),
    });
    let title = format!("What moved against {BASELINE}: {}", bed.testbed);
    vec![
        Block::heading(2, format!("{}-moved", bed.testbed), title),
        Block::Moves(Moves {
            caption: format!("Ratios that lie above {BASELINE} and below it, by workload."),
            total: format!(
                "{} workloads, {} ratios above (+), {} below (-), {} not; nothing moved in {still} \
                 workloads",
                counts.len(),
                all.more,
                all.less,
                all.other
            ),
            rows: rows.collect(),
        }),
    ]
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
