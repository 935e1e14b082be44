// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Numbers for people. One scale a table, so that its rows can be compared by
//! eye; four significant digits for a time, every digit for a count of
//! instructions below a million, because those repeat to the last one.

use results::{
    Unit,
    stats::{Interval, Precision, Ratio},
};
use std::cmp::Ordering;

/// The unit in which one table is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    divisor: f64,
    digits: i32,
    /// `ns`, `µs`, `million insn`.
    pub(crate) symbol: &'static str,
}

impl Scale {
    /// The largest unit in which the least of `values` that is above 0 is still
    /// 1 or more. Values are in `unit`.
    pub(crate) fn of(unit: Unit, values: impl IntoIterator<Item = f64>) -> Self {
        let positive = values.into_iter().filter(|v| *v > 0.0);
        let least = positive.fold(f64::INFINITY, f64::min);
        let (digits, steps): (_, &[(f64, &str)]) = match unit {
            Unit::Ns => (4, &[(1e9, "s"), (1e6, "ms"), (1e3, "µs")]),
            Unit::Insn => (6, &[(1e9, "billion insn"), (1e6, "million insn")]),
        };
        let step = steps.iter().find(|(d, _)| least.is_finite() && least >= *d);
        let &(divisor, symbol) = step.unwrap_or(&(1.0, unit.symbol()));
        Scale {
            divisor,
            digits,
            symbol,
        }
    }

    /// The number without its unit.
    pub(crate) fn show(&self, value: f64) -> String {
        significant(value / self.divisor, self.digits)
    }

    /// The number as a tick of an axis.
    pub(crate) fn tick(&self, value: f64) -> String {
        tick(value / self.divisor)
    }

    /// The number with its unit.
    pub(crate) fn with_unit(&self, value: f64) -> String {
        format!("{} {}", self.show(value), self.symbol)
    }
}

/// `value`, not negative, to `digits` significant digits; whole thousands are
/// set apart. Nothing after the point where the value is whole.
pub(crate) fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    if !(1e-3..1e12).contains(&value.abs()) {
        return format!("{value:.2e}");
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (digits - 1 - magnitude).clamp(0, 6) as usize;
    let text = format!("{value:.decimals$}");
    match text.split_once('.') {
        Some((whole, part)) if digits > 4 && part.bytes().all(|b| b == b'0') => grouped(whole),
        Some((whole, part)) => format!("{}.{part}", grouped(whole)),
        None => grouped(&text),
    }
}

