// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether block figures fall into two groups: a machine that runs at two speeds,
//! a path with two outcomes. A median then jumps from one group to the other, and
//! its interval may not show it.

use super::Sorted;

/// The fewest values of which two groups can be told.
pub const MIN_MODES: usize = 8;

/// How much wider than a group, times the number of values, a gap must be: n values
/// have n - 1 gaps, so the more there are the smaller each. Of sets of normal
/// values, simulated in the tests, at most 1 in 60 has such a gap by chance, with 8
/// values as with 50. Two groups five standard deviations apart have it in 3 of 10
/// sets of 15 values and in half of those of 30, ten deviations apart nearly always.
const WIDE: f64 = 24.0;

/// The gap in the middle of `values`, in their unit, between groups of a fifth of
/// them at least, if it is wider than either group's own spread would have it.
pub fn mode_gap(values: &[f64]) -> Option<f64> {
    let sorted = Sorted::new(values.to_vec());
    let x = sorted.values();
    let least = x.len().div_ceil(5).max(3);
    if x.len() < MIN_MODES {
        return None;
    }
    let gap = |i: usize| x[i] - x[i - 1];
    let inner = least..=x.len() - least;
    let cut = inner.max_by(|&a, &b| gap(a).total_cmp(&gap(b)))?;
    let spread = |group: &[f64]| group[group.len() - 1] - group[0];
    // Without the ends, which one outlier would decide.
    let trimmed = |group: &[f64]| {
        let off = group.len() / 5;
        spread(&group[off..group.len() - off])
    };
    let wide = WIDE / x.len() as f64 * trimmed(&x[..cut]).max(trimmed(&x[cut..]));
    Some(gap(cut)).filter(|gap| *gap > wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulate::{Normals, share};

    #[test]
    fn two_groups_are_told_from_one() {
        let two: Vec<f64> = (0..8)
            .flat_map(|i| [100.0 + f64::from(i) / 4.0, 110.0 + f64::from(i) / 4.0])
            .collect();
        assert_eq!(mode_gap(&two), Some(8.25));
        let scaled: Vec<f64> = two.iter().rev().map(|v| v * 1e6 + 3.0).collect();
        assert_eq!(mode_gap(&scaled), Some(8.25e6));
        // Two outliers are not a group.
        let mut one = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        one.extend([90.0, 91.0]);
        assert_eq!(mode_gap(&one), None);
        for few in [0, 1, 2, 7] {
            assert_eq!(mode_gap(&two[..few]), None);
        }
        assert_eq!(mode_gap(&[5.0; 15]), None);
    }

    #[test]
    fn one_group_is_seldom_taken_for_two() {
        for n in [8, 15, 30, 50] {
            let mut normals = Normals::new(n as u64);
            let found = share(2_000, || mode_gap(&normals.take(n)).is_some());
            assert!(found < 0.018, "{n}: {found}");
            let found = share(500, || {
                let x = (0..).zip(normals.take(n));
                let far = |(i, v): (usize, f64)| v + f64::from(u8::from(i % 2 == 0)) * 10.0;
                mode_gap(&x.map(far).collect::<Vec<_>>()).is_some()
            });
            assert!(found > if n < 15 { 0.3 } else { 0.85 }, "{n}: {found}");
        }
    }
}
