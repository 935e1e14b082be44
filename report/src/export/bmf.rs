// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Bencher Metric Format: benchmark → measure → value with its interval. `latency` is in
//! nanoseconds there; instructions are a measure of their own.

use super::entry::groups;
use crate::Error;
use results::{Run, Unit};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Value {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

pub(super) fn bmf(run: &Run) -> Result<String, Error> {
    let mut all: BTreeMap<String, BTreeMap<&str, Value>> = BTreeMap::new();
    groups(run, |_, entries| {
        for entry in entries {
            if let Ok((figures, unit)) = &entry.figures {
                let measure = match unit {
                    Unit::Ns => "latency",
                    Unit::Insn => "instructions",
                };
                let value = Value {
                    value: figures.median,
                    lower_value: figures.interval.map(|i| i.low),
                    upper_value: figures.interval.map(|i| i.high),
                };
                all.entry(entry.name()).or_default().insert(measure, value);
            }
        }
    });
    json("bmf", &all)
}

/// `value` as JSON, with a line feed at its end.
pub(super) fn json(format: &'static str, value: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::Export {
        format,
        reason: e.to_string(),
    })?;
    Ok(text + "\n")
}