/// A tick of an axis: without zeros that say nothing.
pub(crate) fn tick(value: f64) -> String {
    if value.abs() >= 1e6 {
        return format!("{value:e}");
    }
    let text = significant(value, 4);
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(whole: &str) -> String {
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        let left = whole.len() - i;
        if i > 0 && left.is_multiple_of(3) && out.ends_with(|c: char| c.is_ascii_digit()) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A ratio and how well it is known: `1.038` with `[1.021, 1.055]`, `no interval`,
/// `exact`, `one run` or [`NOT_DETERMINISTIC`]. Three decimals put a column in line; a
/// difference that is shown and yet hidden by them (instructions repeat to the
/// last one) gets five.
pub(crate) fn ratio(ratio: &Ratio) -> [String; 2] {
    let fine = Mark::of(ratio) != Mark::Open && (ratio.value - 1.0).abs() < 5e-4;
    let show = |value: f64| match fine {
        true => format!("{value:.5}"),
        false => times(value),
    };
    let ends = |i: Interval| format!("[{}, {}]", show(i.low), show(i.high));
    let precision = match ratio.precision {
        Precision::Exact => exact(ratio).to_string(),
        Precision::Interval(interval) => ends(interval),
        Precision::TooFew => "no interval".to_string(),
        Precision::NotDeterministic => NOT_DETERMINISTIC.to_string(),
    };
    [show(ratio.value), precision]
}

/// How well an exact ratio is known. One block shows nothing of whether its count repeats.
pub(crate) fn exact(ratio: &Ratio) -> &'static str {
    match ratio.pairs {
        0 | 1 => ONE_RUN,
        _ => "exact",
    }
}

/// In place of `exact` where there is one block.
pub(crate) const ONE_RUN: &str = "one run";

/// In place of a precision where counts of instructions did not repeat.
pub(crate) const NOT_DETERMINISTIC: &str = "NOT DETERMINISTIC";

/// A count, or one divided by operations: `5,009`, `1.0005`, `0`.
pub(crate) fn count(value: f64) -> String {
    match value.fract() == 0.0 && value < 1e12 {
        true => grouped(&format!("{value:.0}")),
        false => significant(value, 5),
    }
}

/// A difference with its sign, every digit of it: `+5,009`, `-0.25`, `0`.
pub(crate) fn difference(value: f64) -> String {
    let text = match value.fract() == 0.0 {
        true => format!("{:.0}", value.abs()),
        false => format!("{:.2}", value.abs()),
    };
    let text = match text.split_once('.') {
        Some((whole, part)) => format!("{}.{part}", grouped(whole)),
        None => grouped(&text),
    };
    match value {
        v if v > 0.0 => format!("+{text}"),
        v if v < 0.0 => format!("-{text}"),
        _ => text,
    }
}

/// A factor: `1.418`, `12.35`, `0.0461`.
pub(crate) fn times(value: f64) -> String {
    match value {
        0.1..10.0 => format!("{value:.3}"),
        10.0.. => significant(value, 4),
        _ => significant(value, 3),
    }
}

/// The change that a ratio means, in percent and without the sign for it:
/// `+3.8`, `-12.5`, `+3900`.
pub(crate) fn percent(ratio: f64) -> String {
    let change = (ratio - 1.0) * 100.0;
    match change.abs() {
        c if c < 5e-3 => "0.0".to_string(),
        c if c < 0.05 => format!("{change:+.2}"),
        c if c < 99.95 => format!("{change:+.1}"),
        c if c < 99_999.5 => format!("{change:+.0}"),
        _ => format!("{change:+.1e}"),
    }
}

/// What a ratio says about an arm against the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The whole interval lies above 1, or an exact ratio does.
    More,
    /// The whole interval lies below 1, or an exact ratio does.
    Less,
    /// The interval contains 1, or there is none; or an exact ratio is 1.
    Open,
}

impl Mark {
    /// Judged by [`Ratio::verdict`], never by the sign of an estimate.
    pub(crate) fn of(ratio: &Ratio) -> Self {
        match ratio.verdict() {
            Ordering::Greater => Mark::More,
            Ordering::Less => Mark::Less,
            Ordering::Equal => Mark::Open,
        }
    }

    /// `▲`, `▼` or nothing.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Mark::More => "▲",
            Mark::Less => "▼",
            Mark::Open => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_one_unit() {
        fn check(unit: Unit, values: &[f64], expected: &[&str]) {
            let scale = Scale::of(unit, values.iter().copied());
            let shown: Vec<_> = values.iter().map(|&v| scale.with_unit(v)).collect();
            assert_eq!(shown, expected);
        }
        check(Unit::Ns, &[73_123.0, 112_400.0], &["73.12 µs", "112.4 µs"]);
        check(Unit::Ns, &[950.0, 12_345.6], &["950.0 ns", "12,346 ns"]);
        check(Unit::Ns, &[0.0, 2.5e9], &["0 s", "2.500 s"]);
        check(Unit::Ns, &[0.0], &["0 ns"]);
        check(Unit::Ns, &[], &[]);
        check(
            Unit::Ns,
            &[1.0, u64::MAX as f64],
            &["1.000 ns", "1.84e19 ns"],
        );
        check(
            Unit::Insn,
            &[4858.0, 9867.5],
            &["4,858 insn", "9,867.50 insn"],
        );
        check(Unit::Insn, &[61_900_123.0], &["61.9001 million insn"]);
    }

