// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Interference: the same work of the host or of another process twice, once without the
//! VM and once with it.

use super::{counts, said::Said};
use crate::{
    counters::{says_misses, short},
    document::{self, Field},
    model::{Bed, Model},
    number,
    shape::{PAIRS, is_pair},
};
use results::{
    Unit,
    compare::{Arm, Table, blocks},
    counter::model,
    stats::{Precision, Ratio, counted_ratio, median, paired_ratio},
};

/// What the last column says.
const ABOUT: &str = "Both figures of a pair are of the same block. effect: the difference, if its \
interval excludes 1; otherwise the largest difference that the interval allows.";

/// What was felt on a testbed.
pub(super) fn answer(_: &Model<'_>, bed: &Bed<'_>, _: &[&str]) -> Said {
    Said {
        tables: tables(bed),
        ..Said::default()
    }
}

/// What the model's columns mean.
const MODELLED: &str = "Of the host's own accesses, by a model of a TLB, not by hardware. L1: misses \
of the first level; walks: misses of both; steps: the loads that walks take.";

/// The model's misses without the VM and with it, an arm a row; `None` without a model.
fn modelled(bed: &Bed<'_>) -> Option<document::Table> {
    let names = counts::Names {
        shown: &|name| {
            name.starts_with(model::ORIGIN.prefix) && name.contains(".kernel.") && says_misses(name)
        },
        short: &|name| {
            let (when, what) = name
                .strip_prefix(model::ORIGIN.prefix)
                .and_then(|rest| rest.split_once(".kernel."))
                .unwrap_or(("", name));
            format!("{} {when}", short(what))
        },
    };
    let title = "MODELLED misses of the host's kernel per operation".to_string();
    let tables = bed.tables().filter(|table| is_pair(table));
    let mut out = counts::table(tables, title, names, true)?;
    // What was first stands first.
    let mut order: Vec<usize> = (0..out.columns.len()).collect();
    order.sort_by_key(|i| (*i > 0, out.columns[*i].ends_with(" after")));
    let columns = order.iter().map(|i| out.columns[*i].clone());
    let columns = columns.collect();
    out.columns = columns;
    for row in out.groups.iter_mut().flat_map(|(_, rows)| rows) {
        *row = order.iter().map(|i| row[*i].clone()).collect();
    }
    out.about = MODELLED.to_string();
    Some(out)
}

/// A grid for each pair of series that any cell has.
pub(super) fn tables(bed: &Bed<'_>) -> Vec<document::Table> {
    let grid = |(first, second, title): (&str, &str, &str)| {
        let columns = ["strategy", first, second, "ratio", "interval", "effect"];
        let mut out = document::Table::new(title, "workload", &columns);
        out.about = ABOUT.to_string();
        for table in bed.tables() {
            for arm in &table.arms {
                if let Some(row) = row(table, arm, first, second, bed.seed) {
                    out.push(&table.group.to_string(), row);
                }
            }
        }
        out.unless_empty()
    };
    let pairs = PAIRS.into_iter().filter_map(grid);
    pairs.chain(modelled(bed)).collect()
}

fn row(
    table: &Table<'_>,
    arm: &Arm<'_>,
    first: &str,
    second: &str,
    seed: u64,
) -> Option<Vec<Field>> {
    let unit = table.unit?;
    let (without, with) = (blocks(&arm.rows, first), blocks(&arm.rows, second));
    let pairs: Vec<(f64, f64)> = with
        .iter()
        .filter_map(|(block, with)| Some((*with, *without.get(block)?)))
        .collect();
    let middle = |of: fn(&(f64, f64)) -> f64| median(&pairs.iter().map(of).collect::<Vec<_>>());
    let [without, with] =
        [middle(|p| p.1)?, middle(|p| p.0)?].map(|v| number::Scale::of(unit, [v]).with_unit(v));
    let ratio = match unit {
        Unit::Ns => paired_ratio(&pairs, seed),
        Unit::Insn => counted_ratio(&pairs),
    };
    let [value, precision, effect] = match ratio {
        Ok(ratio) => {
            let [value, precision] = number::ratio(&ratio);
            [value, precision, effect(&ratio)]
        }
        Err(why) => ["none".to_string(), why.to_string(), String::new()],
    };
    Some(vec![
        Field::arm(arm.cell),
        without.into(),
        with.into(),
        value.into(),
        precision.into(),
        effect.into(),
    ])
}

/// The difference, or how large one could be.
fn effect(ratio: &Ratio) -> String {
    match ratio.precision {
        _ if ratio.differs() => format!("{} %", number::percent(ratio.value)),
        Precision::Interval(i) => {
            let most = (i.high - 1.0).abs().max((1.0 - i.low).abs());
            format!("none above {} %", number::significant(most * 100.0, 2))
        }
        Precision::Exact => "none".into(),
        Precision::TooFew | Precision::NotDeterministic => "unknown".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_a_difference_or_a_bound() {
        let check = |second: &[f64], expected: &str| {
            let pairs: Vec<_> = second.iter().map(|s| (*s, 100.0)).collect();
            assert_eq!(effect(&paired_ratio(&pairs, 1).unwrap()), expected);
        };
        check(&[110.0; 8], "+10.0 %");
        check(&[99.0, 99.0, 98.0, 100.0, 101.0, 102.0], "none above 1.5 %");
        check(&[110.0; 3], "unknown");
        let exact = |second| effect(&counted_ratio(&[(second, 100.0)]).unwrap());
        assert_eq!([exact(100.0), exact(125.0)], ["none", "+25.0 %"]);
    }
}
