// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a gate tolerates: the form of a tolerance file, and the defaults.

use crate::Unit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The defaults, in the form of a file given on the command line.
const DEFAULTS: &str = include_str!("../../tolerances.toml");

/// How far a metric may move.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// In percent of the baseline.
    #[serde(default)]
    pub percent: f64,
    /// In the unit of the metric. Only what moves by more than both has moved.
    #[serde(default)]
    pub absolute: f64,
}

/// What a gate tolerates.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The chance that equal runs show a difference, over all metrics together.
    pub level: f64,
    control: Vec<String>,
    calibration: Vec<String>,
    ns: BTreeMap<String, Tolerance>,
    insn: BTreeMap<String, Tolerance>,
    gated_counters: Vec<String>,
    counters: Tolerance,
}

/// A file, of which every part may be absent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    level: Option<f64>,
    control: Option<Vec<String>>,
    calibration: Option<Vec<String>>,
    #[serde(default)]
    ns: BTreeMap<String, Tolerance>,
    #[serde(default)]
    insn: BTreeMap<String, Tolerance>,
    counters: Option<Counters>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counters {
    gated: Option<Vec<String>>,
    percent: Option<f64>,
    absolute: Option<f64>,
}

/// Why a tolerance cannot be used; one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(String);

impl Policy {
    /// The defaults that `results/tolerances.toml` states.
    ///
    /// # Errors
    /// None, as long as that file is in order, which a test sees to.
    pub fn defaults() -> Result<Self, PolicyError> {
        let mut policy = Policy {
            level: 0.01,
            control: Vec::new(),
            calibration: Vec::new(),
            ns: BTreeMap::new(),
            insn: BTreeMap::new(),
            gated_counters: Vec::new(),
            counters: Tolerance::NONE,
        };
        policy.overlay(DEFAULTS)?;
        Ok(policy)
    }

    /// Overrides what `text`, a tolerance file, states.
    ///
    /// # Errors
    /// [`PolicyError`] if it is not TOML, has an unknown entry or a number that is
    /// no tolerance. Nothing is overridden then.
    pub fn overlay(&mut self, text: &str) -> Result<(), PolicyError> {
        let file: File = toml::from_str(text).map_err(|e| {
            let before = e.span().map_or("", |at| &text[..at.start]);
            let line = before.matches('\n').count() + 1;
            PolicyError(format!("line {line}: {}", e.message().replace('\n', " ")))
        })?;
        let mut counters = self.counters;
        if let Some(given) = &file.counters {
            counters.percent = given.percent.unwrap_or(counters.percent);
            counters.absolute = given.absolute.unwrap_or(counters.absolute);
        }
        check("counters", &counters)?;
        for (pattern, tolerance) in file.ns.iter().chain(&file.insn) {
            check(pattern, tolerance)?;
        }
        let level = file.level.unwrap_or(self.level);
        if !(0.0 < level && level <= 0.2) {
            return Err(PolicyError(format!(
                "level = {level}: give a chance above 0 and up to 0.2, as in 0.01"
            )));
        }
        self.level = level;
        self.counters = counters;
        self.control = file.control.unwrap_or(std::mem::take(&mut self.control));
        let calibration = std::mem::take(&mut self.calibration);
        self.calibration = file.calibration.unwrap_or(calibration);
        self.ns.extend(file.ns);
        self.insn.extend(file.insn);
        if let Some(gated) = file.counters.and_then(|c| c.gated) {
            self.gated_counters = gated;
        }
        Ok(())
    }

    /// Overrides one tolerance of time: `PATTERN=PERCENT%`, as in `mmio/*=2%`.
    ///
    /// # Errors
    /// [`PolicyError`] if `word` is not of this form.
    pub fn overlay_word(&mut self, word: &str) -> Result<(), PolicyError> {
        let number = |text: &str| text.strip_suffix('%')?.trim().parse::<f64>().ok();
        let parsed = word.split_once('=').and_then(|(pattern, value)| {
            let percent = number(value)?;
            Some((pattern.to_string(), percent))
        });
        let (pattern, percent) = parsed.ok_or_else(|| {
            PolicyError(format!(
                "{word:?} is not PATTERN=PERCENT%, as in 'mmio/*=2%'"
            ))
        })?;
        let tolerance = Tolerance {
            percent,
            absolute: 0.0,
        };
        check(&pattern, &tolerance)?;
        self.ns.insert(pattern, tolerance);
        Ok(())
    }

    /// How far the series of `workload` may move, in `unit`.
    pub fn series(&self, workload: &str, unit: Unit) -> Tolerance {
        let table = match unit {
            Unit::Ns => &self.ns,
            Unit::Insn => &self.insn,
        };
        let fitting = table.iter().filter(|(pattern, _)| fits(pattern, workload));
        let best = fitting.max_by_key(|(pattern, _)| pattern.len());
        best.map_or(Tolerance::NONE, |(_, tolerance)| *tolerance)
    }

    /// How far a counter may move; `None` if it decides nothing.
    pub fn counter(&self, name: &str) -> Option<Tolerance> {
        let gated = self
            .gated_counters
            .iter()
            .any(|pattern| fits(pattern, name));
        gated.then_some(self.counters)
    }

