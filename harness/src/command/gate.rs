// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench gate`: an exit code that says whether a run costs more than a baseline.

use crate::{
    cli::{CompareArgs, GateArgs},
    exit::{Exit, Failure},
};
use report::verdict::{Form, Pair, Scope, render};
use results::{
    Run,
    gate::{self, Comparison, Outcome, Policy, Terms},
    store::{self, baseline, calibration},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Compares, prints, and puts the outcome into the exit code.
pub(super) fn run(args: &GateArgs) -> anyhow::Result<Exit> {
    let sides = Sides::read(&args.baseline, &args.current, &args.compare)?;
    let mut comparison = sides.compare();
    sides.heed_calibrations(&mut comparison)?;
    let pair = Pair {
        baseline: &sides.baseline,
        current: &sides.current,
        comparison: &comparison,
        scope: Scope::Decisive,
    };
    super::print(&render(sides.form, &pair)?)?;
    if let Some(word) = &args.update_baseline {
        let place = baseline::place(word, &here()?);
        baseline::copy(&sides.current_dir, &place).map_err(Failure::usage)?;
        eprintln!(
            "unmapbench: {} is a copy of {}; name it in results/baselines.toml to compare with it",
            place.display(),
            sides.current_dir.display()
        );
    }
    match comparison.outcome() {
        Outcome::Fine => Ok(Exit::Fine),
        Outcome::Regression => Ok(Exit::Regression),
        Outcome::Inconclusive => Ok(Exit::Inconclusive),
        Outcome::Nothing | Outcome::Unfit => Err(nothing(&comparison).into()),
    }
}

/// Two runs as read, and how to compare them.
pub(super) struct Sides {
    pub(super) baseline: Run,
    baseline_dir: PathBuf,
    pub(super) current: Run,
    current_dir: PathBuf,
    terms: Terms,
    pub(super) form: Form,
}

impl Sides {
    /// Reads both runs and every tolerance. Nothing is compared before all of it is
    /// in order.
    pub(super) fn read(a: &Path, b: &Path, args: &CompareArgs) -> anyhow::Result<Self> {
        let form = args.format.parse().map_err(Failure::usage)?;
        let policy = policy(&args.tolerance)?;
        let here = here()?;
        let terms = Terms {
            policy,
            across: args.across.clone(),
            partial: args.partial,
        };
        let (current_dir, current) = read(b, &here)?;
        let (baseline_dir, baseline) = fitting(a, &here, &current, &terms)?;
        Ok(Sides {
            baseline,
            baseline_dir,
            current,
            current_dir,
            terms,
            form,
        })
    }

    pub(super) fn compare(&self) -> Comparison {
        gate::compare(&self.baseline, &self.current, &self.terms)
    }

    /// Says what the latest calibration of this machine, if there is one beside
    /// either run, found it to resolve.
    fn heed_calibrations(&self, comparison: &mut Comparison) -> anyhow::Result<()> {
        let beside = calibration::beside(&[&self.baseline_dir, &self.current_dir]);
        let all = beside.map_err(Failure::usage)?;
        let testbeds = comparison.testbeds();
        let fitting = all
            .iter()
            .find(|(_, c)| testbeds.contains(&c.testbed) && c.fits(&self.current.host));
        if let Some((dir, calibration)) = fitting {
            calibration.warn(comparison, &dir.display().to_string());
        }
        Ok(())
    }
}

pub(super) fn here() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|e| Failure::Usage(format!("the current directory: {e}")))
}

/// The run that `word` means.
pub(super) fn read(word: &Path, here: &Path) -> Result<(PathBuf, Run), Failure> {
    let mut dirs = baseline::find(word, here).map_err(Failure::usage)?;
    open(dirs.swap_remove(0))
}

/// Of the runs that `word` means the first that may be compared with `current`, or
/// the first.
fn fitting(
    word: &Path,
    here: &Path,
    current: &Run,
    terms: &Terms,
) -> Result<(PathBuf, Run), Failure> {
    let dirs = baseline::find(word, here).map_err(Failure::usage)?;
    let several = dirs.len() > 1;
    let mut first = None;
    for dir in dirs {
        let (dir, run) = open(dir)?;
        if !several || gate::compare(&run, current, terms).refused.is_empty() {
            return Ok((dir, run));
        }
        first.get_or_insert((dir, run));
    }
    first.ok_or_else(|| Failure::Usage(format!("{} means no run", word.display())))
}

fn open(dir: PathBuf) -> Result<(PathBuf, Run), Failure> {
    let run = store::read(&dir).map_err(Failure::usage)?;
    for note in &run.notes {
        eprintln!("unmapbench: note: {}: {note}", dir.display());
    }
    Ok((dir, run))
}

/// The defaults, overridden by each of `words` in turn.
pub(super) fn policy(words: &[String]) -> Result<Policy, Failure> {
    let mut policy = Policy::defaults().map_err(Failure::usage)?;
    for word in words {
        if word.ends_with('%') {
            policy.overlay_word(word).map_err(Failure::usage)?;
            continue;
        }
        let text = fs::read_to_string(word).map_err(|e| {
            Failure::Usage(format!(
                "--tolerance {word}: {e}; give a TOML file or PATTERN=PERCENT%"
            ))
        })?;
        let at = |e| Failure::Usage(format!("--tolerance {word}: {e}"));
        policy.overlay(&text).map_err(at)?;
    }
    Ok(policy)
}

/// Why there is no verdict at all.
pub(super) fn nothing(comparison: &Comparison) -> Failure {
    if comparison.outcome() == Outcome::Unfit {
        let mut reasons = comparison
            .metrics
            .iter()
            .filter_map(|m| m.reason.as_deref());
        let why = reasons.next().unwrap_or("it has no samples");
        return Failure::Unfit(format!("the current run measured nothing: {why}"));
    }
    Failure::Usage(match comparison.refused.first() {
        Some(d) => {
            let reason = d.reason.as_ref().map(|why| format!("; {why}"));
            format!(
                "not compared: {d}{}; record a baseline here, or say --across {} if that is the question",
                reason.unwrap_or_default(),
                d.aspect
            )
        }
        None => "the runs have no measured cell in common: run the workloads and parameters of the baseline".into(),
    })
}
