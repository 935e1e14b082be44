// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How often each latency occurs, one outline an arm. Shares of the arm's own
//! samples, so that arms with unequal numbers can be compared; bins are equal in
//! ratio where the values span more than a factor of eight.

use super::{
    axis::Axis,
    plot::{Curve, Dimension, Form, Plot},
    subject::{Pooled, Subject},
};
use crate::document::Worth;
use results::stats::Sorted;

const BINS: usize = 72;

/// Below this many samples a bin holds hardly one.
const FEWEST: usize = 200;

const CAPTION: &str = "Samples of all counted blocks together, for description; shares are of \
                       the strategy's own samples. In the csv a share is that of the latencies \
                       from its line's to the next one's.";

/// `None` if no arm has enough samples.
pub(super) fn plot<'a>(subject: &Subject<'_, '_>, arms: &[Pooled<'a>]) -> Option<Plot<'a>> {
    let arms = || arms.iter().filter(|(_, s)| s.len() >= FEWEST);
    let extremes = arms().flat_map(|(_, s)| [s.quantile(0.0), s.quantile(1.0)]);
    let x = Axis::spanning(extremes.flatten());
    let curves: Vec<Curve<'a>> = arms()
        .map(|(cell, s)| Curve::of(cell, outline(&shares(s, &x), &x)))
        .collect();
    let shares = curves.iter().flat_map(|c| c.points.iter().map(|p| p.y));
    let y = Axis::from_zero(shares.fold(0.0, f64::max));
    let y = Dimension::new("share of samples", "%", y);
    subject
        .plot(
            "Histogram",
            CAPTION,
            subject.latency(x),
            y,
            (Form::Steps, Worth::Detail),
            curves,
        )
        .unless_empty()
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

/// The lower edge of each bin with its share, and the upper edge of the last with none.
fn outline(shares: &[f64], axis: &Axis) -> Vec<(f64, f64)> {
    let edge = |i: usize| axis.at(i as f64 / BINS as f64);
    let shares = shares.iter().copied().chain([0.0]);
    shares
        .enumerate()
        .map(|(i, share)| (edge(i), share))
        .collect()
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
            let axis = Axis::spanning(values);
            let shares = shares(&samples, &axis);
            assert!((shares.iter().sum::<f64>() - 100.0).abs() < 1e-9);
            let outline = outline(&shares, &axis);
            assert_eq!(outline.len(), BINS + 1);
            assert_eq!(outline.last().map(|p| p.1), Some(0.0));
        }
    }
}