    #[test]
    fn ratios_stand_in_line() {
        fn shown(value: f64, precision: Precision, expected: [&str; 2]) {
            let pairs = 15;
            let given = Ratio {
                value,
                precision,
                pairs,
                p: None,
                detects: None,
            };
            assert_eq!(ratio(&given), expected);
        }
        fn check(value: f64, interval: Option<(f64, f64)>, expected: [&str; 2]) {
            let precision = interval.map_or(Precision::TooFew, |(low, high)| {
                Precision::Interval(Interval { low, high })
            });
            shown(value, precision, expected);
        }
        shown(2.031, Precision::Exact, ["2.031", "exact"]);
        shown(1.00004, Precision::Exact, ["1.00004", "exact"]);
        shown(1.0, Precision::Exact, ["1.000", "exact"]);
        let moved = Precision::NotDeterministic;
        shown(1.00004, moved, ["1.000", NOT_DETERMINISTIC]);
        check(1.0, Some((1.0, 1.0)), ["1.000", "[1.000, 1.000]"]);
        check(0.99771, Some((0.98, 1.01)), ["0.998", "[0.980, 1.010]"]);
        check(1.00012, Some((0.98, 1.01)), ["1.000", "[0.980, 1.010]"]);
        check(
            1.00012,
            Some((1.0001, 1.0002)),
            ["1.00012", "[1.00010, 1.00020]"],
        );
        check(40.123, Some((39.0, 41.987)), ["40.12", "[39.00, 41.99]"]);
        check(0.031234, None, ["0.0312", "no interval"]);
    }

    #[test]
    fn ticks_have_no_idle_zeros() {
        fn check(value: f64, expected: &str) {
            let scale = Scale::of(Unit::Ns, [1e3]);
            assert_eq!(scale.tick(value), expected);
        }
        check(0.0, "0");
        check(200_000.0, "200");
        check(74_500.0, "74.5");
        check(3_400_000.0, "3,400");
        check(2e15, "2e12");
    }

    #[test]
    fn changes_in_percent() {
        fn check(ratio: f64, expected: &str) {
            assert_eq!(percent(ratio), expected);
        }
        check(1.0, "0.0");
        check(1.0003, "+0.03");
        check(1.00001, "0.0");
        check(1.0382, "+3.8");
        check(0.875, "-12.5");
        check(40.0, "+3900");
        check(0.5, "-50.0");
        check(1e7, "+1.0e9");
    }

    #[test]
    fn differences_keep_every_digit() {
        fn check(value: f64, expected: &str) {
            assert_eq!(difference(value), expected);
        }
        check(5009.0, "+5,009");
        check(-14_300_123.0, "-14,300,123");
        check(0.25, "+0.25");
        check(-1234.5, "-1,234.50");
        check(0.0, "0");
        check(-0.0, "0");
        assert_eq!(
            [0.0, 2.0, 1234.0, 1.000_52].map(count),
            ["0", "2", "1,234", "1.0005"]
        );
    }

    #[test]
    fn thousands_are_set_apart() {
        fn check(input: &str, expected: &str) {
            assert_eq!(grouped(input), expected);
        }
        check("1", "1");
        check("123", "123");
        check("1234", "1,234");
        check("-1234567", "-1,234,567");
        check("-123", "-123");
    }

    #[test]
    fn the_interval_decides_the_mark() {
        fn check(interval: Option<(f64, f64)>, expected: Mark) {
            let precision = interval.map_or(Precision::TooFew, |(low, high)| {
                Precision::Interval(Interval { low, high })
            });
            let ratio = Ratio {
                value: 1.2,
                precision,
                pairs: 15,
                p: None,
                detects: None,
            };
            assert_eq!(Mark::of(&ratio), expected);
        }
        check(None, Mark::Open);
        check(Some((0.9, 1.5)), Mark::Open);
        check(Some((1.0, 1.5)), Mark::Open);
        check(Some((1.1, 1.5)), Mark::More);
        check(Some((0.5, 0.9)), Mark::Less);
    }
}
