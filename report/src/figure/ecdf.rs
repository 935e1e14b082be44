// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The share of samples at or below each latency, one curve of steps an arm. Where the
//! percentile curve has room for the tail, this one has it for the body: what lies beyond
//! the 99th percentile of every arm is in the csv and not drawn.

use super::{
    axis::Axis,
    plot::{Curve, Dimension, Form, Plot},
    subject::{Pooled, Subject},
};
use crate::document::Worth;
use results::stats::Sorted;

/// At most so many steps a curve: more would be less than three pixels each.
const STEPS: usize = 128;

/// Below this many samples a step is a sample, and steps are what one sees.
const FEWEST: usize = 200;

const CAPTION: &str = "Samples of all counted blocks together, for description: how many took \
                       so long or less. A curve has 128 steps at most, evenly apart in shares. The \
                       drawing ends at the highest 99th percentile, the csv does not.";

/// `None` if no arm has enough samples.
pub(super) fn plot<'a>(subject: &Subject<'_, '_>, arms: &[Pooled<'a>]) -> Option<Plot<'a>> {
    let arms = || arms.iter().filter(|(_, s)| s.len() >= FEWEST);
    let curves: Vec<Curve<'a>> = arms().map(|(cell, s)| Curve::of(cell, steps(s))).collect();
    let drawn = arms().flat_map(|(_, s)| [s.quantile(0.0), s.quantile(0.99)]);
    let x = Axis::spanning(drawn.flatten());
    subject
        .plot(
            "ECDF",
            CAPTION,
            subject.latency(x),
            share(),
            (Form::Steps, Worth::File),
            curves,
        )
        .unless_empty()
}

fn share() -> Dimension {
    Dimension::new(
        "share of samples at or below",
        "%",
        Axis::linear(0.0, 100.0),
    )
}

/// Values with the share of `samples`, in percent, that are no greater.
fn steps(samples: &Sorted) -> Vec<(f64, f64)> {
    let values = samples.values();
    let n = values.len();
    let share = |value: f64| {
        let upto = values.partition_point(|v| *v <= value);
        (value, upto as f64 * 100.0 / n as f64)
    };
    let mut distinct = values.to_vec();
    distinct.dedup();
    if distinct.len() > STEPS {
        let last = |part: usize| values[(part * n).div_ceil(STEPS).max(1) - 1];
        distinct = (0..=STEPS).map(last).collect();
        distinct.dedup();
    }
    distinct.into_iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_shape(values: Vec<f64>) {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let steps = steps(&Sorted::new(values));
        assert!(steps.len() <= STEPS + 1, "{}", steps.len());
        assert_eq!(steps.first().map(|s| s.0), Some(least));
        assert_eq!(steps.last().map(|s| s.1), Some(100.0));
        assert!(
            steps.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1),
            "{steps:?}"
        );
    }

    #[test]
    fn rises_from_the_least_value_to_all_of_the_samples() {
        check_shape(vec![7.0]);
        check_shape(vec![7.0; 5000]);
        check_shape((0..100_000).map(f64::from).collect());
        check_shape((0..3000).map(|i| f64::from(i % 130)).collect());
        check_shape((0..3000).map(|i| f64::from(i / 2900)).collect());
        check_shape(vec![0.0, 1.0, u64::MAX as f64]);
    }

    #[test]
    fn few_values_have_a_step_each() {
        let samples = Sorted::new(vec![3.0, 1.0, 1.0, 1.0]);
        assert_eq!(steps(&samples), [(1.0, 75.0), (3.0, 100.0)]);
        assert_eq!(steps(&Sorted::new(vec![])), []);
    }
}
