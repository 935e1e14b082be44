// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Latency by percentile, one curve an arm, in the manner of HdrHistogram
//! plots: each step to the right is a tenth of the samples that were left, so
//! that the tail has as much room as the body.
//!
//! Samples of all blocks are pooled: the curve describes, it decides nothing. It
//! ends where fewer than 100 samples lie beyond.

use super::{
    Drawn, Subject,
    axis::Axis,
    canvas::{Axes, chart, curve, sheet},
};
use results::{compare::Arm, stats::Sorted};

/// Points along a curve; between two of them lies less than a pixel's change
/// except at a step.
const POINTS: u32 = 160;

/// Below this many samples even the upper half has less than 100.
const FEWEST: usize = 200;

const TICKS: [(f64, &str); 8] = [
    (0.0, "0"),
    (0.5, "50 %"),
    (0.75, "75 %"),
    (0.9, "90 %"),
    (0.99, "99 %"),
    (0.999, "99.9 %"),
    (0.9999, "99.99 %"),
    (0.99999, "99.999 %"),
];

/// `None` if no arm has enough samples for half a curve.
pub(super) fn draw(
    subject: &Subject<'_, '_>,
    arms: &[(&Arm<'_>, Sorted)],
    title: &str,
) -> Option<Drawn> {
    let curves: Vec<_> = arms.iter().filter(|(_, s)| s.len() >= FEWEST).collect();
    let most = curves.iter().map(|(_, s)| s.len()).max()?;
    let points = curves.iter().map(|(arm, s)| (arm, points(s)));
    let curves: Vec<_> = points.collect();
    let cells = curves.iter().map(|(arm, _)| arm.cell);
    let keys: Vec<_> = cells
        .map(|c| (c.arm(), subject.palette.stroke(c)))
        .collect();
    let values = curves.iter().flat_map(|(_, c)| c.iter().map(|(_, y)| *y));
    let ticks = TICKS.iter().map(|(p, _)| depth(*p));
    let end = depth(last(most));
    let ticks: Vec<f64> = ticks.filter(|t| *t <= end).collect();
    let label = format!("{} ({})", subject.table.series, subject.scale.symbol);
    let axes = Axes {
        x: (Axis::ticked(0.0, end, ticks), "percentile", &percentile),
        y: (Axis::spanning(values), &label, &|y| subject.scale.tick(*y)),
        left: 76,
    };
    Some(sheet(title, 300, &keys, subject.watermark, |area| {
        let mut chart = chart(area, &axes)?;
        for ((_, points), (_, stroke)) in curves.iter().zip(&keys) {
            curve(&mut chart, points.clone(), *stroke)?;
        }
        Ok(())
    }))
}

fn points(samples: &Sorted) -> Vec<(f64, f64)> {
    let end = depth(last(samples.len()));
    let steps = (0..=POINTS).map(|i| end * f64::from(i) / f64::from(POINTS));
    let points = steps.filter_map(|x| Some((x, samples.quantile(1.0 - 10_f64.powf(-x))?)));
    points.collect()
}

/// The last percentile with 100 of `n` samples beyond it, as a fraction.
fn last(n: usize) -> f64 {
    1.0 - 100.0 / n.max(FEWEST) as f64
}

/// How many tenfold steps `p` lies from the beginning.
fn depth(p: f64) -> f64 {
    -(1.0 - p).log10()
}

fn percentile(x: &f64) -> String {
    let tick = TICKS.iter().find(|(p, _)| (depth(*p) - x).abs() < 1e-6);
    tick.map_or(String::new(), |(_, name)| name.to_string())
}
