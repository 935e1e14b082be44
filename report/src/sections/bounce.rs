// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What bouncing costs: the ways of bouncing of each arm below its name.

use super::detail;
use crate::{
    bounce::{self, Bouncing, Way},
    document::{Block, Field, Table},
    model::Workload,
    number::Mark,
    prose,
};
use results::stats::{Precision, Ratio};

/// The tables of `workload` and what their columns mean; nothing if it does not bounce.
pub(super) fn blocks(workload: &Workload<'_>, seed: u64) -> Vec<Block> {
    let all = bounce::of(workload, seed);
    let about = bounce::about(&all).map(Block::paragraph);
    let tables = all.iter().map(|bouncing| Block::Table(table(bouncing)));
    tables.chain(about).collect()
}

/// Percentiles that no row has are left out.
fn table(bouncing: &Bouncing<'_>) -> Table {
    let mark = prose::behind(bouncing.group.testbed);
    let (group, series) = (&bouncing.group, bouncing.series);
    let unit = format!("{series} in {}{mark}", bouncing.scale.symbol);
    let [p50, p99] = bouncing.percentiles().map(|(_, most)| most.is_ok());
    let mut head = vec!["bounce", "median", bouncing.rate(), "copied", "over none"];
    head.push("over memfd");
    head.extend(p50.then_some("p50"));
    head.extend(p99.then_some("p99"));
    head.push("n");
    let mut table = Table::new(
        format!("{}: {group} ({unit})", bounce::TITLE),
        "strategy",
        &head,
    );
    table.narrow = head.len() - 1;
    table.about = bouncing.few().unwrap_or_default();
    for (cell, ways) in &bouncing.arms {
        for way in ways {
            table.push(&cell.arm(), row(bouncing, way, [p50, p99]));
        }
    }
    table
}

fn row(bouncing: &Bouncing<'_>, way: &Way, [p50, p99]: [bool; 2]) -> Vec<Field> {
    let ([median, half, tail, rate, copied], blocks) = match &way.cost {
        Ok(cost) => (cost.shown(bouncing.scale), cost.blocks),
        Err(no) => (
            [no.word.as_str(), "-", "-", "-", "-"].map(str::to_string),
            0,
        ),
    };
    // Set in below the arm.
    let mut row: Vec<Field> = vec![format!("  {}", way.bounce).into()];
    row.extend([median, rate, copied].map(Field::from));
    row.extend([&way.over_none, &way.over_baseline].map(over));
    row.extend(p50.then_some(half).map(Field::from));
    row.extend(p99.then_some(tail).map(Field::from));
    row.push(blocks.to_string().into());
    row
}

/// A ratio, or what stands in its place.
fn over(ratio: &Result<Ratio, String>) -> Field {
    match ratio {
        Ok(ratio) => {
            let [delta, precision] = detail::delta(ratio);
            let known = match ratio.precision {
                Precision::TooFew => "no interval".to_string(),
                _ => precision,
            };
            Field::marked(format!("{delta} {known}"), Mark::of(ratio))
        }
        Err(why) => why.as_str().into(),
    }
}
