// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One table in the form that list readers know: `variant | n | median | min | max |
//! delta`, with the interval and the least change that would have been seen.

use crate::{
    document::{self, Field},
    model,
    number::{self, Mark},
    prose,
};
use results::{
    Cell, Unit,
    compare::{Arm, Figures, NoRatio, Table, pooled},
    stats::{Precision, Ratio, Sorted, Tail},
};

/// One row for each arm of `table` that `shown` lets in. Where all blocks of all arms are
/// equal, the least and the greatest give way to the difference.
pub(super) fn table(table: &Table<'_>, shown: impl Fn(&Cell) -> bool) -> document::Table {
    let header = header(table);
    let scale = model::scale(table);
    let watermark = prose::behind(table.group.testbed);
    let (group, series) = (&table.group, table.series);
    let title = format!("{group} ({series} in {}{watermark})", scale.symbol);
    let mut out = document::Table::new(title, "", header);
    for arm in table.arms.iter().filter(|arm| shown(arm.cell)) {
        let row = header.iter().map(|name| field(table, arm, name));
        out.push("", row.collect());
    }
    out
}

/// The same of every arm, and for pages how many samples there are with the percentiles that
/// they carry.
pub(super) fn with_tails(table: &Table<'_>) -> document::Table {
    let mut out = self::table(table, |_| true);
    let scale = model::scale(table);
    let samples = table.arms.iter().map(|arm| match arm.figures {
        Ok(_) => pooled(&arm.rows, table.detail),
        Err(_) => pooled(&[], table.detail),
    });
    let samples: Vec<Sorted> = samples.collect();
    let tails = Tail::ALL.into_iter();
    let tails: Vec<Tail> = tails
        .filter(|tail| samples.iter().any(|of| tail.of(of).is_ok()))
        .collect();
    out.columns.push(match table.detail == table.series {
        true => "samples".into(),
        false => format!("samples of {}", table.detail),
    });
    let names = tails.iter().map(|tail| tail.name().to_string());
    out.columns.extend(names);
    let rows = out.groups.iter_mut().flat_map(|(_, rows)| rows);
    for (row, samples) in rows.zip(&samples) {
        row.push(number::grouped(&samples.len().to_string()).into());
        row.extend(tails.iter().map(|tail| match tail.of(samples) {
            Ok(value) => Field::from(scale.show(value)),
            Err(few) if few.have == 0 => "-".into(),
            Err(few) => format!("needs {}", number::grouped(&few.need.to_string())).into(),
        }));
    }
    out
}

fn header(table: &Table<'_>) -> &'static [&'static str] {
    const EXACT: &[&str] = &["strategy", "n", "median", "delta", "+/- insn", "precision"];
    const COUNTED: &[&str] = &[
        "strategy",
        "n",
        "median",
        "min",
        "max",
        "delta",
        "+/- insn",
        "precision",
    ];
    const TIMED: &[&str] = &[
        "strategy",
        "n",
        "median",
        "min",
        "max",
        "delta",
        "95% interval",
        "MDE",
    ];
    match (model::exact(table), table.unit) {
        (true, _) => EXACT,
        (false, Some(Unit::Insn)) => COUNTED,
        (false, _) => TIMED,
    }
}

/// What stands in the row of `arm` below `column`.
fn field(table: &Table<'_>, arm: &Arm<'_>, column: &str) -> Field {
    let scale = model::scale(table);
    let figure = |of: fn(&Figures) -> f64| match &arm.figures {
        Ok(figures) => scale.show(of(figures)),
        Err(_) => "-".to_string(),
    };
    match (column, &arm.figures) {
        ("strategy", _) => Field::arm(arm.cell),
        ("n", Ok(figures)) => figures.blocks.len().to_string().into(),
        ("n", Err(_)) => "0".into(),
        ("median", Err(hole)) => model::short(hole).into(),
        ("median", Ok(figures)) => scale.show(figures.median).into(),
        ("min", _) => figure(|f| f.min).into(),
        ("max", _) => figure(|f| f.max).into(),
        ("delta", _) => change(arm).0,
        ("+/- insn", _) => model::difference(table, arm)
            .map_or_else(String::new, number::difference)
            .into(),
        ("MDE", _) => mde(arm).into(),
        _ => change(arm).1.into(),
    }
}

fn change(arm: &Arm<'_>) -> (Field, String) {
    match &arm.ratio {
        Ok(ratio) => {
            let [delta, precision] = delta(ratio);
            (Field::marked(delta, Mark::of(ratio)), precision)
        }
        Err(NoRatio::IsBaseline) => ("base".into(), String::new()),
        Err(_) => ("-".into(), String::new()),
    }
}

/// The minimum detectable effect of an arm's ratio, in percent.
fn mde(arm: &Arm<'_>) -> String {
    let detects = arm.ratio.as_ref().ok().and_then(|ratio| ratio.detects);
    let shown = detects.map(|ratio| number::percent(ratio).trim_start_matches('+').to_string());
    shown.unwrap_or_default()
}

/// A ratio in percent and how well it is known, starred if it may be spoken of.
pub(super) fn delta(ratio: &Ratio) -> [String; 2] {
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
