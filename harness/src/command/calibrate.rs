// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench calibrate`: how often is gate wrong here, and what does it find?

use super::{gate, run};
use crate::{
    calibrate::{delays, record},
    cli::{CalibrateArgs, GuestArgs, On, RunArgs},
    execute::LabArgs,
    exit::{Exit, Failure},
};
use lab::interrupt;
use observe::fingerprint;
use results::{
    Cell, Run, Testbed, Unit,
    calibrate::{Calibration, How, SCHEMA, Source, Tally, resampled, slowed},
    gate::{Outcome, Role, Terms, compare},
    store::calibration,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use workloads::Profile;

/// Tries out gates, stores what they came to, and prints it.
pub(super) fn run(args: &CalibrateArgs) -> anyhow::Result<Exit> {
    if let Some(percent) = args.inject.filter(|p| !(0.0 < *p && *p <= 1000.0)) {
        return Err(Failure::Usage(format!(
            "--inject {percent}: give percent above 0 and up to 1000"
        ))
        .into());
    }
    let terms = Terms {
        policy: gate::policy(&args.tolerance)?,
        across: Vec::new(),
        partial: false,
    };
    let mut gates = Gates {
        args,
        terms,
        tally: Tally::default(),
        slowed: 0,
    };
    let (source, machine) = match &args.from {
        Some(word) => (Source::Resampled, gates.resample(word)?),
        None => match gates.measure()? {
            Some(measured) => (Source::Measured, measured),
            None => return Ok(Exit::Interrupted),
        },
    };
    let calibration = gates.calibration(source, &machine)?;
    if let Some(out) = &machine.out {
        let path = calibration::write(out, &calibration).map_err(Failure::usage)?;
        eprintln!("unmapbench: kept in {}", path.display());
    }
    match args.json {
        true => super::print_json(&calibration)?,
        false => super::print(&report::calibration(&calibration))?,
    }
    Ok(Exit::Fine)
}

/// What was tried on.
struct Tried {
    /// One of the runs, for what it says of its machine.
    run: Run,
    testbed: Testbed,
    started: u64,
    /// Where the runs are; `None` if none was made.
    out: Option<PathBuf>,
}

/// The gates of a calibration, and what they have called so far.
struct Gates<'a> {
    args: &'a CalibrateArgs,
    terms: Terms,
    tally: Tally,
    /// How many gates had a slowed run.
    slowed: u32,
}

