// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A comparison as JSON: the data as they are, with the outcome first.

use super::Pair;
use crate::Error;
use results::gate::{Comparison, Outcome};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    outcome: Outcome,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

pub(super) fn json(pair: &Pair<'_>) -> Result<String, Error> {
    let comparison = pair.comparison;
    let document = Document {
        outcome: comparison.outcome(),
        comparison,
    };
    let text = serde_json::to_string_pretty(&document).map_err(Error::Json)?;
    Ok(text + "\n")
}
