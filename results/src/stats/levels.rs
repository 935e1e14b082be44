// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The levels of a cache, from what an access costs over working sets of growing
//! size: how far each level reaches, and what a miss of it adds.
//!
//! The model: of `k` places in use, a level of `n` entries holds `n` at any time, so
//! that an access at random misses it with probability `1 - n/k` once `k` exceeds
//! `n`, and a miss adds `p`. A cost is the sum over the levels. Real TLBs are set-associative, evict
//! by something like the least recently used, and share entries with whatever else
//! runs; the `n` of the fit is the reach that such a TLB shows, not the number in a
//! data sheet, and lies below it by what others use.
//!
//! The fit: least squares of relative errors over the medians of the blocks, by trying
//! every reach on a grid of a sixteenth of an octave, two of them at least an octave
//! apart and all with two working sets beyond them, with the `p` that fit best
//! and are above 0. How many levels there are is chosen by Schwarz's criterion ("Estimating the
//! Dimension of a Model", 1978), of 0, 1 or 2. Intervals: the blocks are drawn anew
//! and the fit is made again, as for a median (see [`super::median_interval`]).

use super::{
    Interval, MIN_BLOCKS, Sorted, TAIL,
    bootstrap::{index, source},
    median,
};

/// How many times the blocks are drawn anew. Fewer than for a median: a reach lies on
/// a grid, which is the coarser limit.
const RESAMPLES: usize = 500;

/// Steps of the grid in an octave.
const STEPS: usize = 16;

/// One level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// How many places it holds.
    pub reach: f64,
    /// Whether that is the largest that these working sets can tell: it may be more, and
    /// the penalty with it.
    pub open: bool,
    /// The 95 % interval of that; `None` with too few blocks.
    pub reach_interval: Option<Interval>,
    /// What a miss adds to an access, in the unit of the costs.
    pub penalty: f64,
    /// The 95 % interval of that.
    pub penalty_interval: Option<Interval>,
}

/// The levels that `blocks` show, the smallest first: none, one or two. A block is the
/// cost of an access at each of `places`, which ascend; `base` is the cost of an access
/// that misses nothing, in the same unit: errors are relative to it and the cost together.
/// Nothing where there are fewer than four places or no blocks, or the numbers are not
/// finite.
pub fn levels(places: &[f64], blocks: &[Vec<f64>], base: f64, seed: u64) -> Vec<Level> {
    let whole = |b: &Vec<f64>| b.len() == places.len() && b.iter().all(|c| c.is_finite());
    let ascending = places.windows(2).all(|p| 0.0 < p[0] && p[0] < p[1]);
    let usable = base.is_finite() && base > 0.0 && places.len() >= 4 && ascending;
    if !usable || blocks.is_empty() || !blocks.iter().all(whole) {
        return Vec::new();
    }
    let costs = medians(blocks, &(0..blocks.len()).collect::<Vec<_>>());
    let grid = Grid::new(places, &costs, base);
    let fits = (0..=2).filter_map(|n| grid.fit(&costs, n));
    let best = fits.min_by(|a, b| grid.criterion(a).total_cmp(&grid.criterion(b)));
    let Some(best) = best else {
        return Vec::new();
    };
    let mut drawn: Vec<[Vec<f64>; 2]> = vec![Default::default(); best.levels.len()];
    if blocks.len() >= MIN_BLOCKS {
        let mut rng = source(seed);
        for _ in 0..RESAMPLES {
            let draw: Vec<_> = blocks
                .iter()
                .map(|_| index(&mut rng, blocks.len()))
                .collect();
            if let Some(fit) = grid.fit(&medians(blocks, &draw), best.levels.len()) {
                for (all, (reach, penalty)) in drawn.iter_mut().zip(fit.levels) {
                    all[0].push(reach);
                    all[1].push(penalty);
                }
            }
        }
    }
    let level = |((reach, penalty), drawn): ((f64, f64), [Vec<f64>; 2])| {
        let [reach_interval, penalty_interval] = drawn.map(interval);
        Level {
            reach,
            open: grid.reaches.last().is_some_and(|last| *last <= reach),
            reach_interval,
            penalty,
            penalty_interval,
        }
    };
    best.levels.into_iter().zip(drawn).map(level).collect()
}

/// The middle of what was drawn; `None` if nothing was.
fn interval(drawn: Vec<f64>) -> Option<Interval> {
    let drawn = Sorted::new(drawn);
    Some(Interval {
        low: drawn.quantile(TAIL)?,
        high: drawn.quantile(1.0 - TAIL)?,
    })
}

