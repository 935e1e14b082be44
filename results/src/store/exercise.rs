// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A record made of bytes: what a fuzzer, or a test with what one found, reads as if it
//! lay in a run directory.

use super::{
    AUDIT, HOST, PLAN, SAMPLES,
    reader::{parse, samples},
};
use crate::{Audit, Fingerprint, Plan, Row, Run, compare::compare};
use std::path::Path;

/// Reads `input` as the four files of a run, with a NUL between them. Whatever it holds
/// must give a run or an error; a run's rows must come back as they are when they are
/// written, and it must compare.
///
/// # Panics
/// If any of that does not hold, which is a finding.
pub fn exercise(input: &[u8]) {
    let mut files = input.split(|byte| *byte == 0);
    let mut next = || files.next().unwrap_or_default();
    let path = Path::new(SAMPLES);
    let samples = samples(path, next());
    let plan = parse::<Plan>(Path::new(PLAN), 1, next());
    let host = parse::<Fingerprint>(Path::new(HOST), 1, next());
    let audits = parse::<Vec<Audit>>(Path::new(AUDIT), 1, next());
    let Ok(samples) = samples else { return };
    for row in &samples.rows {
        let line = serde_json::to_vec(row).unwrap_or_default();
        let again = parse::<Row>(path, 1, &line);
        assert_eq!(again.ok().as_ref(), Some(row), "written and read again");
    }
    let run = Run {
        header: samples.header,
        plan: plan.unwrap_or_default(),
        host: host.unwrap_or_default(),
        rows: samples.rows,
        audits: audits.unwrap_or_default(),
        notes: samples.notes,
    };
    let arms: usize = compare(&run).iter().map(|table| table.arms.len()).sum();
    assert!(arms >= run.by_cell().len(), "a cell without an arm");
}
