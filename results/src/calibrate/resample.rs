// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs made out of a recorded one.

use crate::{Cell, Outcome, Row, Run};
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use std::collections::BTreeMap;

/// A run whose `blocks` blocks are drawn, with replacement, out of the measured
/// blocks of `run`, each cell for itself; the warm-up is not among them. Two of these
/// are equal runs by construction. Cells without measured blocks stay as they are.
pub fn resampled(run: &Run, blocks: u32, seed: u64) -> Run {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut rows = Vec::new();
    for (_, all) in run.by_cell() {
        let counts = |row: &&&Row| {
            let measured = matches!(row.outcome, Outcome::Measured { .. });
            measured && row.block.is_some_and(|block| block > 0)
        };
        let measured: Vec<&Row> = all.iter().filter(counts).copied().collect();
        if measured.is_empty() {
            rows.extend(all.into_iter().cloned());
            continue;
        }
        for block in 1..=blocks {
            let n = measured.len() as u128;
            let drawn = (u128::from(random.next_u64()) * n) >> 64;
            rows.push(Row {
                block: Some(block),
                ..measured[drawn as usize].clone()
            });
        }
    }
    Run {
        rows,
        ..run.clone()
    }
}

/// `run` with the samples of each cell times what `factors` has for it, to the
/// nearest whole number.
pub fn slowed(run: &Run, factors: &BTreeMap<Cell, f64>) -> Run {
    let mut run = run.clone();
    for row in &mut run.rows {
        let factor = factors.get(&row.cell).copied();
        if let (Some(factor), Outcome::Measured { samples, .. }) = (factor, &mut row.outcome) {
            for sample in samples.values_mut().flatten() {
                *sample = (*sample as f64 * factor).round() as u64;
            }
        }
    }
    run
}
