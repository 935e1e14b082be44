// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The JSON of github-action-benchmark (`tool: customSmallerIsBetter`): an array of
//! names, values and ranges.

use super::{
    bmf::json,
    entry::{digits, groups, symbol},
};
use crate::Error;
use results::Run;
use serde::Serialize;

#[derive(Serialize)]
struct Bench {
    name: String,
    unit: &'static str,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

pub(super) fn gha(run: &Run) -> Result<String, Error> {
    let mut all: Vec<Bench> = Vec::new();
    groups(run, |_, entries| {
        for entry in entries {
            if let Ok((figures, unit)) = &entry.figures {
                let half = figures.interval.map(|i| (i.high - i.low) / 2.0);
                all.push(Bench {
                    name: entry.name(),
                    unit: symbol(*unit),
                    value: figures.median,
                    range: half.map(|half| format!("± {}", digits(half))),
                    extra: format!("{}, n={}", entry.series, figures.blocks.len()),
                });
            }
        }
    });
    json("gha", &all)
}