    /// How early `workload` comes among those that calibrate an emulator; `None` if it
    /// does not calibrate.
    pub(super) fn calibrates(&self, workload: &str) -> Option<usize> {
        let mut patterns = self.calibration.iter();
        patterns.position(|pattern| fits(pattern, workload))
    }

    /// Whether `workload` measures the machine alone.
    pub fn is_control(&self, workload: &str) -> bool {
        self.control.iter().any(|pattern| fits(pattern, workload))
    }
}

impl Tolerance {
    /// The ratio beyond which a metric that was `baseline` has grown.
    pub fn ratio(&self, baseline: f64) -> f64 {
        self.log(baseline).exp()
    }

    /// Nothing may move.
    const NONE: Tolerance = Tolerance {
        percent: 0.0,
        absolute: 0.0,
    };

    /// The factor beyond which a metric that was `baseline` has moved, as a
    /// logarithm, never below 0.
    pub(super) fn log(&self, baseline: f64) -> f64 {
        let relative = self.percent / 100.0;
        let absolute = match baseline > 0.0 {
            true => self.absolute / baseline,
            false => 0.0,
        };
        relative.max(absolute).ln_1p()
    }
}

/// Whether `pattern`, a word or the beginning of one before a `*`, fits `word`.
fn fits(pattern: &str, word: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => word.starts_with(beginning),
        None => pattern == word,
    }
}

fn check(pattern: &str, tolerance: &Tolerance) -> Result<(), PolicyError> {
    let sane = |value: f64, most: f64| (0.0..=most).contains(&value);
    if sane(tolerance.percent, 1000.0) && sane(tolerance.absolute, 1e15) {
        return Ok(());
    }
    Err(PolicyError(format!(
        "{pattern}: percent = {}, absolute = {}: give percent from 0 to 1000 and absolute from 0 up",
        tolerance.percent, tolerance.absolute
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_order() {
        let policy = Policy::defaults().unwrap();
        assert_eq!(policy.level, 0.01);
        assert_eq!(policy.series("mmio/user-read", Unit::Insn).percent, 0.1);
        assert_eq!(policy.series("mmio/user-read", Unit::Ns).percent, 3.0);
        assert_eq!(policy.series("new/thing", Unit::Ns).percent, 5.0);
        assert!(policy.is_control("calibrate/loop"));
        assert!(!policy.is_control("mmio/user-read"));
        assert_eq!(policy.calibrates("pio/user"), Some(0));
        assert!(policy.calibrates("boot/linux").is_some());
        assert_eq!(
            policy.counter("kvm.direct_map_flushes").unwrap().percent,
            0.1
        );
        assert_eq!(policy.counter("kvm.irq_exits"), None);
    }

    #[test]
    fn the_longest_pattern_decides() {
        let mut policy = Policy::defaults().unwrap();
        policy
            .overlay("[ns]\n\"mmio/user-*\" = { percent = 2 }\n\"*\" = { percent = 9 }")
            .unwrap();
        policy.overlay_word("mmio/user-write=1.5%").unwrap();
        let percent = |workload| policy.series(workload, Unit::Ns).percent;
        assert_eq!(percent("mmio/user-read"), 2.0);
        assert_eq!(percent("mmio/user-write"), 1.5);
        assert_eq!(percent("mmio/ioapic-read"), 3.0);
        assert_eq!(percent("virtio/blk"), 9.0);
    }

    #[test]
    fn a_metric_moves_beyond_both() {
        let tolerance = Tolerance {
            percent: 3.0,
            absolute: 20.0,
        };
        assert_eq!(tolerance.log(1000.0), 0.03_f64.ln_1p());
        assert_eq!(tolerance.log(100.0), 0.2_f64.ln_1p());
        assert_eq!(tolerance.log(0.0), 0.03_f64.ln_1p());
    }

    #[test]
    fn mistakes_are_one_line_and_change_nothing() {
        let before = Policy::defaults().unwrap();
        let mut policy = before.clone();
        for (text, expected) in [
            ("level = 0", "level = 0"),
            ("level = nan", "level"),
            ("levle = 0.1", "unknown field"),
            ("[ns]\n\"*\" = { percent = -1 }", "percent = -1"),
            ("[ns]\n\"*\" = { percent = inf }", "percent = inf"),
            ("[insn]\n\"*\" = { percent = nan }", "percent = NaN"),
            ("[insn]\n\"*\" = { absolute = -0.1 }", "absolute = -0.1"),
            ("\n[ns]\n\"*\" = 3", "line 3"),
            ("[ns\n", "line 1"),
            ("level = 0.01\nlevel = 0.02", "line 2"),
            ("[counters]\npercent = 1e300", "percent = 1"),
        ] {
            let error = policy.overlay(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error:?}");
            assert!(!error.contains('\n'), "{error:?}");
        }
        for word in [
            "mmio/*",
            "mmio/*=2",
            "mmio/*=x%",
            "mmio/*=-2%",
            "mmio/*=nan%",
        ] {
            assert!(policy.overlay_word(word).is_err(), "{word}");
        }
        assert_eq!(policy, before);
    }
}
