// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How much more one arm costs than another, paired by block.
//!
//! The two arms of a block ran one after the other on the same machine, so what
//! disturbs a block disturbs both, and the ratio within the block is steadier
//! than either. The estimate is the median over blocks of ln(arm / base), taken
//! back by exp: in logs, twice as slow and twice as fast are equally far from
//! equal, and the order of the arms cannot change the conclusion.
//!
//! The median and not Hodges-Lehmann: it is the figure that a reader can find in
//! the raw data, it needs no symmetry, one block in two may be disturbed before
//! it moves without bound, and its bootstrap interval covers what it says at our
//! few blocks where that of Hodges-Lehmann falls short (see [`median_interval`]).
//! The price is an interval up to a fifth wider on well-behaved data.

use super::{Interval, MIN_BLOCKS, detectable_paired, median, median_interval, sign_flip};
use std::cmp::Ordering;

/// The ratio of two arms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// arm / base, without unit; 1 is equal. For an even number of pairs the
    /// geometric mean of the two middle ratios.
    pub value: f64,
    /// How well `value` is known.
    pub precision: Precision,
    /// How many blocks had both arms.
    pub pairs: usize,
    /// The chance of such a difference between equal arms, by sign flips, not
    /// corrected for other ratios; `None` where nothing is estimated, or from fewer
    /// than [`MIN_BLOCKS`] pairs.
    pub p: Option<f64>,
    /// The minimum detectable effect: the least true ratio that a test at [`LEVEL`]
    /// tells from 1 in four cases of five. `None` as `p`.
    pub detects: Option<f64>,
}

/// The level of a [`Ratio`]'s minimum detectable effect.
pub const LEVEL: f64 = 0.01;

/// How well a ratio is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Precision {
    /// To the last digit: both arms counted instructions and every block
    /// repeated the count. There is nothing to estimate.
    Exact,
    /// The 95 % interval of an estimate.
    Interval(Interval),
    /// An estimate from fewer than [`super::MIN_BLOCKS`] pairs.
    TooFew,
    /// An arm's instruction counts should have repeated and did not. That is a
    /// defect to be found, not noise to be averaged: no interval is given.
    NotDeterministic,
}

impl Precision {
    /// Of an estimate with this interval, or none for want of blocks.
    fn of(interval: Option<Interval>) -> Self {
        interval.map_or(Precision::TooFew, Precision::Interval)
    }
}

impl Ratio {
    /// How the arm may be said to differ from the base: `Greater` or `Less` if
    /// an exact ratio is not 1, or an interval excludes it; `Equal` where no
    /// difference was shown.
    pub fn verdict(&self) -> Ordering {
        match self.precision {
            Precision::Exact => self.value.total_cmp(&1.0),
            Precision::Interval(i) if i.low > 1.0 => Ordering::Greater,
            Precision::Interval(i) if i.high < 1.0 => Ordering::Less,
            Precision::Interval(_) | Precision::TooFew | Precision::NotDeterministic => {
                Ordering::Equal
            }
        }
    }

    /// Whether a difference may be spoken of.
    pub fn differs(&self) -> bool {
        self.verdict() != Ordering::Equal
    }
}

/// Why two arms have no ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    /// There is no block in which both arms were measured.
    #[error("no block has both arms")]
    NoPairs,
    /// One of the blocks is 0: a ratio against 0 does not exist, and one of 0
    /// has no logarithm.
    #[error("the median of a block is 0")]
    Zero,
}

/// The ratio of `(arm, base)` pairs, one pair a block, both in the same unit and
/// finite. `seed` decides the bootstrap, see [`median_interval`].
///
/// # Errors
/// [`Undefined`] if there are no pairs, or one of the values is not above 0.
pub fn paired_ratio(pairs: &[(f64, f64)], seed: u64) -> Result<Ratio, Undefined> {
    if pairs.iter().any(|&(arm, base)| arm <= 0.0 || base <= 0.0) {
        return Err(Undefined::Zero);
    }
    let logs: Vec<f64> = pairs.iter().map(|(arm, base)| (arm / base).ln()).collect();
    let value = median(&logs).ok_or(Undefined::NoPairs)?;
    let enough = logs.len() >= MIN_BLOCKS;
    let detects = detectable_paired(&logs, LEVEL).map(f64::exp);
    Ok(Ratio {
        value: value.exp(),
        precision: Precision::of(median_interval(&logs, seed).map(|i| i.map(f64::exp))),
        pairs: pairs.len(),
        p: enough.then(|| sign_flip(&logs)),
        detects: detects.filter(|_| enough),
    })
}

