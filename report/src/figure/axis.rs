// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An axis that plotters cannot get lost on: both ends finite, the second above
//! the first, and at most a dozen ticks, placed at 1, 2 and 5 times a power of ten
//! or at values that were tried.

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use std::ops::Range;

/// Beyond this nothing is a sample, and sums of two values might overflow.
const MOST: f64 = 1e30;

/// More ticks than this are not drawn.
const MOST_TICKS: usize = 12;

/// The percentiles that get a tick.
const PERCENTILES: [f64; 8] = [0.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 99.999];

/// Ticks of values that were tried stand at least this part of the axis apart, so that
/// their labels do not run into each other.
const APART: f64 = 0.07;

/// How values are laid out along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Linear,
    Log,
    /// Percent, each step a tenth of what was left.
    Tail,
}

/// An axis with its own ticks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    kind: Kind,
    ticks: Vec<f64>,
}

impl Axis {
    /// From `low` to `high` in equal steps. Ends that are not finite or not in
    /// order are mended: there is always something to draw on.
    pub(crate) fn linear(low: f64, high: f64) -> Self {
        let (low, high) = ends(low, high);
        Axis {
            ticks: linear_ticks(low, high),
            kind: Kind::Linear,
            low,
            high,
        }
    }

    /// From 0 to a little above `high`.
    pub(crate) fn from_zero(high: f64) -> Self {
        let high = if (0.0..MOST).contains(&high) && high > 0.0 {
            high
        } else {
            1.0
        };
        Axis::linear(0.0, high * 1.05)
    }

    /// Spanning `values`: logarithmic if the greatest is over 8 times the least,
    /// linear otherwise. Values that are not above 0 are passed over.
    pub(crate) fn spanning(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extremes(values);
        if !low.is_finite() || high <= low * 8.0 {
            let room = (high - low) * 0.06;
            return Axis::linear(low - room, high + room);
        }
        Axis::log(low / 1.15, high * 1.15)
    }

    /// For costs: from 0, so that heights can be compared, unless the greatest is over
    /// 20 times the least; then logarithmic.
    pub(crate) fn costs(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extremes(values);
        match low.is_finite() && high > low * 20.0 {
            true => Axis::log(low / 1.15, high * 1.15),
            false => Axis::from_zero(high),
        }
    }

    /// For the numbers that a parameter had: as [`Axis::spanning`], with its ticks at
    /// `values` themselves. With 0 among them it is linear.
    pub(crate) fn tried(values: &[f64]) -> Self {
        let mut values: Vec<f64> = values.iter().copied().filter(|v| v.abs() < MOST).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let (first, last) = (values.first().copied(), values.last().copied());
        let mut axis = match (first, last) {
            (Some(low), Some(high)) if low <= 0.0 => {
                let room = (high - low) * 0.06;
                Axis::linear(low - room, high + room)
            }
            _ => Axis::spanning(values.iter().copied()),
        };
        let mut ticks: Vec<f64> = Vec::new();
        for value in values {
            let free = |last: &f64| axis.place(value) - axis.place(*last) >= APART;
            if ticks.last().is_none_or(free) {
                ticks.push(value);
            }
        }
        ticks.truncate(MOST_TICKS);
        axis.ticks = ticks;
        axis
    }

    /// For ratios: logarithmic, with 1 on it. Ratios that are not above 0 are passed
    /// over.
    pub(crate) fn ratios(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extremes(values.into_iter().chain([0.98, 1.02]));
        let room = (high / low).powf(0.04);
        let (low, high) = (low / room, high * room);
        let ticks = match high > low * 6.0 {
            true => log_ticks(low, high),
            false => linear_ticks(low, high),
        };
        Axis {
            ticks,
            ..Axis::log(low, high)
        }
    }

    /// For percentiles from 0 to `end`, in percent: each step to the right is a tenth
    /// of what was left.
    pub(crate) fn tail(end: f64) -> Self {
        let high = if (1.0..100.0).contains(&end) {
            end
        } else {
            50.0
        };
        let ticks = PERCENTILES.into_iter().filter(|tick| *tick <= high);
        Axis {
            ticks: ticks.collect(),
            kind: Kind::Tail,
            low: 0.0,
            high,
        }
    }

    fn log(low: f64, high: f64) -> Self {
        Axis {
            ticks: log_ticks(low, high),
            kind: Kind::Log,
            low,
            high,
        }
    }

    /// Of given ticks, for a scale that the caller has made linear.
    pub(crate) fn ticked(low: f64, high: f64, ticks: Vec<f64>) -> Self {
        let (low, high) = ends(low, high);
        Axis {
            ticks,
            kind: Kind::Linear,
            low,
            high,
        }
    }

    /// The value a fraction `t` (0 to 1) of the way along.
    pub(crate) fn at(&self, t: f64) -> f64 {
        match self.kind {
            Kind::Linear => self.low + (self.high - self.low) * t,
            Kind::Log => self.low * (self.high / self.low).powf(t),
            Kind::Tail => 100.0 - 100.0 * 10_f64.powf(-depth(self.high) * t),
        }
    }

    /// How far along `value` lies, kept between 0 and 1.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let t = match self.kind {
            Kind::Linear => (value - self.low) / (self.high - self.low),
            Kind::Log => (value.max(self.low) / self.low).ln() / (self.high / self.low).ln(),
            Kind::Tail => depth(value.min(self.high)) / depth(self.high),
        };
        if t.is_finite() {
            t.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Whether values are percentiles.
    pub(crate) fn is_tail(&self) -> bool {
        self.kind == Kind::Tail
    }
}

