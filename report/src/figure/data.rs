// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The data of a figure as csv, so that a reader can draw it again: names of columns
//! with units, raw base units, one point a line.

use crate::samples;
use results::Cell;

/// `rows` under the names of their columns.
///
/// # Errors
/// What the csv crate says.
pub(super) fn csv<N: AsRef<[u8]>>(
    columns: impl IntoIterator<Item = N>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<String, String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(columns).map_err(|e| e.to_string())?;
    for row in rows {
        csv.write_record(row).map_err(|e| e.to_string())?;
    }
    let bytes = csv.into_inner().map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map_err(|e| e.to_string())
}

/// The columns `strategy` and `mode` of an arm, the latter as in `samples.csv`.
pub(super) fn arm(cell: &Cell) -> [String; 2] {
    [cell.strategy.clone(), samples::params(&cell.mode)]
}

/// `name (unit)`, or the name alone of what has no unit.
pub(super) fn named(name: &str, unit: &str) -> String {
    match unit {
        "" => name.to_string(),
        unit => format!("{name} ({unit})"),
    }
}
