// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Intervals for quantiles that assume nothing of the distribution.
//!
//! Between which two of the values in order does the true quantile lie? How many
//! of n values are below it is binomial, whatever they are the values of (David &
//! Nagaraja, "Order Statistics", 3rd ed. 2003, section 7.1).

use super::{Interval, Sorted};
use statrs::distribution::{Binomial, DiscreteCDF};

/// The interval between two of `values` that contains their true quantile `p`
/// (0 to 1, exclusive) with a probability of `confidence` at least, each side
/// missing it with at most half of the rest. Values must be independent of each
/// other: blocks, or runs, and never the samples of one guest. `None` if there
/// are too few for any such interval.
pub fn quantile_interval(values: &Sorted, p: f64, confidence: f64) -> Option<Interval> {
    let n = values.len();
    let inside = |x: f64| 0.0 < x && x < 1.0;
    if !(inside(p) && inside(confidence)) {
        return None;
    }
    let below = Binomial::new(p, n as u64).ok()?;
    let side = (1.0 - confidence) / 2.0;
    // The quantile is below the k-th value (from 1) if fewer than k are below it.
    let low = (1..=n).rev().find(|&k| below.cdf(k as u64 - 1) <= side)?;
    let high = (1..=n).find(|&k| below.sf(k as u64 - 1) <= side)?;
    Some(Interval {
        low: values.values()[low - 1],
        high: values.values()[high - 1],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranks(n: usize, p: f64, confidence: f64) -> Option<(f64, f64)> {
        let values = Sorted::new((1..=n).map(|i| i as f64).collect());
        quantile_interval(&values, p, confidence).map(|i| (i.low, i.high))
    }

    /// Ranks of the median's interval as tables of the sign test have them (Conover,
    /// "Practical Nonparametric Statistics", table A3): the binomial with p = 1/2
    /// has 2.5 % at or below 0 for n = 6, 1 for n = 10, 3 for n = 15, 9 for n = 30.
    #[test]
    fn agrees_with_tables_of_the_sign_test() {
        assert_eq!(ranks(5, 0.5, 0.95), None);
        assert_eq!(ranks(6, 0.5, 0.95), Some((1.0, 6.0)));
        assert_eq!(ranks(10, 0.5, 0.95), Some((2.0, 9.0)));
        assert_eq!(ranks(15, 0.5, 0.95), Some((4.0, 12.0)));
        assert_eq!(ranks(30, 0.5, 0.95), Some((10.0, 21.0)));
    }

    /// The least n whose greatest value is above p90 with 97.5 %: 1 - 0.9ⁿ ≥ 0.975
    /// from n = 36 on.
    #[test]
    fn tails_take_their_number() {
        assert_eq!(ranks(35, 0.9, 0.95), None);
        assert_eq!(ranks(36, 0.9, 0.95).unwrap().1, 36.0);
        for (n, p, confidence) in [(0, 0.5, 0.9), (9, 0.0, 0.9), (9, 1.0, 0.9), (9, 0.5, 1.0)] {
            assert_eq!(ranks(n, p, confidence), None);
        }
        assert_eq!(ranks(9, f64::NAN, 0.9), None);
    }
}