/// The ratio of two counts of instructions, one a block for each arm. Blocks of
/// a deterministic machine repeat; where they do the ratio is exact, however few
/// they are, and where they do not it says so.
///
/// # Errors
/// As [`paired_ratio`].
pub fn counted_ratio(pairs: &[(f64, f64)]) -> Result<Ratio, Undefined> {
    let &[first, ..] = pairs else {
        return Err(Undefined::NoPairs);
    };
    if pairs.iter().any(|&(arm, base)| arm <= 0.0 || base <= 0.0) {
        return Err(Undefined::Zero);
    }
    let (value, precision) = match pairs.iter().all(|pair| *pair == first) {
        true => (first.0 / first.1, Precision::Exact),
        false => {
            let ratios: Vec<f64> = pairs.iter().map(|(arm, base)| arm / base).collect();
            let middle = median(&ratios).ok_or(Undefined::NoPairs)?;
            (middle, Precision::NotDeterministic)
        }
    };
    Ok(Ratio {
        value,
        precision,
        pairs: pairs.len(),
        p: None,
        detects: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM: [f64; 9] = [110.0, 118.0, 131.0, 99.0, 127.0, 140.0, 111.0, 122.0, 125.0];
    const BASE: [f64; 9] = [100.0, 101.0, 120.0, 98.0, 115.0, 119.0, 104.0, 103.0, 118.0];

    fn pairs() -> Vec<(f64, f64)> {
        ARM.into_iter().zip(BASE).collect()
    }

    fn close(a: f64, b: f64) -> bool {
        (a / b - 1.0).abs() < 1e-12
    }

    fn interval(ratio: &Ratio) -> Interval {
        match ratio.precision {
            Precision::Interval(interval) => interval,
            other => panic!("{other:?}"),
        }
    }

    fn same(a: &Ratio, b: &Ratio) -> bool {
        let (x, y) = (interval(a), interval(b));
        close(a.value, b.value) && close(x.low, y.low) && close(x.high, y.high)
    }

    /// The nine ratios in order, by hand: 1.0102 1.0593 1.0673 1.0917 1.1000
    /// 1.1043 1.1683 1.1765 1.1845.
    #[test]
    fn is_the_middle_of_the_block_ratios() {
        let ratio = paired_ratio(&pairs(), 7).unwrap();
        assert!(close(ratio.value, 1.1), "{ratio:?}");
        assert_eq!(ratio.pairs, 9);
        let i = interval(&ratio);
        assert!(i.low < ratio.value && ratio.value < i.high && ratio.differs());
        // All nine are above 1: 2 of 2⁹ patterns of signs.
        assert_eq!(ratio.p, Some(2.0 / 512.0));
        assert!((1.05..1.15).contains(&ratio.detects.unwrap()), "{ratio:?}");
    }

    #[test]
    fn an_even_number_takes_the_geometric_mean_of_the_middle() {
        let ratio = paired_ratio(&[(2.0, 1.0), (8.0, 1.0)], 7).unwrap();
        assert!(close(ratio.value, 4.0), "{ratio:?}");
    }

    #[test]
    fn common_scale_order_and_unit_do_not_matter() {
        let plain = paired_ratio(&pairs(), 7).unwrap();
        // A machine twice as slow, or microseconds for nanoseconds.
        let scaled: Vec<_> = pairs().iter().map(|(a, b)| (a * 1e-3, b * 1e-3)).collect();
        assert!(same(&plain, &paired_ratio(&scaled, 7).unwrap()));
        // Each block disturbed by its own factor, both arms alike.
        let each = (1..)
            .zip(pairs())
            .map(|(i, (a, b))| (a * f64::from(i), b * f64::from(i)));
        assert!(same(
            &plain,
            &paired_ratio(&each.collect::<Vec<_>>(), 7).unwrap()
        ));
        let mut shuffled = pairs();
        shuffled.reverse();
        shuffled.rotate_left(4);
        assert!(same(&plain, &paired_ratio(&shuffled, 7).unwrap()));
    }

    #[test]
    fn scales_with_the_arm_and_inverts_with_the_roles() {
        let plain = paired_ratio(&pairs(), 7).unwrap();
        let doubled: Vec<_> = pairs().iter().map(|(a, b)| (a * 2.0, *b)).collect();
        assert!(close(
            paired_ratio(&doubled, 7).unwrap().value,
            plain.value * 2.0
        ));
        let swapped: Vec<_> = pairs().iter().map(|(a, b)| (*b, *a)).collect();
        assert!(close(
            paired_ratio(&swapped, 7).unwrap().value,
            1.0 / plain.value
        ));
    }

    #[test]
    fn says_why_there_is_none() {
        fn check(pairs: &[(f64, f64)], expected: Undefined) {
            assert_eq!(paired_ratio(pairs, 7), Err(expected), "{pairs:?}");
        }
        check(&[], Undefined::NoPairs);
        check(&[(5.0, 0.0)], Undefined::Zero);
        check(&[(0.0, 5.0)], Undefined::Zero);
        check(&[(1.0, 1.0), (0.0, 0.0)], Undefined::Zero);
    }

    #[test]
    fn few_or_equal_blocks() {
        for n in [1, 2] {
            let ratio = paired_ratio(&[(3.0, 2.0)].repeat(n), 7).unwrap();
            assert!(close(ratio.value, 1.5));
            assert_eq!(ratio.precision, Precision::TooFew);
            assert_eq!((ratio.p, ratio.detects), (None, None));
            assert!(!ratio.differs());
        }
        let equal = paired_ratio(&[(4858.0, 4858.0)].repeat(15), 7).unwrap();
        let expected = Interval {
            low: 1.0,
            high: 1.0,
        };
        assert_eq!((equal.value, interval(&equal)), (1.0, expected));
        assert!(!equal.differs());
        let exact = paired_ratio(&[(9867.0, 4858.0)].repeat(15), 7).unwrap();
        assert!(exact.differs());
    }

    #[test]
    fn counts_are_exact_or_not_deterministic() {
        fn check(pairs: &[(f64, f64)], value: f64, precision: Precision, verdict: Ordering) {
            let ratio = counted_ratio(pairs).unwrap();
            assert_eq!((ratio.value, ratio.precision), (value, precision));
            assert_eq!((ratio.verdict(), ratio.pairs), (verdict, pairs.len()));
        }
        use Ordering::{Equal, Greater, Less};
        for n in [1, 2, 50] {
            check(&[(3.0, 2.0)].repeat(n), 1.5, Precision::Exact, Greater);
            check(&[(2.0, 4.0)].repeat(n), 0.5, Precision::Exact, Less);
            check(&[(7.0, 7.0)].repeat(n), 1.0, Precision::Exact, Equal);
        }
        // One instruction in 4 503 599 627 370 496 is a difference.
        let most = 2_f64.powi(52);
        let ratio = counted_ratio(&[(most + 1.0, most)]).unwrap();
        assert_eq!(ratio.verdict(), Greater);
        let moved = [(3.0, 1.0), (3.0, 1.0), (4.0, 1.0)];
        check(&moved, 3.0, Precision::NotDeterministic, Equal);
        let base_moved = [(3.0, 1.0), (3.0, 1.5)];
        check(&base_moved, 2.5, Precision::NotDeterministic, Equal);
        assert_eq!(counted_ratio(&[]), Err(Undefined::NoPairs));
        assert_eq!(counted_ratio(&[(1.0, 0.0)]), Err(Undefined::Zero));
    }

    #[test]
    fn extremes_stay_finite() {
        let top = u64::MAX as f64;
        for pair in [(top, 1.0), (1.0, top), (top, top)] {
            let ratio = paired_ratio(&[pair].repeat(15), 7).unwrap();
            assert!(ratio.value.is_finite() && ratio.value > 0.0);
        }
    }
}
