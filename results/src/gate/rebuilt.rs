// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An emulator or a kernel that was built once more from the same version may count
//! as before, and then figures of both are comparable. Its name cannot say whether it
//! does. A count can: one workload of a fixed path, on the strategy that all others
//! are compared with, has to be the same in both runs to the last digit.

use super::{
    identity::Difference,
    policy::Policy,
    side::{Measured, Series, Side, figure},
};
use crate::{Cell, Testbed, Unit};
use std::collections::BTreeMap;

/// A count by which two labs are compared.
#[derive(Debug)]
struct Calibration<'a> {
    cell: &'a Cell,
    /// Per operation: baseline, current.
    counts: [f64; 2],
}

/// What the counts of both runs say of `differences`, which are rebuilds: that both
/// sides count alike, as a remark.
///
/// # Errors
/// The differences, with why they stand.
pub(super) fn prove(
    mut differences: Vec<Difference>,
    old: &Side<'_>,
    new: &Side<'_>,
    policy: &Policy,
) -> Result<Option<String>, Vec<Difference>> {
    if differences.is_empty() {
        return Ok(None);
    }
    let reason = match calibration(old, new, policy) {
        Some(Calibration {
            cell,
            counts: [a, b],
        }) if a == b => {
            let named: Vec<String> = differences.iter().map(ToString::to_string).collect();
            let named = named.join(", ");
            return Ok(Some(format!(
                "{named}, and counts alike: {cell} is {a} in both runs"
            )));
        }
        Some(Calibration {
            cell,
            counts: [a, b],
        }) => {
            format!("it does not count alike, or this program changed: {cell} was {a} and is {b}")
        }
        None => "no count in both runs shows whether it counts alike".to_string(),
    };
    for difference in &mut differences {
        difference.reason = Some(reason.clone());
    }
    Err(differences)
}

/// The calibration that comes first in the policy, then in the plan.
fn calibration<'a>(old: &'a Side<'_>, new: &Side<'_>, policy: &Policy) -> Option<Calibration<'a>> {
    let news: BTreeMap<&Cell, &Measured<'_>> = new.cells.iter().map(|(c, m)| (c, m)).collect();
    let candidates = old.cells.iter().filter_map(|(cell, was)| {
        let fits = cell.testbed == Testbed::Lab && cell.is_baseline();
        // A control is a loop that every kernel and emulator counts alike.
        let fits = fits && !policy.is_control(&cell.workload);
        let place = policy.calibrates(&cell.workload).filter(|_| fits)?;
        let is = news.get(cell)?;
        // Of a median of many samples an interrupt that falls into one is no part.
        let (name, series) = was
            .series
            .iter()
            .max_by_key(|(_, series)| samples(series))?;
        let counts = [series, is.series.get(name)?].map(count);
        let [Some(a), Some(b)] = counts else {
            return None;
        };
        Some((
            place,
            Calibration {
                cell,
                counts: [a, b],
            },
        ))
    });
    let first = candidates.min_by_key(|(place, _)| *place);
    first.map(|(_, calibration)| calibration)
}

fn samples(series: &Series<'_>) -> usize {
    series.samples.iter().map(|block| block.len()).sum()
}

/// Instructions per operation, if these are instructions.
fn count(series: &Series<'_>) -> Option<f64> {
    let counted = series.unit == Unit::Insn && !series.mixed;
    figure(&series.values).filter(|_| counted).map(|f| f.median)
}
