// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How likely a difference is by chance alone, by permutation.
//!
//! Two tests, both two-sided. [`sign_flip`] is for pairs: if the arms of a block
//! are the same, each difference may as well have the other sign. [`rank_sum`] is
//! for two separate runs, whose blocks are not pairs: if the runs are the same,
//! each block may as well belong to the other one.
//!
//! The statistic is a sum of ranks in both, which makes them Wilcoxon's two tests
//! ("Individual Comparisons by Ranking Methods", Biometrics Bulletin 1, 1945).
//! Block figures have outliers (one block in fifteen of a noisy machine is off by
//! half), and with sums of the values themselves one such block hides any
//! difference. Sums of ranks are also whole numbers, so that the distribution over
//! *all* permutations is counted, term by term: there is no seed, no error of
//! sampling, and no least p-value that draws could reach. Beyond [`EXACT_MAX`]
//! values, more than any profile has blocks, the normal approximation with its
//! corrections for ties and continuity is used.

use super::rank::{doubled_midranks, ties};
use statrs::distribution::{ContinuousCDF, Normal};

/// The most values, of both sides together, whose permutations are counted.
pub const EXACT_MAX: usize = 120;

/// The probability that differences with these magnitudes and signs at random are
/// as lopsided as `differences`, one a block. Signs flip in all 2ⁿ ways. Blocks
/// without a difference have a rank but no sign (Pratt 1959). 1 if there are none.
pub fn sign_flip(differences: &[f64]) -> f64 {
    let magnitudes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
    let ranks = doubled_midranks(&magnitudes);
    let signed = || ranks.iter().zip(differences).filter(|(_, d)| **d != 0.0);
    let total: usize = signed().map(|(rank, _)| rank).sum();
    let positive: usize = signed()
        .filter(|(_, d)| **d > 0.0)
        .map(|(rank, _)| rank)
        .sum();
    let least = positive.min(total - positive);
    if differences.len() > EXACT_MAX {
        let mean = total as f64 / 2.0;
        let variance: f64 = signed().map(|(rank, _)| (rank * rank) as f64 / 4.0).sum();
        return beyond(mean - least as f64, variance);
    }
    // chance[s]: that the positive ranks sum to s, as far as s is of interest.
    let mut chance = vec![0.0; least + 1];
    chance[0] = 1.0;
    for (&rank, _) in signed() {
        for sum in (0..=least).rev() {
            let with = sum.checked_sub(rank).map_or(0.0, |without| chance[without]);
            chance[sum] = (chance[sum] + with) / 2.0;
        }
    }
    // Each tail is as likely as the other, as every sign is.
    (2.0 * chance.iter().sum::<f64>()).min(1.0)
}

/// The probability that the values of `a` and `b`, dealt out at random to sides of
/// these sizes, come out as far apart as they did. 1 if a side has none.
pub fn rank_sum(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() + b.len();
    if a.is_empty() || b.is_empty() {
        return 1.0;
    }
    let all = [a, b].concat();
    let ranks = doubled_midranks(&all);
    let sum: usize = ranks[..a.len()].iter().sum();
    // Doubled ranks have the mean n + 1.
    let mean = a.len() * (n + 1);
    let distance = sum.abs_diff(mean);
    if distance == 0 {
        return 1.0;
    }
    if n > EXACT_MAX {
        let (x, y, n) = (a.len() as f64, b.len() as f64, n as f64);
        let tied: f64 = ties(&all).iter().map(|&t| (t * t * t - t) as f64).sum();
        // Four times that of plain ranks.
        let variance = x * y / 3.0 * ((n + 1.0) - tied / (n * (n - 1.0)));
        return beyond(distance as f64, variance);
    }
    let least = mean - distance;
    let mirrored: Vec<usize> = ranks.iter().map(|rank| 2 * (n + 1) - rank).collect();
    let tails = [&ranks, &mirrored].map(|ranks| up_to(ranks, a.len(), least));
    (tails[0] + tails[1]).min(1.0)
}