/// How many tenfold steps the percentile `p` lies from the beginning.
fn depth(p: f64) -> f64 {
    2.0 - (100.0 - p).log10()
}

/// The least and the greatest of the values that an axis can show and that are above 0,
/// so far from it that their ratio is finite; infinity and 0 if there are none.
fn extremes(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let usable = values
        .into_iter()
        .filter(|v| (1.0 / MOST..MOST).contains(v));
    usable.fold((f64::INFINITY, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)))
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + (f64::from(to - from) * self.place(*value)).round() as i32
    }

    /// The same ticks whatever the hint, and none for the light grid.
    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.ticks.clone(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

/// Finite ends in order, at least a millionth of their size apart.
fn ends(low: f64, high: f64) -> (f64, f64) {
    if [low, high].iter().any(|v| !v.is_finite() || v.abs() > MOST) {
        return (0.0, 1.0);
    }
    let size = low.abs().max(high.abs());
    if high - low > size * 1e-6 {
        return (low, high);
    }
    let room = if size > 0.0 { size * 0.05 } else { 1.0 };
    (low - room, low + room)
}

fn linear_ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 6.0;
    let power = 10_f64.powf(rough.log10().floor());
    let nice = [1.0, 2.0, 5.0, 10.0].map(|m| m * power);
    let step = nice.into_iter().find(|s| *s >= rough).unwrap_or(rough);
    let first = (low / step).ceil();
    let ticks = (0..MOST_TICKS).map(|i| (first + i as f64) * step);
    ticks.take_while(|t| *t <= high).collect()
}

fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let decades = (high / low).log10();
    let steps: &[f64] = if decades > 3.0 {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let first = low.log10().floor() as i32;
    let last = high.log10().ceil() as i32;
    let powers = (first..=last).flat_map(|p| steps.iter().map(move |s| s * 10_f64.powi(p)));
    let ticks: Vec<f64> = powers.filter(|t| (low..=high).contains(t)).collect();
    let every = ticks.len().div_ceil(MOST_TICKS).max(1);
    ticks.into_iter().step_by(every).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every value that a record could bring an axis to.
    const HOSTILE: [f64; 9] = [
        0.0,
        1.0,
        -1.0,
        1e-300,
        u64::MAX as f64,
        f64::MAX,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];

    #[test]
    fn is_finite_and_not_empty_whatever_the_values() {
        for a in HOSTILE {
            for b in HOSTILE {
                for axis in [
                    Axis::linear(a, b),
                    Axis::spanning([a, b]),
                    Axis::from_zero(a),
                    Axis::ticked(a, b, vec![]),
                    Axis::costs([a, b]),
                    Axis::tried(&[a, b]),
                    Axis::ratios([a, b]),
                    Axis::tail(a),
                ] {
                    let Axis { low, high, .. } = axis;
                    assert!(
                        low.is_finite() && high.is_finite() && low < high,
                        "{a} {b} {axis:?}"
                    );
                    assert!(
                        axis.key_points(plotters::coord::ranged1d::BoldPoints(5))
                            .len()
                            <= MOST_TICKS
                    );
                    for v in HOSTILE {
                        assert!((0..=100).contains(&axis.map(&v, (0, 100))), "{a} {b} {v}");
                    }
                }
            }
        }
    }

    #[test]
    fn ticks_are_round() {
        fn check(axis: Axis, expected: &[f64]) {
            assert_eq!(axis.ticks, expected);
        }
        check(Axis::linear(0.0, 6.0), &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        check(
            Axis::linear(72_300.0, 75_100.0),
            &[72_500.0, 73_000.0, 73_500.0, 74_000.0, 74_500.0, 75_000.0],
        );
        check(
            Axis::spanning([10.0, 300.0]),
            &[10.0, 20.0, 50.0, 100.0, 200.0],
        );
        check(Axis::spanning([]), &Axis::linear(0.0, 1.0).ticks);
        check(Axis::tail(99.9), &[0.0, 50.0, 75.0, 90.0, 99.0, 99.9]);
        check(Axis::ratios([]), &[0.98, 0.99, 1.0, 1.01, 1.02]);
        check(
            Axis::ratios([0.04, 12.0]),
            &[0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0],
        );
    }

    #[test]
    fn numbers_that_were_tried_have_the_ticks() {
        fn check(tried: &[f64], expected: &[f64]) {
            assert_eq!(Axis::tried(tried).ticks, expected);
        }
        check(&[8.0, 1.0, 2.0, 4.0, 2.0], &[1.0, 2.0, 4.0, 8.0]);
        check(&[64.0, 256.0, 1024.0], &[64.0, 256.0, 1024.0]);
        check(&[0.0, 100.0, 101.0], &[0.0, 100.0]);
        check(&[f64::NAN, 3.0], &[3.0]);
        assert!(
            Axis::tried(&(1..=1000).map(f64::from).collect::<Vec<_>>())
                .ticks
                .len()
                <= 12
        );
    }

    #[test]
    fn place_and_at_are_inverse() {
        for axis in [
            Axis::linear(3.0, 9.0),
            Axis::spanning([3.0, 9000.0]),
            Axis::tail(99.99),
        ] {
            for t in [0.0, 0.25, 1.0] {
                assert!((axis.place(axis.at(t)) - t).abs() < 1e-9);
            }
        }
    }
}
