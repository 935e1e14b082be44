// SPDX-License-Identifier: Apache-2.0 OR MIT
//! 95 % intervals by resampling blocks.
//!
//! The percentile bootstrap (Efron & Tibshirani, "An Introduction to the
//! Bootstrap", 1993, ch. 13): draw as many blocks as there are, with
//! replacement; take the median; do it [`RESAMPLES`] times; the interval runs
//! between two quantiles of those medians. Medians of resamples fall on few
//! distinct values, and for n = 15, the size of a quick run, the nominal 2.5 %
//! lies just between two of them (2.55 % are at or below the fourth block, by
//! Efron's closed form), so that the seed alone would decide between an interval
//! that covers 96.5 % and one that covers 88 %. Hence [`TAIL`]: the nominal 2.5 %
//! less two standard errors of 4 000 draws, which takes the wider one.
//!
//! Coverage of the true median measured by simulation (3 000 data sets, normal
//! and log-normal): n = 5: 94 %, 15: 96 %, 30: 96 %, 50: 95-96 %; sizes that no
//! profile uses come to 92-96 %, worst 88 % at n = 7. The Hodges-Lehmann
//! estimator in the same simulation: n = 5: 87 %, 15: 93 %, 30: 93-95 %.
//!
//! The same values and the same seed give the same interval on every machine:
//! ChaCha8's stream is fixed, indices are drawn from it by our own arithmetic,
//! and the blocks are sorted first so that their order does not matter.

use super::quantile::Sorted;
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use std::{cell::RefCell, collections::BTreeMap, iter, rc::Rc};

/// How many times the blocks are drawn anew. The ends of the interval are order
/// statistics of at most some 50 blocks, which 4 000 draws pin down.
pub const RESAMPLES: usize = 4_000;

/// The part of the resampled medians left out at either end:
/// 0.025 - 2·√(0.025·0.975/4000), rounded to 0.02.
pub const TAIL: f64 = 0.02;

/// The fewest blocks that get an interval. The widest interval that n blocks
/// can give, their whole range, covers their median with probability
/// 1 - 2/2ⁿ: 87.5 % for n = 4 and 93.75 % for n = 5. Fewer than 5 must not be
/// called 95 %.
pub const MIN_BLOCKS: usize = 5;

/// A closed interval, in the unit of what it is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end, never below `low`.
    pub high: f64,
}

impl Interval {
    /// Whether `x` lies outside. An interval that ends in `x` contains it.
    pub fn excludes(self, x: f64) -> bool {
        x < self.low || self.high < x
    }

    /// Both ends through a function that must not decrease.
    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Interval {
            low: f(self.low),
            high: f(self.high),
        }
    }
}

/// A 95 % interval for the median of `blocks`, one value a block, in their unit.
/// `None` with fewer than [`MIN_BLOCKS`]. Of zero width if all are equal.
pub fn median_interval(blocks: &[f64], seed: u64) -> Option<Interval> {
    if blocks.len() < MIN_BLOCKS {
        return None;
    }
    let blocks = Sorted::new(blocks.to_vec());
    let (least, greatest) = (*blocks.values().first()?, *blocks.values().last()?);
    if least == greatest {
        return Some(Interval {
            low: least,
            high: greatest,
        });
    }
    let values = blocks.values();
    let medians = draws(values.len(), seed);
    let medians = medians.iter().flat_map(|&((lower, upper), times)| {
        let median = values[lower] + (values[upper] - values[lower]) / 2.0;
        iter::repeat_n(median, times)
    });
    let medians = Sorted::new(medians.collect());
    Some(Interval {
        low: medians.quantile(TAIL)?,
        high: medians.quantile(1.0 - TAIL)?,
    })
}

/// Between which two of `n` sorted blocks the medians of all draws lie, and how many
/// of them: two ranks that are equal unless `n` is even.
type Draws = Rc<[((usize, usize), usize)]>;

/// How many sizes and seeds are remembered.
const REMEMBERED: usize = 64;