/// The part of all choices of `size` of `ranks` whose sum is at most `least`.
fn up_to(ranks: &[usize], size: usize, least: usize) -> f64 {
    // ways[k][s]: how many choices of k ranks sum to s. At most C(120, 60), 1e35:
    // a float holds that to 16 digits.
    let width = least + 1;
    let mut ways = vec![0.0; (size + 1) * width];
    ways[0] = 1.0;
    let mut all = vec![0.0; size + 1];
    all[0] = 1.0;
    for &rank in ranks {
        for k in (1..=size).rev() {
            all[k] += all[k - 1];
            if rank > least {
                continue;
            }
            let (fewer, these) = ways.split_at_mut(k * width);
            let fewer = &fewer[(k - 1) * width..];
            for (to, from) in these[rank..width].iter_mut().zip(fewer) {
                *to += from;
            }
        }
    }
    ways[size * width..].iter().sum::<f64>() / all[size]
}

/// The chance of a normal sum, of doubled ranks, to be `distance` from its mean or
/// farther, to either side.
fn beyond(distance: f64, variance: f64) -> f64 {
    if variance <= 0.0 {
        return 1.0;
    }
    // Sums of plain ranks are whole: half a step, which is 1 in doubled ones.
    let z = (distance - 1.0).max(0.0) / variance.sqrt();
    (2.0 * Normal::standard().sf(z)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64) {
        assert!(
            (got / expected - 1.0).abs() < 1e-9,
            "{got}, expected {expected}"
        );
    }

    /// Against every one of the 2ⁿ sign patterns, added up one by one.
    #[test]
    fn sign_flip_counts_all_patterns() {
        let sets: [&[f64]; 5] = [
            &[1.0],
            &[0.5, -0.25, 3.0, 1.0],
            &[0.0, 2.0, 2.0, -2.0, 5.0, 0.0],
            &[0.11, 0.16, -0.04, 0.2, 0.07, 0.07, -0.3, 0.01, 0.09, 0.12],
            &[
                1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, -12.0,
            ],
        ];
        for set in sets {
            let magnitudes: Vec<f64> = set.iter().map(|x| x.abs()).collect();
            let ranks = doubled_midranks(&magnitudes);
            let statistic = |sign: &dyn Fn(usize) -> f64| {
                let terms = ranks.iter().enumerate();
                terms.map(|(i, &r)| sign(i) * r as f64).sum::<f64>().abs()
            };
            let zero = |i: usize| set[i] == 0.0;
            let seen = statistic(&|i| if zero(i) { 0.0 } else { set[i].signum() });
            let flipped = (0..1_u32 << set.len()).filter(|bits| {
                statistic(&|i| match (zero(i), bits >> i & 1) {
                    (true, _) => 0.0,
                    (false, 0) => 1.0,
                    (false, _) => -1.0,
                }) >= seen
            });
            let expected = flipped.count() as f64 / f64::from(1_u32 << set.len());
            close(sign_flip(set), expected);
        }
    }

    /// Wilcoxon's table for n = 10: a rank sum of 8 or less, one-sided, has 25 of
    /// the 1024 patterns; 15 pairs all of one sign have 2 of 32 768.
    #[test]
    fn sign_flip_agrees_with_the_published_table() {
        // Negative ranks 3 and 5.
        let ten = [1.0, 2.0, -3.0, 4.0, -5.0, 6.0, 7.0, 8.0, 9.0, 10.0];
        close(sign_flip(&ten), 2.0 * 25.0 / 1024.0);
        let fifteen: Vec<f64> = (1..=15).map(f64::from).collect();
        close(sign_flip(&fifteen), 2.0 / 32_768.0);
        close(sign_flip(&[0.1; 15]), 2.0 / 32_768.0);
    }

    /// Two sides without overlap: 2 of C(n, k) ways. Mann and Whitney's table
    /// ("On a Test of Whether one of Two Random Variables is Stochastically Larger
    /// than the Other", 1947) for 4 and 4: U ≤ 1 has probability 0.029, 2 in 70.
    #[test]
    fn rank_sum_agrees_with_the_published_table() {
        close(
            rank_sum(&[1.0, 2.0, 3.0, 5.0], &[4.0, 6.0, 7.0, 8.0]),
            2.0 * 2.0 / 70.0,
        );
        close(
            rank_sum(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0]),
            2.0 / 70.0,
        );
        let low: Vec<f64> = (0..15).map(f64::from).collect();
        let high: Vec<f64> = (15..30).map(f64::from).collect();
        close(rank_sum(&low, &high), 2.0 / 155_117_520.0);
        close(rank_sum(&high, &low), 2.0 / 155_117_520.0);
    }

    /// Against every choice, with ties that make the distribution lopsided.
    #[test]
    fn rank_sum_counts_all_choices() {
        let values = [1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 8.0, 9.0, 9.0];
        for bits in [0b1_1100_0000_u32, 0b0_0000_1011, 0b1_0101_0001, 0b1] {
            let pick = |bits: u32, want: u32| -> Vec<f64> {
                let all = values.iter().enumerate();
                let chosen = all.filter(|(i, _)| bits >> i & 1 == want);
                chosen.map(|(_, v)| *v).collect()
            };
            let ranks = doubled_midranks(&values);
            let k = bits.count_ones() as usize;
            let distance = |bits: u32| {
                let all = ranks.iter().enumerate();
                let sum: usize = all
                    .filter(|(i, _)| bits >> i & 1 == 1)
                    .map(|(_, r)| r)
                    .sum();
                sum.abs_diff(k * 10)
            };
            let all = (0..1_u32 << 9).filter(|b| b.count_ones() as usize == k);
            let (mut far, mut of) = (0, 0);
            for choice in all {
                of += 1;
                far += u32::from(distance(choice) >= distance(bits));
            }
            close(
                rank_sum(&pick(bits, 1), &pick(bits, 0)),
                f64::from(far) / f64::from(of),
            );
        }
    }

    #[test]
    fn nothing_and_sameness_prove_nothing() {
        for same in [&[][..], &[0.0], &[0.0; 15]] {
            assert_eq!(sign_flip(same), 1.0);
        }
        assert_eq!(sign_flip(&[3.0]), 1.0);
        assert_eq!(sign_flip(&[3.0, 4.0]), 0.5);
        assert_eq!(rank_sum(&[], &[1.0]), 1.0);
        assert_eq!(rank_sum(&[1.0], &[]), 1.0);
        assert_eq!(rank_sum(&[1.0], &[2.0]), 1.0);
        assert_eq!(rank_sum(&[4.0; 15], &[4.0; 15]), 1.0);
    }

    /// Order, scale and (for two sides) a common shift do not matter.
    #[test]
    fn laws() {
        let d: Vec<f64> = (0..20).map(|i| f64::from(i * i * 7 % 61 - 20)).collect();
        let (a, b) = d.split_at(9);
        let of = |f: &dyn Fn(f64) -> f64| {
            let moved = |x: &[f64]| x.iter().rev().map(|&v| f(v)).collect::<Vec<_>>();
            (sign_flip(&moved(&d)), rank_sum(&moved(a), &moved(b)))
        };
        let plain = (sign_flip(&d), rank_sum(a, b));
        assert_eq!(of(&|v| v), plain);
        assert_eq!(of(&|v| v * 1e-3), plain);
        assert_eq!(of(&|v| v * -8.0).0, plain.0);
        assert_eq!(of(&|v| v + 1000.0).1, plain.1);
        assert_eq!(rank_sum(b, a), plain.1);
    }

    /// On either side of the limit the two ways agree.
    #[test]
    fn the_approximation_continues_the_count() {
        let side = |n: usize, shift: f64| -> Vec<f64> {
            let noise = (0..n).map(|i| (i * 7919 % 211) as f64 / 211.0);
            noise.map(|x| x + shift).collect()
        };
        let (exact, approximate) = (
            rank_sum(&side(60, 0.0), &side(60, 0.14)),
            rank_sum(&side(61, 0.0), &side(61, 0.14)),
        );
        assert!(
            (0.5..2.0).contains(&(exact / approximate)),
            "{exact} {approximate}"
        );
        let (exact, approximate) = (sign_flip(&side(120, -0.4)), sign_flip(&side(121, -0.4)));
        assert!(
            (0.5..2.0).contains(&(exact / approximate)),
            "{exact} {approximate}"
        );
    }
}
