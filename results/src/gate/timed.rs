// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Times are estimates. Two runs were not made block by block in turns, so their
//! blocks are not pairs: each block of one is compared with each of the other.

use super::metric::{Change, Verdict};
use super::policy::Tolerance;
use crate::stats::{
    Interval, MIN_BLOCKS, Shift, detectable_between, holm, median, noise, rank_sum, shift,
};

/// How many standard errors an interval's end and a power of 80 % take together.
const END_AND_POWER: f64 = 1.960 + 0.842;

/// The variance of the rank estimate, over that of the mean, of normal noise.
const RANK_VARIANCE: f64 = 1.0 / 0.955;

/// One comparison before its correction for all the others.
#[derive(Debug)]
pub(super) struct Raw {
    /// Logarithms of block medians: baseline, current.
    logs: [Vec<f64>; 2],
    shift: Shift,
    p: Option<f64>,
    /// The tolerance as a logarithm.
    tolerance: f64,
}

/// What is to be said of one metric of time.
#[derive(Debug)]
pub(super) struct Judged {
    pub verdict: Verdict,
    pub change: Change,
    pub reason: Option<String>,
    /// Whether the tolerance is finer than what these blocks resolve.
    pub too_fine: bool,
}

impl Raw {
    /// Compares block medians.
    ///
    /// # Errors
    /// Why they cannot be: there are none, or a median is 0.
    pub(super) fn of(
        baseline: &[f64],
        current: &[f64],
        tolerance: &Tolerance,
    ) -> Result<Self, String> {
        if baseline.iter().chain(current).any(|v| *v <= 0.0) {
            return Err("the median of a block is 0, and has no ratio".into());
        }
        let logs = [baseline, current].map(|x| x.iter().map(|v| v.ln()).collect::<Vec<_>>());
        let none = || "there are no blocks".to_string();
        let shift = shift(&logs[0], &logs[1]).ok_or_else(none)?;
        let apart = shift.interval.is_some_and(|i| i.excludes(0.0));
        Ok(Raw {
            p: apart.then(|| rank_sum(&logs[0], &logs[1])),
            shift,
            tolerance: tolerance.log(median(baseline).ok_or_else(none)?),
            logs,
        })
    }

    /// The verdict, with a p-value `adjusted` for as many as were `tested`.
    fn judge(&self, adjusted: Option<f64>, level: f64, tested: usize) -> Judged {
        let [a, b] = &self.logs;
        let resolves = detectable_between(a, b, level / tested.max(1) as f64);
        let part = |x: &[f64]| Some(noise(x)?.powi(2) / x.len() as f64);
        let error = part(a)
            .zip(part(b))
            .map(|(a, b)| (RANK_VARIANCE * (a + b)).sqrt());
        let detects = resolves
            .zip(error)
            .map(|(resolves, error)| resolves.max(self.tolerance + END_AND_POWER * error));
        let proven = adjusted.is_some_and(|p| p <= level);
        let (verdict, reason) = match self.shift.interval {
            None => {
                let least = a.len().min(b.len());
                let few = format!("{least} blocks on a side: {MIN_BLOCKS} are the least");
                (Verdict::Inconclusive, Some(few))
            }
            Some(i) if i.low > self.tolerance && proven => (Verdict::Regression, None),
            Some(i) if i.high < -self.tolerance && proven => (Verdict::Improvement, None),
            Some(i) if i.high <= self.tolerance => (Verdict::NoChange, None),
            Some(i) => (Verdict::Inconclusive, Some(self.open(i, proven))),
        };
        Judged {
            verdict,
            reason,
            change: Change {
                ratio: self.shift.value.exp(),
                interval: self.shift.interval.map(|i| i.map(f64::exp)),
                p: self.p,
                adjusted,
                resolves: resolves.map(f64::exp),
                detects: detects.map(f64::exp),
            },
            too_fine: resolves.is_some_and(|r| r > self.tolerance),
        }
    }

    /// Why a regression is neither shown nor excluded, and what would decide.
    fn open(&self, interval: Interval, proven: bool) -> String {
        let percent = |log: f64| format!("{:+.1} %", 100.0 * log.exp_m1());
        let reach = format!("may be up to {}", percent(interval.high));
        if interval.low > self.tolerance && !proven {
            return format!("{reach}, and not told from chance among so many metrics");
        }
        // Half-widths shrink with the square root of the number of blocks. What is
        // between the estimate and the tolerance must become wider than they are.
        let half = (interval.high - interval.low) / 2.0;
        let room = (self.tolerance - self.shift.value).abs();
        let least = self.logs.iter().map(Vec::len).min().unwrap_or(0) as f64;
        let needed = (least * (half / room).powi(2)).ceil();
        match needed.is_finite() && needed <= 1000.0 {
            true => format!("{reach}; about {needed:.0} blocks a side would decide"),
            false => format!("{reach}; too near the tolerance for blocks to decide"),
        }
    }
}

