// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A comparison as JSON: the data as they are, with the outcome first.

use crate::Error;
use results::gate::{Comparison, Outcome};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    outcome: Outcome,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

pub(super) fn json(comparison: &Comparison) -> Result<String, Error> {
    let document = Document {
        outcome: comparison.outcome(),
        comparison,
    };
    let text = serde_json::to_string_pretty(&document).map_err(Error::Json)?;
    Ok(text + "\n")
}
