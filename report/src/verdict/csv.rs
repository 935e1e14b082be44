// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every metric of a comparison, one a line, in base units: `ns` or `insn` as the
//! column `unit` says, `count` for a counter. `A` is the baseline, `B` what is
//! judged. A field without a value is empty; ratios are B / A.

use super::{pair::Pair, words::is_series};
use crate::{Error, clean, samples::params};
use results::{
    Unit,
    gate::{Figure, Flag, Method, Metric, Role},
};

const COLUMNS: [&str; 31] = [
    "testbed",
    "strategy",
    "mode",
    "workload",
    "params",
    "kind",
    "metric",
    "unit",
    "role",
    "method",
    "verdict",
    "A_median",
    "A_min",
    "A_max",
    "A_blocks",
    "B_median",
    "B_min",
    "B_max",
    "B_blocks",
    "ratio",
    "ratio_low",
    "ratio_high",
    "p",
    "p_adjusted",
    "resolves",
    "detects",
    "tolerance_percent",
    "tolerance_absolute",
    "changed",
    "flags",
    "reason",
];

pub(super) fn csv(pair: &Pair<'_>) -> Result<String, Error> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(COLUMNS).map_err(Error::Csv)?;
    for metric in &pair.comparison.metrics {
        // A name may hold a line feed, and a metric has one line.
        let line = line(metric);
        let line = line.iter().map(|field| clean::line(field));
        csv.write_record(line).map_err(Error::Csv)?;
    }
    let bytes = csv
        .into_inner()
        .map_err(|e| Error::Csv(e.into_error().into()))?;
    // Every field is a str, so this never replaces anything.
    Ok(clean::document(
        String::from_utf8_lossy(&bytes).into_owned(),
    ))
}

fn line(metric: &Metric) -> [String; COLUMNS.len()] {
    let cell = &metric.cell;
    let number = |value: Option<f64>| value.map_or(String::new(), |v| v.to_string());
    let figure = |figure: Option<Figure>| {
        let part = |of: fn(&Figure) -> f64| number(figure.as_ref().map(of));
        let blocks = figure.map_or(String::new(), |f| f.blocks.to_string());
        [part(|f| f.median), part(|f| f.min), part(|f| f.max), blocks]
    };
    let [a_median, a_min, a_max, a_blocks] = figure(metric.baseline);
    let [b_median, b_min, b_max, b_blocks] = figure(metric.current);
    let change = metric.change;
    let interval = change.and_then(|c| c.interval);
    [
        cell.testbed.name().to_string(),
        cell.strategy.clone(),
        params(&cell.mode),
        cell.workload.clone(),
        params(&cell.params),
        if is_series(metric) {
            "series"
        } else {
            "counter"
        }
        .to_string(),
        metric.name.text().to_string(),
        metric.unit.map_or("count", Unit::symbol).to_string(),
        role(metric.role).to_string(),
        match metric.method {
            Method::Exact => "exact",
            Method::Unpaired => "unpaired",
        }
        .to_string(),
        metric.verdict.to_string(),
        a_median,
        a_min,
        a_max,
        a_blocks,
        b_median,
        b_min,
        b_max,
        b_blocks,
        number(change.map(|c| c.ratio)),
        number(interval.map(|i| i.low)),
        number(interval.map(|i| i.high)),
        number(change.and_then(|c| c.p)),
        number(change.and_then(|c| c.adjusted)),
        number(change.and_then(|c| c.resolves)),
        number(change.and_then(|c| c.detects)),
        metric.tolerance.percent.to_string(),
        metric.tolerance.absolute.to_string(),
        metric.changed().to_string(),
        metric.flags.iter().map(flag).collect::<Vec<_>>().join(";"),
        metric.reason.clone().unwrap_or_default(),
    ]
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Gated => "gated",
        Role::Control => "control",
        Role::Listed => "listed",
    }
}

/// The words of the JSON form.
fn flag(flag: &Flag) -> String {
    match flag {
        Flag::Drift(side) => format!("drift={side}"),
        Flag::TwoModes(side) => format!("two-modes={side}"),
        Flag::SamplesDiffer => "samples-differ".to_string(),
        Flag::ToleranceTooFine(ratio) => format!("tolerance-too-fine={ratio}"),
    }
}
