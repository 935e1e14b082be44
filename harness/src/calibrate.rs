// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs for a calibration: recorded one after the other as any run is, some of them
//! slowed down by work of known size.

use crate::{
    execute::TestbedInstance,
    plan::Selection,
    run::{self, ArmAvailability, End},
};
use observe::fingerprint;
use results::{
    Cell, Header, Outcome, Run,
    counter::{OPERATIONS, vmm},
    gate::{Comparison, Metric, Name, Role},
    store::{self, Recorder},
};
use std::{collections::BTreeMap, path::Path};

/// Records a run of `selection` in the new directory `out`, and reads it back. `None`
/// if it was interrupted.
///
/// # Errors
/// As the [`Recorder`] and [`store::read`].
pub fn record(
    instance: &TestbedInstance,
    selection: &Selection,
    arms: &ArmAvailability,
    header: &Header,
    out: &Path,
) -> Result<Option<Run>, store::Error> {
    let mut machine = fingerprint::fingerprint();
    instance.executor.describe(&mut machine);
    fingerprint::moving(&mut machine, "before");
    let plan = selection.plan(std::iter::once(instance));
    let mut recorder = Recorder::create(out, header, &plan, &machine)?;
    recorder.write_audits(&arms.audits)?;
    let end = run::run(instance, selection, arms, &mut recorder)?;
    fingerprint::moving(&mut machine, "after");
    recorder.complete_host(&machine)?;
    match end {
        End::Complete => store::read(out).map(Some),
        End::Interrupted => Ok(None),
    }
}

/// By how many nanoseconds each exit to the VMM must take longer for the gated
/// metrics of `run` to take `percent` longer. Cells without such exits are not among
/// them; nor is one whose operations have fewer than one each, as its samples would
/// not all be slowed alike.
pub fn delays(run: &Run, gated: &Comparison, percent: f64) -> BTreeMap<Cell, u64> {
    let mut delays = BTreeMap::new();
    for metric in gated.metrics.iter().filter(|m| m.role == Role::Gated) {
        let Some((exits, operations)) = exits(run, metric) else {
            continue;
        };
        if let (Some(figure), true) = (metric.baseline, exits >= operations && operations > 0) {
            let each = figure.median * percent / 100.0 * operations as f64 / exits as f64;
            delays.insert(metric.cell.clone(), each.round() as u64);
        }
    }
    delays
}

/// Exits to the VMM, and operations, in a block of the metric's cell.
fn exits(run: &Run, metric: &Metric) -> Option<(u64, u64)> {
    if !matches!(metric.name, Name::Series(_)) {
        return None;
    }
    let mut rows = run.rows.iter().filter(|row| row.cell == metric.cell);
    rows.find_map(|row| match &row.outcome {
        Outcome::Measured { counters, .. } => {
            Some((vmm::EXITS.of(counters)?, OPERATIONS.of(counters)?))
        }
        Outcome::Missing { .. } | Outcome::Failed { .. } => None,
    })
}
