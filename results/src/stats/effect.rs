// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How small a difference could have been seen.
//!
//! "No change" means little without it: from five noisy blocks nothing is ever
//! seen. The minimum detectable effect is the difference that is called one in
//! [`POWER`] of all comparisons, with this noise and this many blocks.

use super::{Sorted, median};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The chance to see a difference that is as large as the minimum detectable one.
pub const POWER: f64 = 0.8;

/// The noise of blocks as one number: their standard deviation, were they normal.
///
/// It is 1.4826 times the median distance from the median, which one disturbed
/// block in fifteen does not move, as it does not move the medians and ranks that
/// are compared. Where most blocks are equal and that is 0, the distance between
/// the quartiles over 1.349, then the standard deviation itself. `None` with fewer
/// than 2 values; 0 only if all are equal.
pub fn noise(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let middle = median(values)?;
    let distances: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
    let mad = 1.4826 * median(&distances)?;
    if mad > 0.0 {
        return Some(mad);
    }
    let sorted = Sorted::new(values.to_vec());
    let quartiles = (sorted.quantile(0.75)? - sorted.quantile(0.25)?) / 1.349;
    if quartiles > 0.0 {
        return Some(quartiles);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    Some((squares / (n - 1.0)).sqrt())
}

/// The minimum detectable effect of a two-sided test at `level`: how many standard
/// errors apart the truth must be, (t(1 - level/2) + t([`POWER`])) with `freedom`
/// degrees of freedom, times `standard_error`. In the unit of the latter. The
/// formula is that of a t-test; rank tests need 2 % more with normal noise and less
/// with any other that is worth mentioning (Pitman's efficiency is 0.955).
/// `None` if a number makes no sense.
pub fn detectable(standard_error: f64, freedom: f64, level: f64) -> Option<f64> {
    if !(standard_error.is_finite() && 0.0 < level && level < 1.0) {
        return None;
    }
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let errors = t.inverse_cdf(1.0 - level / 2.0) + t.inverse_cdf(POWER);
    let effect = errors * standard_error;
    effect.is_finite().then_some(effect)
}

/// [`detectable`] of the median of `values`, one difference a block: between two
/// arms whose blocks are pairs.
pub fn detectable_paired(values: &[f64], level: f64) -> Option<f64> {
    let n = values.len() as f64;
    detectable(noise(values)? / n.sqrt(), n - 1.0, level)
}

/// [`detectable`] of the difference of two runs with these blocks.
pub fn detectable_between(a: &[f64], b: &[f64], level: f64) -> Option<f64> {
    let part = |x: &[f64]| Some(noise(x)?.powi(2) / x.len() as f64);
    let error = (part(a)? + part(b)?).sqrt();
    detectable(error, (a.len() + b.len()) as f64 - 2.0, level)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// α = 0.01 and 2 % noise of pairs, from the tables of t: n = 10: (3.250 +
    /// 0.883)·2 %/√10 = 2.6 %, 15: (2.977 + 0.868)·2 %/√15 = 2.0 %, 30: (2.756 +
    /// 0.854)·2 %/√30 = 1.3 %, 50: (2.680 + 0.849)·2 %/√50 = 1.0 %.
    #[test]
    fn agrees_with_tables() {
        for (n, expected) in [(10.0, 2.61), (15.0, 1.99), (30.0, 1.32), (50.0, 1.00)] {
            let effect = detectable(2.0 / f64::sqrt(n), n - 1.0, 0.01).unwrap();
            assert!((effect - expected).abs() < 0.006, "{n}: {effect}");
        }
    }

    /// A shift leaves it, a scale carries over, order and one outlier do nothing.
    #[test]
    fn noise_keeps_the_laws() {
        let x = [4.0, 9.0, 1.0, 7.0, 12.0, 6.0, 3.0];
        let of = |f: &dyn Fn(f64) -> f64| noise(&x.map(f)).unwrap();
        let plain = of(&|v| v);
        assert!((plain - 3.0 * 1.4826).abs() < 1e-12);
        assert_eq!(of(&|v| v + 32.0), plain);
        assert_eq!(of(&|v| v * 8.0), plain * 8.0);
        let mut turned = x;
        turned.reverse();
        assert_eq!(noise(&turned), Some(plain));
        assert_eq!(of(&|v| if v == 12.0 { 1e9 } else { v }), plain);
    }

    #[test]
    fn few_and_equal_values() {
        assert_eq!(noise(&[]), None);
        assert_eq!(noise(&[3.0]), None);
        assert_eq!(noise(&[3.0; 9]), Some(0.0));
        assert!((noise(&[1.0, 3.0]).unwrap() - 1.4826).abs() < 1e-12);
        // Most are equal: quartiles, then the standard deviation.
        assert!(noise(&[5.0, 5.0, 5.0, 5.0, 9.0, 9.0, 9.0]).unwrap() > 0.0);
        assert!((noise(&[5.0, 5.0, 5.0, 5.0, 9.0]).unwrap() - 3.2_f64.sqrt()).abs() < 1e-12);
        assert_eq!(detectable_paired(&[], 0.01), None);
        assert_eq!(detectable_paired(&[1.0], 0.01), None);
        assert_eq!(detectable_between(&[1.0], &[1.0, 2.0], 0.01), None);
        assert_eq!(detectable_paired(&[2.0; 5], 0.01), Some(0.0));
        assert_eq!(detectable(f64::INFINITY, 5.0, 0.01), None);
        assert_eq!(detectable(1.0, 0.0, 0.01), None);
        assert_eq!(detectable(1.0, 5.0, 0.0), None);
    }
}
