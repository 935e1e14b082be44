// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether figures drift from block to block: a machine that heats up, memory that
//! fragments. Blocks that drift are not drawn from one distribution, and intervals
//! from them say less than they seem to.

use super::rank::ties;
use statrs::distribution::{ContinuousCDF, Normal};

/// The fewest blocks of which a trend can be told.
pub const MIN_TREND: usize = 8;

/// The most: each is compared with each, and no run has as many.
const MAX_TREND: usize = 10_000;

/// The probability of so steady a rise or fall of `values`, in the order in which
/// they were measured, where there is none: Mann and Kendall's test, with the
/// variance for ties and the correction for continuity (Kendall, "Rank Correlation
/// Methods", 4th ed. 1975, ch. 4). `None` below [`MIN_TREND`] and
/// above 10 000 values.
pub fn trend(values: &[f64]) -> Option<f64> {
    if !(MIN_TREND..=MAX_TREND).contains(&values.len()) {
        return None;
    }
    let mut score = 0.0;
    for (i, a) in values.iter().enumerate() {
        for b in &values[i + 1..] {
            score += f64::from(i8::from(b > a) - i8::from(b < a));
        }
    }
    let term = |n: usize| (n * (n - 1) * (2 * n + 5)) as f64;
    let tied: f64 = ties(values).into_iter().map(term).sum();
    let variance = (term(values.len()) - tied) / 18.0;
    if variance <= 0.0 {
        return Some(1.0);
    }
    let z = (score.abs() - 1.0).max(0.0) / variance.sqrt();
    Some((2.0 * Normal::standard().sf(z)).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: ten rising values have S = 45 and a variance of 10·9·25/18 = 125, so
    /// z = 44/11.18 = 3.9355, of which the normal distribution has 8.3e-5 beyond.
    #[test]
    fn a_steady_rise_is_unlikely() {
        let rising: Vec<f64> = (0..10).map(f64::from).collect();
        let p = trend(&rising).unwrap();
        assert!((p - 8.303e-5).abs() < 1e-7, "{p}");
        let falling: Vec<f64> = rising.iter().rev().map(|v| v * 3.0 + 7.0).collect();
        assert_eq!(trend(&falling), Some(p));
    }

    #[test]
    fn no_order_is_no_trend() {
        assert_eq!(trend(&[1.0; 7]), None);
        assert_eq!(trend(&[1.0; 8]), Some(1.0));
        let p = trend(&[3.0, 8.0, 1.0, 6.0, 2.0, 7.0, 4.0, 5.0]).unwrap();
        assert!(p > 0.5, "{p}");
    }
}
