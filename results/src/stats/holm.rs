// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Many tests at once.
//!
//! Of a hundred identical metrics, one test in a hundred at 1 % finds a difference.
//! Holm's correction ("A Simple Sequentially Rejective Multiple Test Procedure",
//! Scandinavian Journal of Statistics 6, 1979) keeps the chance that *any* of them
//! does below the level, whatever they have to do with each other.

/// `p` adjusted so that comparing each with a level keeps that level for all of
/// them together: the k-th least times (n + 1 - k), never below one before it and
/// never above 1. Values are probabilities; their order is kept.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut so_far: f64 = 0.0;
    for (place, &i) in order.iter().enumerate() {
        so_far = so_far.max(p[i] * (p.len() - place) as f64).min(1.0);
        adjusted[i] = so_far;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first by hand; it is also the example of four hypotheses in which the
    /// procedure stops after one at 5 %: 0.005·4, then 0.01·3, 0.03·2, 0.04·1.
    #[test]
    fn multiplies_by_how_many_are_left() {
        fn check(p: &[f64], expected: &[f64]) {
            let got = holm(p);
            let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
            assert_eq!(got.len(), expected.len());
            assert!(got.iter().zip(expected).all(close), "{p:?}: {got:?}");
        }
        check(&[0.01, 0.04, 0.03, 0.005], &[0.03, 0.06, 0.06, 0.02]);
        check(&[], &[]);
        check(&[0.2], &[0.2]);
        check(&[0.5, 0.5], &[1.0, 1.0]);
        check(&[0.0, 1.0, 0.0], &[0.0, 1.0, 0.0]);
    }

    #[test]
    fn order_does_not_matter_and_nothing_becomes_likelier() {
        let p: Vec<f64> = (0..40)
            .map(|i| f64::from(i * i * 37 % 101) / 101.0)
            .collect();
        let adjusted = holm(&p);
        assert!(p.iter().zip(&adjusted).all(|(p, a)| p <= a && *a <= 1.0));
        let mut turned = p.clone();
        turned.rotate_left(11);
        let mut expected = adjusted;
        expected.rotate_left(11);
        assert_eq!(holm(&turned), expected);
    }
}