/// At each place the median over the blocks of `draw`.
fn medians(blocks: &[Vec<f64>], draw: &[usize]) -> Vec<f64> {
    let places = 0..blocks.first().map_or(0, Vec::len);
    let at =
        |place: usize| -> Vec<f64> { draw.iter().map(|block| blocks[*block][place]).collect() };
    places.filter_map(|place| median(&at(place))).collect()
}

/// A fit: reach and penalty of each level, and the squares that are left.
struct Fit {
    levels: Vec<(f64, f64)>,
    left: f64,
}

/// Every reach that is tried, and what a level of that reach misses at each place.
struct Grid {
    reaches: Vec<f64>,
    misses: Vec<Vec<f64>>,
    /// Weights of the places: one over the square of what an access costs in all.
    weights: Vec<f64>,
    /// Weighted products of the misses of two reaches.
    products: Vec<Vec<f64>>,
}

impl Grid {
    fn new(places: &[f64], costs: &[f64], base: f64) -> Self {
        // The last but one, so that reach and penalty can be told apart.
        let (least, most) = (places[0], places[places.len() - 2]);
        // No machine has 2⁶⁰ pages.
        let octaves = (most / least).log2().min(60.0);
        let steps = (STEPS as f64 * octaves).ceil() as usize;
        let reaches: Vec<f64> = (0..steps)
            .map(|i| least * (i as f64 / STEPS as f64).exp2())
            .collect();
        let misses = |reach: &f64| -> Vec<f64> {
            places.iter().map(|k| (1.0 - reach / k).max(0.0)).collect()
        };
        let misses: Vec<_> = reaches.iter().map(misses).collect();
        let weights: Vec<f64> = costs
            .iter()
            .map(|cost| (base + cost.max(0.0)).powi(-2))
            .collect();
        let row = |a: &Vec<f64>| misses.iter().map(|b| dot(&weights, a, b)).collect();
        let products = misses.iter().map(row).collect();
        Grid {
            reaches,
            misses,
            weights,
            products,
        }
    }

    /// The best fit of `n` levels (at most two) with penalties above 0; `None` if
    /// there is none.
    fn fit(&self, costs: &[f64], n: usize) -> Option<Fit> {
        let all = dot(&self.weights, costs, costs);
        let with: Vec<f64> = self
            .misses
            .iter()
            .map(|m| dot(&self.weights, m, costs))
            .collect();
        let indices = 0..self.reaches.len();
        let mut best: Option<(f64, Vec<(usize, f64)>)> = None;
        let mut keep = |left: f64, levels: Vec<(usize, f64)>| {
            let positive = levels.iter().all(|(_, p)| *p > 0.0);
            if positive && best.as_ref().is_none_or(|(least, _)| left < *least) {
                best = Some((left, levels));
            }
        };
        match n {
            0 => keep(all, Vec::new()),
            1 => {
                for i in indices {
                    let penalty = with[i] / self.products[i][i];
                    keep(all - penalty * with[i], vec![(i, penalty)]);
                }
            }
            _ => {
                for i in indices.clone() {
                    for j in indices.clone().skip(i + STEPS) {
                        let [a, b, c] = [(i, i), (i, j), (j, j)].map(|(x, y)| self.products[x][y]);
                        let whole = a * c - b * b;
                        if whole < a * c * 1e-9 {
                            continue;
                        }
                        let p = (with[i] * c - with[j] * b) / whole;
                        let q = (with[j] * a - with[i] * b) / whole;
                        if p > 0.0 && q > 0.0 {
                            keep(all - p * with[i] - q * with[j], vec![(i, p), (j, q)]);
                        }
                    }
                }
            }
        }
        let (left, levels) = best?;
        let level = |(i, penalty): (usize, f64)| (self.reaches[i], penalty);
        Some(Fit {
            levels: levels.into_iter().map(level).collect(),
            left,
        })
    }

    /// Schwarz's criterion; smaller is better. The floor is an error of 1 % at each
    /// place, below which a fit need not be improved.
    fn criterion(&self, fit: &Fit) -> f64 {
        let n = self.weights.len() as f64;
        let floor = n * 1e-4;
        n * (fit.left.max(floor) / n).ln() + 2.0 * fit.levels.len() as f64 * n.ln()
    }
}

