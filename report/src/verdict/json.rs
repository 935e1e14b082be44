// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A comparison as JSON: the data as they are, with the outcome first.

use super::pair::Pair;
use crate::{Error, clean};
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
    Ok(printable(&text) + "\n")
}

/// The same document with an escape for each character that would act on a terminal:
/// a parser gets the name as it was.
fn printable(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match clean::harmless(c) {
            true => out.push(c),
            // Harmful characters are all in the first plane.
            false => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_they_were() {
        let name = "\u{202e}x\u{7f}\u{ffff}é";
        let json = printable(&serde_json::to_string(name).unwrap());
        assert!(json.chars().all(clean::harmless), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), name);
    }
}
