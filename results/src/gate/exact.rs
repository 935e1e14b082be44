// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Counts that repeat need no statistics: what moved, moved.

use super::metric::{Change, Figure, Verdict};
use super::policy::Tolerance;

/// What is to be said of one exact metric.
#[derive(Debug)]
pub(super) struct Judged {
    pub verdict: Verdict,
    pub change: Option<Change>,
    pub reason: Option<String>,
}

/// Compares two figures. If the blocks of either do not repeat, which is a defect of
/// its own, a verdict needs every block of one to lie beyond every one of the other.
pub(super) fn judge(a: &Figure, b: &Figure, tolerance: &Tolerance) -> Judged {
    let repeats = a.min == a.max && b.min == b.max;
    let change = (a.median > 0.0).then(|| Change {
        ratio: b.median / a.median,
        interval: None,
        p: None,
        adjusted: None,
        resolves: None,
        detects: None,
    });
    let grew = |least: f64, from: f64| {
        let room = (from * tolerance.percent / 100.0).max(tolerance.absolute);
        least - from > room
    };
    let verdict = match () {
        () if grew(b.min, a.max) => Verdict::Regression,
        () if grew(a.min, b.max) => Verdict::Improvement,
        () if !grew(b.max, a.min) && !grew(a.max, b.min) => Verdict::NoChange,
        () => Verdict::Inconclusive,
    };
    let reason = match (repeats, a.median) {
        (false, _) => Some(format!(
            "counts do not repeat: {} to {} in the baseline, {} to {} now",
            a.min, a.max, b.min, b.max
        )),
        (true, 0.0) if b.median > 0.0 => Some("there were none before".to_string()),
        (true, _) => None,
    };
    Judged {
        verdict,
        change,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::side::figure;

    #[test]
    fn moves_beyond_the_tolerance_or_not() {
        use Verdict::{Improvement, Inconclusive, NoChange, Regression};
        let tolerance = Tolerance {
            percent: 0.1,
            absolute: 0.0,
        };
        let check = |a: &[f64], b: &[f64], expected: Verdict| {
            let [fa, fb] = [a, b].map(|x| figure(x).unwrap());
            assert_eq!(judge(&fa, &fb, &tolerance).verdict, expected, "{a:?} {b:?}");
        };
        check(&[4758.0], &[4758.0], NoChange);
        check(&[4758.0], &[4762.0], NoChange);
        check(&[4758.0], &[4763.0], Regression);
        check(&[4758.0], &[4782.0], Regression);
        check(&[4763.0], &[4758.0], Improvement);
        check(&[0.0], &[0.0], NoChange);
        check(&[0.0], &[1.0], Regression);
        check(&[1.0], &[0.0], Improvement);
        // Blocks that do not repeat.
        check(&[100.0, 200.0], &[150.0, 150.0], Inconclusive);
        check(&[100.0, 200.0], &[201.0, 300.0], Regression);
        check(&[100.0, 200.0], &[50.0, 99.0], Improvement);
        check(&[10_000.0, 10_001.0], &[10_001.0], NoChange);
        let moved = [4.0, 5.0].map(|x| figure(&[1.0, x]).unwrap());
        let reason = judge(&moved[0], &moved[1], &tolerance).reason.unwrap();
        assert!(reason.contains("do not repeat"), "{reason}");
    }
}