/// The draws depend on the number of blocks and the seed alone, which thousands of
/// intervals of one report share: remembered, a report takes half the time.
fn draws(n: usize, seed: u64) -> Draws {
    thread_local! {
        static KNOWN: RefCell<BTreeMap<(usize, u64), Draws>> = const { RefCell::new(BTreeMap::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= REMEMBERED && !known.contains_key(&(n, seed)) {
            known.clear();
        }
        Rc::clone(known.entry((n, seed)).or_insert_with(|| draw(n, seed)))
    })
}

fn draw(n: usize, seed: u64) -> Draws {
    let mut rng = source(seed);
    let mut drawn = vec![0; n];
    let mut found: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for _ in 0..RESAMPLES {
        *found
            .entry(median_of_draw(&mut rng, &mut drawn))
            .or_default() += 1;
    }
    found.into_iter().collect()
}

/// The ranks on both sides of the median of as many draws from sorted blocks as there
/// are. Counting how often each was `drawn` finds them without sorting the draws.
fn median_of_draw(rng: &mut ChaCha8Rng, drawn: &mut [usize]) -> (usize, usize) {
    let n = drawn.len();
    drawn.fill(0);
    for _ in 0..n {
        drawn[index(rng, n)] += 1;
    }
    // The block of the draw that has `rank` draws before it.
    let at = |rank: usize| {
        let mut seen = 0;
        let found = drawn.iter().position(|times| {
            seen += times;
            seen > rank
        });
        found.unwrap_or(n - 1)
    };
    (at((n - 1) / 2), at(n / 2))
}

/// The random numbers of `seed`.
pub(super) fn source(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A number below `n`, by multiply and shift (Lemire, "Fast Random Integer
/// Generation in an Interval", 2019, without the rejection: the bias is below
/// n/2⁶⁴). Not `rand`'s own, whose algorithm may change between releases.
pub(super) fn index(rng: &mut ChaCha8Rng, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_blocks_have_no_interval() {
        for n in 0..MIN_BLOCKS {
            let blocks: Vec<f64> = (0..n).map(|i| i as f64).collect();
            assert_eq!(median_interval(&blocks, 1), None, "{n}");
        }
    }

    #[test]
    fn equal_blocks_have_a_width_of_zero() {
        let interval = median_interval(&[4858.0; 15], 1).unwrap();
        assert_eq!((interval.low, interval.high), (4858.0, 4858.0));
        assert!(!interval.excludes(4858.0));
        assert!(interval.excludes(4858.5));
    }

    /// The bootstrap distribution of an odd number's median is known exactly:
    /// P(median* ≤ x(k)) = P(Bin(n, k/n) ≥ (n+1)/2) (Efron 1979). For n = 15 it
    /// is 0.0042 at k = 3 and 0.0255 at k = 4, so 2 % falls on x(4), and by
    /// symmetry 98 % on x(12).
    #[test]
    fn ends_are_the_order_statistics_that_theory_names() {
        let blocks: Vec<f64> = (1..=15).map(f64::from).collect();
        for seed in 0..20 {
            let interval = median_interval(&blocks, seed).unwrap();
            assert_eq!((interval.low, interval.high), (4.0, 12.0), "seed {seed}");
        }
    }

    #[test]
    fn order_does_not_matter_and_the_seed_decides() {
        let blocks: Vec<f64> = (0..16).map(|i| f64::from(i * i * 7 % 61)).collect();
        let mut shuffled = blocks.clone();
        shuffled.reverse();
        shuffled.rotate_left(5);
        let interval = median_interval(&blocks, 9);
        assert_eq!(interval, median_interval(&shuffled, 9));
        assert_eq!(interval, median_interval(&blocks, 9));
    }

    #[test]
    fn interval_shifts_and_scales_with_the_data() {
        let blocks: Vec<f64> = (0..15).map(|i| f64::from(i * i * 7 % 61)).collect();
        let of = |f: &dyn Fn(f64) -> f64| {
            let moved: Vec<f64> = blocks.iter().map(|&b| f(b)).collect();
            median_interval(&moved, 3).unwrap()
        };
        let plain = of(&|b| b);
        assert_eq!(of(&|b| b + 1024.0), plain.map(|b| b + 1024.0));
        assert_eq!(of(&|b| b * 16.0), plain.map(|b| b * 16.0));
    }
}
