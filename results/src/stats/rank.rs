// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Ranks, for the tests that must not depend on how noise is distributed.

/// The rank of each value among all, from 1, times two; values that are equal
/// share the mean of their ranks. Doubled, so that a shared rank is a whole
/// number and sums of ranks are exact.
pub(super) fn doubled_midranks(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        // Ranks before+1 to before+len: twice their mean is the sum of the ends.
        let rank = 2 * before + equal.len() + 1;
        for &i in equal {
            ranks[i] = rank;
        }
        before += equal.len();
    }
    ranks
}

/// How many values share each value: the sizes of the groups of equal ones.
pub(super) fn ties(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let groups = sorted.chunk_by(|a, b| a == b);
    groups.map(<[f64]>::len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_the_mean_rank() {
        fn check(values: &[f64], ranks: &[usize], groups: &[usize]) {
            assert_eq!(doubled_midranks(values), ranks, "{values:?}");
            assert_eq!(ties(values), groups, "{values:?}");
        }
        check(&[], &[], &[]);
        check(&[7.0], &[2], &[1]);
        check(&[3.0, 1.0, 2.0], &[6, 2, 4], &[1, 1, 1]);
        check(&[5.0, 1.0, 5.0, 9.0], &[5, 2, 5, 8], &[1, 2, 1]);
        check(&[4.0; 4], &[5; 4], &[4]);
        check(&[-0.0, 0.0], &[3, 3], &[2]);
    }
}