fn dot(weights: &[f64], a: &[f64], b: &[f64]) -> f64 {
    let terms = weights.iter().zip(a).zip(b);
    terms.map(|((w, a), b)| w * a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [f64; 10] = [
        16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 16384.0,
    ];

    /// What the model itself costs, disturbed by so much in each block.
    fn blocks(levels: &[(f64, f64)], noise: f64) -> Vec<Vec<f64>> {
        let mut state = 1u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f64 / (1 << 24) as f64 - 0.5
        };
        let cost = |k: &f64| -> f64 {
            let terms = levels.iter().map(|(n, p)| p * (1.0 - n / k).max(0.0));
            terms.sum()
        };
        (0..15)
            .map(|_| PLACES.map(|k| cost(&k) + noise * random()).to_vec())
            .collect()
    }

    fn check(levels: &[(f64, f64)], noise: f64) {
        let found = super::levels(&PLACES, &blocks(levels, noise), 1.0, 1);
        assert_eq!(found.len(), levels.len(), "{levels:?}: {found:?}");
        for (level, (reach, penalty)) in found.iter().zip(levels) {
            let near = |a: f64, b: f64| (a / b).ln().abs() < 0.15;
            assert!(near(level.reach, *reach), "{levels:?}: {found:?}");
            assert!(near(level.penalty, *penalty), "{levels:?}: {found:?}");
            let (r, p) = (level.reach_interval, level.penalty_interval);
            assert!(r.is_some_and(|i| i.low <= level.reach && level.reach <= i.high));
            assert!(p.is_some_and(|i| i.low <= level.penalty && level.penalty <= i.high));
        }
    }

    #[test]
    fn finds_the_levels_that_made_the_costs() {
        check(&[], 0.02);
        check(&[(64.0, 7.0)], 0.0);
        check(&[(64.0, 7.0)], 0.3);
        check(&[(1500.0, 30.0)], 0.3);
        check(&[(64.0, 2.5), (1500.0, 40.0)], 0.0);
        check(&[(64.0, 2.5), (1500.0, 40.0)], 0.3);
        check(&[(96.0, 7.0), (2048.0, 25.0)], 0.3);
    }

    /// Of a level beyond the last working set but one, only that it is there is known.
    #[test]
    fn says_where_the_working_sets_end() {
        let open = |levels: &[(f64, f64)]| -> Vec<bool> {
            let found = super::levels(&PLACES, &blocks(levels, 0.1), 1.0, 1);
            found.iter().map(|level| level.open).collect()
        };
        assert_eq!(open(&[(64.0, 2.5), (1500.0, 40.0)]), [false, false]);
        assert_eq!(open(&[(64.0, 2.5), (9000.0, 40.0)]), [false, true]);
    }

    /// A machine twice as slow, and the same blocks in another order.
    #[test]
    fn unit_and_order_do_not_matter() {
        let costs = blocks(&[(64.0, 2.5), (1500.0, 40.0)], 0.3);
        let plain = levels(&PLACES, &costs, 1.0, 1);
        let scaled: Vec<Vec<f64>> = costs
            .iter()
            .map(|b| b.iter().map(|c| c * 2.0).collect())
            .collect();
        for (a, b) in plain.iter().zip(levels(&PLACES, &scaled, 2.0, 1)) {
            assert_eq!(a.reach, b.reach);
            assert!((b.penalty / a.penalty - 2.0).abs() < 1e-9);
        }
        let mut shuffled = costs;
        shuffled.reverse();
        for (a, b) in plain.iter().zip(levels(&PLACES, &shuffled, 1.0, 1)) {
            assert_eq!((a.reach, a.penalty), (b.reach, b.penalty));
        }
    }

    #[test]
    fn too_little_or_strange_data_has_no_levels() {
        let one = vec![vec![1.0; 10]];
        let none = |places: &[f64], blocks: &[Vec<f64>], base: f64| {
            assert_eq!(levels(places, blocks, base, 1), []);
        };
        none(&PLACES, &[], 1.0);
        none(&[], &[vec![]], 1.0);
        none(&PLACES[..3], &[vec![1.0; 3]], 1.0);
        none(&PLACES, &[vec![1.0; 9]], 1.0);
        none(&PLACES, &[vec![f64::NAN; 10]], 1.0);
        none(&PLACES, &one, 0.0);
        none(&PLACES, &one, f64::INFINITY);
        none(&[1.0, 1.0, 2.0, 3.0], &[vec![1.0; 4]], 1.0);
        none(&[0.0, 1.0, 2.0, 3.0], &[vec![1.0; 4]], 1.0);
    }

    #[test]
    fn few_blocks_have_levels_without_intervals() {
        let costs = blocks(&[(64.0, 7.0)], 0.0);
        let found = levels(&PLACES, &costs[..MIN_BLOCKS - 1], 1.0, 1);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].reach_interval, None);
    }
}
