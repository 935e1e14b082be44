// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tail percentiles, only where enough samples stand behind them.
//!
//! Above p99 lies one sample in a hundred; from a hundred samples it would be
//! one sample that decides. The rule is 100 samples beyond the
//! percentile, that is 100 times the reciprocal of the part beyond it: 10 000
//! for p99 and 100 000 for p99.9.

use super::Sorted;

/// A percentile in the tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// 99 % of the samples are at or below it.
    P99,
    /// 99.9 % of the samples are at or below it.
    P999,
}

/// A percentile was asked of too few samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not enough samples ({have} of {need})")]
pub struct NotEnough {
    /// How many there are.
    pub have: usize,
    /// How many it takes.
    pub need: usize,
}

impl Tail {
    /// Every percentile, from the body outwards.
    pub const ALL: [Tail; 2] = [Tail::P99, Tail::P999];

    /// `p99`, `p99.9`.
    pub fn name(self) -> &'static str {
        match self {
            Tail::P99 => "p99",
            Tail::P999 => "p99.9",
        }
    }

    /// How many samples it takes.
    pub fn need(self) -> usize {
        match self {
            Tail::P99 => 10_000,
            Tail::P999 => 100_000,
        }
    }

    /// The percentile, in the unit of the samples.
    ///
    /// # Errors
    /// [`NotEnough`] with fewer than [`Tail::need`] samples.
    pub fn of(self, samples: &Sorted) -> Result<f64, NotEnough> {
        let p = match self {
            Tail::P99 => 0.99,
            Tail::P999 => 0.999,
        };
        let (have, need) = (samples.len(), self.need());
        let value = samples.quantile(p).filter(|_| have >= need);
        value.ok_or(NotEnough { have, need })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_a_hundred_samples_beyond_it() {
        fn check(tail: Tail, n: usize, expected: Option<f64>) {
            let samples = Sorted::new((0..n).map(|i| i as f64).collect());
            let got = tail.of(&samples);
            let missing = NotEnough {
                have: n,
                need: tail.need(),
            };
            match expected {
                Some(value) => assert!((got.unwrap() - value).abs() < 1e-9),
                None => assert_eq!(got, Err(missing)),
            }
        }
        check(Tail::P99, 0, None);
        check(Tail::P99, 1, None);
        check(Tail::P99, 9_999, None);
        check(Tail::P99, 10_000, Some(9_899.01));
        check(Tail::P999, 10_000, None);
        check(Tail::P999, 99_999, None);
        check(Tail::P999, 100_000, Some(99_899.001));
    }

    #[test]
    fn says_what_it_would_take() {
        let few = NotEnough {
            have: 12,
            need: 10_000,
        };
        assert_eq!(few.to_string(), "not enough samples (12 of 10000)");
    }
}
