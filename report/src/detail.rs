// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One table in the form that list readers know: `variant | n | median | min | max |
//! delta`, with the interval and the least change that would have been seen.

use crate::{
    digest,
    grid::Grid,
    number::{self, Mark},
    prose,
};
use results::{
    Cell, Unit,
    compare::{Arm, NoRatio, Table},
    stats::{Precision, Ratio},
};

/// One row for each arm of `table` that `shown` lets in. Where all blocks of all arms are
/// equal, the least and the greatest give way to the difference.
pub(crate) fn grid(table: &Table<'_>, shown: impl Fn(&Cell) -> bool) -> Grid {
    let scale = digest::scale(table);
    let header: &[&str] = match digest::exact(table) {
        true => &["variant", "n", "median", "delta", "+/- insn", "precision"],
        false if table.unit == Some(Unit::Insn) => &[
            "variant",
            "n",
            "median",
            "min",
            "max",
            "delta",
            "+/- insn",
            "precision",
        ],
        false => &[
            "variant",
            "n",
            "median",
            "min",
            "max",
            "delta",
            "95% interval",
            "MDE",
        ],
    };
    let row = |arm: &Arm<'_>| {
        let (delta, precision) = change(arm);
        let none = || "-".to_string();
        let [n, median, min, max] = match &arm.figures {
            Ok(f) => {
                let [median, min, max] = [f.median, f.min, f.max].map(|v| scale.show(v));
                [f.blocks.len().to_string(), median, min, max]
            }
            Err(hole) => {
                let what = crate::terminal::short(hole).to_string();
                ["0".to_string(), what, none(), none()]
            }
        };
        let cell = |column: &&str| match *column {
            "variant" => arm.cell.arm(),
            "n" => n.clone(),
            "median" => median.clone(),
            "min" => min.clone(),
            "max" => max.clone(),
            "delta" => delta.clone(),
            "+/- insn" => {
                digest::difference(table, arm).map_or_else(String::new, number::difference)
            }
            "MDE" => mde(arm),
            _ => precision.clone(),
        };
        header.iter().map(cell).collect()
    };
    let watermark = prose::behind(table.group.testbed);
    let (group, series) = (&table.group, table.series);
    let title = format!("{group} ({series} in {}{watermark})", scale.symbol);
    let mut grid = Grid::new(title, "", header);
    for arm in table.arms.iter().filter(|arm| shown(arm.cell)) {
        grid.push("", row(arm));
    }
    grid
}

fn change(arm: &Arm<'_>) -> (String, String) {
    match &arm.ratio {
        Ok(ratio) => {
            let [delta, precision] = delta(ratio);
            (delta, precision)
        }
        Err(NoRatio::IsBaseline) => ("base".to_string(), String::new()),
        Err(_) => ("-".to_string(), String::new()),
    }
}

/// The minimum detectable effect of an arm's ratio, in percent.
fn mde(arm: &Arm<'_>) -> String {
    let detects = arm.ratio.as_ref().ok().and_then(|ratio| ratio.detects);
    let shown = detects.map(|ratio| number::percent(ratio).trim_start_matches('+').to_string());
    shown.unwrap_or_default()
}

/// A ratio in percent and how well it is known, starred if it may be spoken of.
pub(crate) fn delta(ratio: &Ratio) -> [String; 2] {
    let star = if Mark::of(ratio) == Mark::Open {
        ""
    } else {
        "*"
    };
    let precision = match ratio.precision {
        Precision::Exact => format!("{}{star}", number::exact(ratio)),
        Precision::Interval(i) => {
            let [low, high] = [i.low, i.high].map(number::percent);
            format!("[{low},{high}]{star}")
        }
        Precision::TooFew => "none".to_string(),
        Precision::NotDeterministic => "UNSTEADY".to_string(),
    };
    [number::percent(ratio.value) + "%", precision]
}
