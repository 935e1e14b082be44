// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Medians and quantiles of plain samples.
//!
//! The definition is type 7 of Hyndman & Fan, "Sample Quantiles in Statistical
//! Packages", The American Statistician 50 (1996): with the samples in order,
//! x\[0\] … x\[n-1\], and h = (n-1)·p, the quantile lies at x\[⌊h⌋\] and the
//! fraction h-⌊h⌋ of the way to the next sample. It is the default of R and of
//! NumPy, so that a reader can repeat every figure. For p = 0.5 it is the usual
//! median: the middle sample, or half-way between the two middle ones.

/// The median of `values`; `None` if there are none. The order of the values
/// does not matter. Values must be finite, as everything derived from `u64` is.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut scratch = values.to_vec();
    median_of(&mut scratch, f64::total_cmp, |x| x)
}

/// The median of raw samples, in their own unit; `None` if there are none.
/// Linear in the number of samples, where sorting them would not be.
pub fn sample_median(samples: &[u64]) -> Option<f64> {
    let mut scratch = samples.to_vec();
    median_of(&mut scratch, u64::cmp, |x| x as f64)
}

/// Selects the middle of `scratch`, reordering it. The two middle values of an
/// even number are halved before they are added: `u64::MAX` twice must not wrap.
fn median_of<T: Copy>(
    scratch: &mut [T],
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
    float: impl Fn(T) -> f64,
) -> Option<f64> {
    let n = scratch.len();
    if n == 0 {
        return None;
    }
    let (below, upper, _) = scratch.select_nth_unstable_by(n / 2, &order);
    let upper = float(*upper);
    if n % 2 == 1 {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(&order).map(float)?;
    Some(lower + (upper - lower) / 2.0)
}

/// Values in ascending order, for many quantiles of the same data.
#[derive(Clone, Debug, PartialEq)]
pub struct Sorted(Vec<f64>);

impl Sorted {
    /// Sorts `values`, which must be finite and may be none.
    pub fn new(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Sorted(values)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values in ascending order.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The quantile at `p`, a fraction from 0 (the least value) to 1 (the
    /// greatest); `p` outside is taken as the nearer end. `None` if there are
    /// no values.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let last = self.0.len().checked_sub(1)?;
        let h = last as f64 * p.clamp(0.0, 1.0);
        let below = h.floor() as usize;
        let (low, high) = (self.0[below], self.0[last.min(below + 1)]);
        Some(low + (h - h.floor()) * (high - low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_few_and_extreme_samples() {
        fn check(samples: &[u64], expected: Option<f64>) {
            assert_eq!(sample_median(samples), expected, "{samples:?}");
            let floats: Vec<f64> = samples.iter().map(|&s| s as f64).collect();
            assert_eq!(median(&floats), expected, "{samples:?}");
        }
        check(&[], None);
        check(&[0], Some(0.0));
        check(&[7], Some(7.0));
        check(&[9, 4], Some(6.5));
        check(&[3, 1, 2], Some(2.0));
        check(&[5, 5, 5, 5], Some(5.0));
        check(&[1, 1000, 2, 3], Some(2.5));
        check(&[u64::MAX, u64::MAX], Some(u64::MAX as f64));
        check(&[0, u64::MAX], Some(u64::MAX as f64 / 2.0));
    }

    /// Expected values from Python: `statistics.quantiles(x, method="inclusive")`.
    #[test]
    fn quantiles_are_type_7() {
        fn check(x: &[f64], p: f64, expected: f64) {
            let got = Sorted::new(x.to_vec()).quantile(p).unwrap();
            assert!((got - expected).abs() < 1e-12, "{x:?} at {p}: {got}");
        }
        let x = [15.0, 20.0, 35.0, 40.0, 50.0];
        check(&x, 0.0, 15.0);
        check(&x, 0.05, 16.0);
        check(&x, 0.25, 20.0);
        check(&x, 0.40, 29.0);
        check(&x, 0.99, 49.6);
        check(&x, 1.0, 50.0);
        check(&x, -3.0, 15.0);
        check(&x, 3.0, 50.0);
        check(
            &[3.0, 6.0, 7.0, 8.0, 8.0, 10.0, 13.0, 15.0, 16.0, 20.0],
            0.75,
            14.5,
        );
        check(&[2.0], 0.999, 2.0);
    }

    #[test]
    fn no_values_have_no_quantile() {
        assert_eq!(Sorted::new(vec![]).quantile(0.5), None);
        assert!(Sorted::new(vec![]).is_empty());
    }

    /// An even and an odd number of values, in every rotation and reversed.
    #[test]
    fn order_does_not_matter() {
        for n in [7_u64, 8] {
            let x: Vec<u64> = (0..n).map(|i| i * i * 13 % 31).collect();
            let expected = sample_median(&x);
            for turn in 0..x.len() {
                let mut y = x.clone();
                y.rotate_left(turn);
                assert_eq!(sample_median(&y), expected);
                y.reverse();
                assert_eq!(sample_median(&y), expected);
            }
        }
    }

    #[test]
    fn median_shifts_and_scales_with_the_data() {
        let x = [12.0, 3.0, 8.0, 21.0, 4.0, 9.0];
        let m = median(&x).unwrap();
        assert_eq!(median(&x.map(|v| v + 64.0)), Some(m + 64.0));
        assert_eq!(median(&x.map(|v| v * 8.0)), Some(m * 8.0));
    }
}