impl Gates<'_> {
    /// Gates of runs whose blocks are drawn out of a recorded one.
    fn resample(&mut self, word: &Path) -> anyhow::Result<Tried> {
        let (_, run) = gate::read(word, &gate::here()?)?;
        let mut testbeds: Vec<_> = run.rows.iter().map(|row| row.cell.testbed).collect();
        testbeds.retain(|t| t.unit() == Unit::Ns);
        let Some(testbed) = testbeds.first().copied() else {
            return Err(lab_repeats().into());
        };
        for i in 0..u64::from(self.args.gates) {
            let seed = self.args.seed.wrapping_mul(1_000_003).wrapping_add(3 * i);
            let [a, b, c] = [0, 1, 2].map(|n| resampled(&run, self.args.blocks, seed + n));
            let equal = compare(&a, &b, &self.terms);
            self.tally.equal(&equal);
            if let Some(percent) = self.args.inject {
                let gated = equal.metrics.iter().filter(|m| m.role == Role::Gated);
                let factor = 1.0 + percent / 100.0;
                let factors: BTreeMap<Cell, f64> =
                    gated.map(|m| (m.cell.clone(), factor)).collect();
                let slow = compare(&a, &slowed(&c, &factors), &self.terms);
                self.tally.slowed(&slow, factors.keys());
                self.slowed += 1;
            }
        }
        Ok(Tried {
            testbed,
            started: run.header.started_unix,
            run,
            out: None,
        })
    }

    /// Gates of runs that are made for it. `None` if interrupted.
    fn measure(&mut self) -> anyhow::Result<Option<Tried>> {
        let testbed = match self.args.on {
            On::One(testbed) if testbed.unit() == Unit::Ns => testbed,
            On::One(_) | On::All => return Err(lab_repeats().into()),
        };
        let started = run::unix_now();
        let default = || format!("unmapbench-calibration-{started}-{}", std::process::id());
        let out = self.args.out.clone().unwrap_or_else(|| default().into());
        let run_args = self.run_args();
        let mut selection = run::select(&run_args)?;
        let fits = run::fit(testbed, &selection, &run_args)?;
        let fit = fits.first().ok_or_else(|| {
            Failure::Unfit(format!("nothing can be run on the testbed {testbed}"))
        })?;
        if let Some(parent) = out.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(parent)
                .map_err(|e| Failure::Usage(format!("{}: {e}", parent.display())))?;
        }
        fs::create_dir(&out)
            .map_err(|e| Failure::Usage(format!("{}: {e}; name another --out", out.display())))?;
        interrupt::watch();
        let mut header = run::header(&run_args, started);
        let mut last = None;
        for i in 1..=u64::from(self.args.gates) {
            let mut one = |name: &str, selection: &crate::plan::Selection| {
                header.started_unix = run::unix_now();
                let dir = out.join(format!("{i:03}-{name}"));
                record(&fit.instance, selection, &fit.arms, &header, &dir)
            };
            selection.seed = self.args.seed.wrapping_add(i);
            selection.delays.clear();
            let (Some(a), Some(b)) = (one("a", &selection)?, one("b", &selection)?) else {
                return Ok(None);
            };
            let equal = compare(&a, &b, &self.terms);
            if equal.outcome() == Outcome::Unfit || equal.outcome() == Outcome::Nothing {
                return Err(gate::nothing(&equal).into());
            }
            self.tally.equal(&equal);
            if let Some(percent) = self.args.inject {
                selection.delays = delays(&a, &equal, percent);
                if selection.delays.is_empty() {
                    return Err(Failure::Usage(
                        "--inject adds work to the VMM's answers, and none of these workloads waits for one: add mmio/user-read, mmio/user-write or pio/user".into(),
                    )
                    .into());
                }
                let Some(c) = one("slowed", &selection)? else {
                    return Ok(None);
                };
                let slow = compare(&b, &c, &self.terms);
                self.tally.slowed(&slow, selection.delays.keys());
                self.slowed += 1;
            }
            last = Some(b);
        }
        let run = last.ok_or_else(|| Failure::Usage("--gates 0 tries nothing".into()))?;
        Ok(Some(Tried {
            run,
            testbed,
            started,
            out: Some(out),
        }))
    }

    fn run_args(&self) -> RunArgs {
        RunArgs {
            on: self.args.on,
            profile: Profile::Quick,
            strategies: self.args.strategies.clone(),
            workloads: self.args.workloads.clone(),
            blocks: Some(self.args.blocks),
            seed: self.args.seed,
            out: None,
            all_modes: false,
            guest: GuestArgs {
                guest_kernel: None,
                guest_initrd: None,
                guest_cmdline: None,
            },
            lab: LabArgs {
                cpus: vec![1],
                kernel: Vec::new(),
                tlb_model: None,
            },
        }
    }

    fn calibration(&self, source: Source, tried: &Tried) -> Result<Calibration, Failure> {
        let none = || Failure::Usage("no gate was tried".into());
        let how = match source {
            Source::Measured => How::Work,
            Source::Resampled => How::Arithmetic,
        };
        let percent = self.args.inject.filter(|_| self.slowed > 0);
        Ok(Calibration {
            schema: SCHEMA,
            git: env!("UNMAPBENCH_GIT").into(),
            command: run::command_line(),
            started_unix: tried.started,
            source,
            host: match source {
                Source::Measured => fingerprint::fingerprint(),
                Source::Resampled => tried.run.host.clone(),
            },
            testbed: tried.testbed,
            blocks: self.args.blocks,
            level: self.terms.policy.level,
            false_positives: self.tally.false_positives().ok_or_else(none)?,
            inconclusive: self.tally.inconclusive().ok_or_else(none)?,
            injected: percent.and_then(|percent| self.tally.injected(percent, how)),
            metrics: self.tally.resolutions(),
        })
    }
}

fn lab_repeats() -> Failure {
    Failure::Usage(
        "the lab repeats to the last digit: there is nothing to calibrate; use --on host".into(),
    )
}
