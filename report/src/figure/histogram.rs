// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How often each latency occurs, one outline an arm. Shares of the arm's own
//! samples, so that arms with unequal numbers can be compared; bins are equal in
//! ratio where the values span more than a factor of eight.

use super::{
    Drawn, Subject,
    axis::Axis,
    canvas::{Axes, chart, curve, sheet},
};
use crate::number;
use results::{compare::Arm, stats::Sorted};

const BINS: usize = 72;

/// Below this many samples a bin holds hardly one.
const FEWEST: usize = 200;

/// `None` if no arm has enough samples.
pub(super) fn draw(
    subject: &Subject<'_, '_>,
    arms: &[(&Arm<'_>, Sorted)],
    title: &str,
) -> Option<Drawn> {
    let arms: Vec<_> = arms.iter().filter(|(_, s)| s.len() >= FEWEST).collect();
    arms.first()?;
    let cells = arms.iter().map(|(arm, _)| arm.cell);
    let keys: Vec<_> = cells
        .map(|c| (c.arm(), subject.palette.stroke(c)))
        .collect();
    let extremes = arms
        .iter()
        .flat_map(|(_, s)| [s.quantile(0.0), s.quantile(1.0)]);
    let x = Axis::spanning(extremes.flatten());
    let shares: Vec<_> = arms.iter().map(|(_, s)| shares(s, &x)).collect();
    let highest = shares.iter().flatten().copied().fold(0.0, f64::max);
    let label = format!("{} ({})", subject.table.series, subject.scale.symbol);
    let axes = Axes {
        x: (x, &label, &|x| subject.scale.tick(*x)),
        y: (Axis::from_zero(highest), "share of samples (%)", &|y| {
            number::tick(*y)
        }),
        left: 76,
    };
    Some(sheet(title, 300, &keys, subject.watermark, |area| {
        let mut chart = chart(area, &axes)?;
        for (shares, (_, stroke)) in shares.iter().zip(&keys) {
            curve(&mut chart, outline(shares, &axes.x.0), *stroke)?;
        }
        Ok(())
    }))
}

/// The part of the samples in each bin, in percent.
fn shares(samples: &Sorted, axis: &Axis) -> Vec<f64> {
    let mut counts = vec![0_usize; BINS];
    for value in samples.values() {
        let bin = (axis.place(*value) * BINS as f64) as usize;
        counts[bin.min(BINS - 1)] += 1;
    }
    let all = samples.len().max(1) as f64;
    counts.into_iter().map(|n| n as f64 * 100.0 / all).collect()
}

/// The upper edge of the bins, from the base line and back to it.
fn outline(shares: &[f64], axis: &Axis) -> Vec<(f64, f64)> {
    let edge = |i: usize| axis.at(i as f64 / BINS as f64);
    let tops = shares.iter().enumerate();
    let tops = tops.flat_map(|(i, &share)| [(edge(i), share), (edge(i + 1), share)]);
    let ends = [(edge(0), 0.0), (edge(BINS), 0.0)];
    let mut points: Vec<_> = ends[..1]
        .iter()
        .copied()
        .chain(tops)
        .chain(ends[1..].iter().copied())
        .collect();
    // Of a run of equal heights only the ends are needed.
    points.dedup_by(|b, a| a == b);
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_a_hundred_percent() {
        for values in [
            vec![5.0; 300],
            (0..500).map(f64::from).collect(),
            vec![0.0, u64::MAX as f64],
        ] {
            let samples = Sorted::new(values.clone());
            let shares = shares(&samples, &Axis::spanning(values));
            assert!((shares.iter().sum::<f64>() - 100.0).abs() < 1e-9);
        }
    }
}
