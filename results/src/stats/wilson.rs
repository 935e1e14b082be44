// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How well a rate is known that was counted in a few trials.

use super::Interval;

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % interval ("Probable Inference, the Law of Succession, and
/// Statistical Inference", JASA 22, 1927) of a rate of which `hits` of `trials`
/// were seen. It does not shrink to nothing where none or all were. `None` without
/// trials, or with more hits than trials.
pub fn wilson(hits: usize, trials: usize) -> Option<Interval> {
    if trials == 0 || hits > trials {
        return None;
    }
    let n = trials as f64;
    let rate = hits as f64 / n;
    let spread = 1.0 + Z * Z / n;
    let middle = (rate + Z * Z / (2.0 * n)) / spread;
    let half = Z / spread * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(Interval {
        low: (middle - half).max(0.0),
        high: (middle + half).min(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe, "Two-sided Confidence Intervals for the Single Proportion",
    /// Statistics in Medicine 17 (1998), table I, score method.
    #[test]
    fn agrees_with_the_published_table() {
        fn check(hits: usize, trials: usize, low: f64, high: f64) {
            let got = wilson(hits, trials).unwrap();
            let close = (got.low - low).abs() < 5e-5 && (got.high - high).abs() < 5e-5;
            assert!(close, "{hits} of {trials}: {got:?}");
        }
        check(81, 263, 0.2553, 0.3662);
        check(15, 148, 0.0624, 0.1605);
        check(0, 20, 0.0, 0.1611);
        check(1, 29, 0.0061, 0.1718);
        // Mirrored.
        check(20, 20, 0.8389, 1.0);
    }

    #[test]
    fn nothing_tried_is_nothing_known() {
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(2, 1), None);
        for hits in 0..=1 {
            let i = wilson(hits, 1).unwrap();
            assert!(0.0 <= i.low && i.low < i.high && i.high <= 1.0);
        }
    }
}
