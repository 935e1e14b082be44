// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Latency by percentile, one curve an arm, in the manner of HdrHistogram
//! plots: each step to the right is a tenth of the samples that were left, so
//! that the tail has as much room as the body.
//!
//! Samples of all blocks are pooled: the curve describes, it decides nothing. It
//! ends where fewer than 100 samples lie beyond.

use super::{
    axis::Axis,
    canvas::corners,
    plot::{Curve, Dimension, Form, Plot},
    subject::{Pooled, Subject},
};
use crate::document::Worth;
use results::stats::Sorted;

/// Points along a curve; between two of them lies less than a pixel's change
/// except at a step.
const POINTS: u32 = 160;

/// Below this many samples even the upper half has less than 100.
const FEWEST: usize = 200;

const CAPTION: &str = "Samples of all counted blocks together, for description. Each step to the \
                       right is a tenth of the samples that were left; a curve ends where fewer \
                       than 100 lie beyond.";

/// `None` if no arm has enough samples for half a curve.
pub(super) fn plot<'a>(subject: &Subject<'_, '_>, arms: &[Pooled<'a>]) -> Option<Plot<'a>> {
    let arms = || arms.iter().filter(|(_, s)| s.len() >= FEWEST);
    let most = arms().map(|(_, s)| s.len()).max()?;
    let curves: Vec<Curve<'a>> = arms().map(|(cell, s)| Curve::of(cell, points(s))).collect();
    let values = curves.iter().flat_map(|c| c.points.iter().map(|p| p.y));
    let y = subject.latency(Axis::spanning(values));
    let x = Dimension::new("percentile", "", Axis::tail(last(most)));
    subject
        .plot(
            "Percentiles",
            CAPTION,
            x,
            y,
            (Form::Line, Worth::Detail),
            curves,
        )
        .unless_empty()
}

/// Percentiles, in percent, and what they are; evenly apart on their axis but for the
/// middle of level pieces.
fn points(samples: &Sorted) -> Vec<(f64, f64)> {
    let end = last(samples.len());
    let axis = Axis::tail(end);
    let steps = (0..POINTS).map(|i| axis.at(f64::from(i) / f64::from(POINTS)));
    // Digits beyond these would be noise of the logarithm.
    let steps = steps.map(|p| (p * 1e6).round() / 1e6).chain([end]);
    let points = steps.filter_map(|p| Some((p, samples.quantile(p / 100.0)?)));
    corners(&points.collect::<Vec<_>>())
}

/// The last percentile with 100 of `n` samples beyond it, in percent.
fn last(n: usize) -> f64 {
    100.0 - 100.0 * 100.0 / n.max(FEWEST) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_ends_with_100_samples_beyond() {
        let samples = Sorted::new((0..=10_000).map(f64::from).collect());
        let points = points(&samples);
        assert_eq!(points.first(), Some(&(0.0, 0.0)));
        let (end, value) = points.last().copied().unwrap();
        assert!(
            (end - 99.0).abs() < 1e-3 && (value - 9_900.0).abs() < 0.1,
            "{end} {value}"
        );
        assert!(
            points
                .windows(2)
                .all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1)
        );
    }
}