/// The verdicts on `raws`, which share the chance `level` of a false one.
pub(super) fn decide(raws: &[Raw], level: f64) -> Vec<Judged> {
    // What was not tested cannot be rejected, and counts as tested.
    let p: Vec<f64> = raws.iter().map(|raw| raw.p.unwrap_or(1.0)).collect();
    let adjusted = holm(&p);
    let pairs = raws.iter().zip(adjusted);
    pairs
        .map(|(raw, adjusted)| raw.judge(raw.p.map(|_| adjusted), level, raws.len()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(level: f64, spread: f64) -> Vec<f64> {
        (0..15)
            .map(|i| level * (1.0 + spread * (f64::from(i * 7 % 15) / 7.0 - 1.0)))
            .collect()
    }

    fn verdict(current: &[f64], percent: f64) -> (Verdict, Option<String>) {
        let tolerance = Tolerance {
            percent,
            absolute: 0.0,
        };
        let raw = Raw::of(&blocks(1000.0, 0.01), current, &tolerance).unwrap();
        let judged = decide(&[raw], 0.01).remove(0);
        (judged.verdict, judged.reason)
    }

    #[test]
    fn a_verdict_needs_both_the_interval_and_the_tolerance() {
        let check = |current: &[f64], percent: f64, expected: Verdict| {
            assert_eq!(verdict(current, percent).0, expected, "{current:?}");
        };
        check(&blocks(1000.0, 0.01), 3.0, Verdict::NoChange);
        check(&blocks(1050.0, 0.01), 3.0, Verdict::Regression);
        check(&blocks(950.0, 0.01), 3.0, Verdict::Improvement);
        // Shown, and tolerated.
        check(&blocks(1020.0, 0.01), 3.0, Verdict::NoChange);
        // Beyond, but not by all of the interval.
        check(&blocks(1031.0, 0.01), 3.0, Verdict::Inconclusive);
        // Noise that may hide it.
        check(&blocks(1000.0, 0.3), 3.0, Verdict::Inconclusive);
        // Seven blocks, four blocks.
        check(&blocks(1050.0, 0.01)[..7], 3.0, Verdict::Regression);
        check(&blocks(1050.0, 0.01)[..4], 3.0, Verdict::Inconclusive);
        check(&blocks(1000.0, 0.01)[..4], 3.0, Verdict::Inconclusive);
    }

    #[test]
    fn what_is_open_says_what_would_decide() {
        let reason = verdict(&blocks(1000.0, 0.1), 3.0).1.unwrap();
        assert!(reason.contains("blocks a side would decide"), "{reason}");
        let reason = verdict(&blocks(1000.0, 0.01)[..4], 3.0).1.unwrap();
        assert!(reason.contains("5 are the least"), "{reason}");
    }

    /// One real change among many equal metrics is found all the same.
    #[test]
    fn many_metrics_share_one_level() {
        let tolerance = Tolerance {
            percent: 1.0,
            absolute: 0.0,
        };
        let raw = |level| Raw::of(&blocks(1000.0, 0.01), &blocks(level, 0.01), &tolerance).unwrap();
        let mut raws: Vec<Raw> = (0..400).map(|_| raw(1000.0)).collect();
        raws.push(raw(1050.0));
        let judged = decide(&raws, 0.01);
        let change = judged[400].change;
        assert_eq!(judged[400].verdict, Verdict::Regression);
        assert!(change.adjusted.unwrap() > 300.0 * change.p.unwrap());
        assert!(judged[..400].iter().all(|j| j.verdict == Verdict::NoChange));
        // Alone, less would have been seen.
        let alone = decide(&[raw(1050.0)], 0.01).remove(0).change;
        assert!(alone.resolves.unwrap() < change.resolves.unwrap());
    }

    #[test]
    fn what_has_no_logarithm_is_said() {
        let tolerance = Tolerance {
            percent: 1.0,
            absolute: 0.0,
        };
        let error = Raw::of(&[0.0; 5], &[1.0; 5], &tolerance).unwrap_err();
        assert!(error.contains("is 0"), "{error}");
        assert!(Raw::of(&[], &[1.0], &tolerance).is_err());
    }
}
