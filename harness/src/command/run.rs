// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench run`: measure, record, report.

use crate::{
    arm,
    cli::RunArgs,
    execute::{self, TestbedInstance, Wanted},
    exit::{Exit, Failure},
    plan::Selection,
    probe::{self, Probed},
    run::{self, ArmAvailability, End},
};
use anyhow::Context;
use lab::interrupt;
use observe::fingerprint;
use report::{Format, Question};
use results::{Header, Testbed, Unit, record::SCHEMA, store::Recorder};
use std::{
    collections::BTreeMap,
    fs,
    io::BufWriter,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};
use workloads::{Profile, Workload};

/// Runs what the command line selects.
pub(super) fn run(args: RunArgs) -> anyhow::Result<Exit> {
    let selection = select(&args)?;
    let started = unix_now();
    let out = args.out.clone().unwrap_or_else(|| default_out(started));
    if out.symlink_metadata().is_ok() {
        return Err(Failure::usage(results::store::Error::Exists(out)).into());
    }

    let mut fits = Vec::new();
    let mut unfit = Vec::new();
    for testbed in args.on.testbeds() {
        match fit(testbed, &selection, &args) {
            Ok(found) => fits.extend(found),
            Err(failure @ Failure::Usage(_)) => return Err(failure.into()),
            Err(failure) => unfit.push(format!("{testbed}: {failure}")),
        }
    }
    if fits.is_empty() {
        return Err(Failure::Unfit(format!("nothing can be run: {}", unfit.join("; "))).into());
    }
    let mut host = fingerprint::fingerprint();
    let timed = |t: Testbed| t.unit() == Unit::Ns && t != Testbed::Fake;
    if !fits.iter().any(|fit| timed(fit.instance.testbed)) {
        // They are about time on this machine.
        host.warnings.clear();
    }
    for why in unfit {
        eprintln!("unmapbench: left out: {why}");
        host.warnings.push(format!("Left out: {why}"));
    }
    for fit in &fits {
        fit.instance.executor.describe(&mut host);
    }
    if let Some(guest) = selection.guest.as_ref().filter(|_| selection.boots_linux()) {
        guest.describe(&mut host);
    }
    fingerprint::moving(&mut host, "before");
    let plan = selection.plan(fits.iter().map(|fit| &fit.instance));
    let mut recorder = Recorder::create(&out, &header(&args, started), &plan, &host)?;
    let audits = fits.iter().flat_map(|fit| fit.arms.audits.clone());
    let audits: Vec<_> = audits.collect();
    recorder.write_audits(&audits)?;
    interrupt::watch();
    let mut ended = End::Complete;
    for fit in &fits {
        let end = run::run(&fit.instance, &selection, &fit.arms, &mut recorder);
        // Whatever ended the run, what it recorded is whole and can be reported.
        let shows = || {
            format!(
                "recording stopped; `unmapbench report {}` shows what is there",
                out.display()
            )
        };
        if end.with_context(shows)? == End::Interrupted {
            ended = End::Interrupted;
            break;
        }
    }
    fingerprint::moving(&mut host, "after");
    recorder.complete_host(&host)?;

    let page = write_reports(&out)?;
    super::print(&format!("\nreport: {}\n", page.display()))?;
    Ok(match ended {
        End::Complete => Exit::Fine,
        End::Interrupted => {
            eprintln!(
                "unmapbench: interrupted; the cells until then are recorded in {}",
                out.display()
            );
            Exit::Interrupted
        }
    })
}

pub(super) fn select(args: &RunArgs) -> Result<Selection, Failure> {
    if args.blocks == Some(0) {
        return Err(Failure::Usage(
            "--blocks 0 measures nothing; give 1 or more, 15 for an interval worth having".into(),
        ));
    }
    let all = workloads::all().map_err(Failure::usage)?;
    let mut selection = Selection {
        arms: arm::arms(
            &args.strategies,
            args.all_modes || args.profile != Profile::Quick,
        )?,
        workloads: workloads::select(all, &wanted(args)).map_err(Failure::usage)?,
        profile: args.profile,
        blocks: args.blocks,
        seed: args.seed,
        guest: None,
        delays: BTreeMap::new(),
    };
    let testbeds = args.on.testbeds();
    let has_cells = |w: &Workload| {
        let mut on = testbeds.iter();
        on.any(|testbed| !w.cells(args.profile, *testbed).is_empty())
    };
    if !selection.workloads.iter().any(has_cells) {
        return Err(Failure::Usage(format!(
            "the workloads selected have no cells in the profile {}; choose --profile report",
            args.profile.name()
        )));
    }
    if selection.boots_linux() {
        selection.guest = super::guest::choose(&args.guest)?;
    }
    if let Some(guest) = &selection.guest {
        super::guest::check_room(guest, &selection, &testbeds)?;
    }
    Ok(selection)
}

/// The patterns of the workloads to run: those given, or those of the questions that
/// the profile `full` is there to answer; none for all.
fn wanted(args: &RunArgs) -> Vec<String> {
    match (&args.workloads[..], args.profile) {
        ([], Profile::Full) => {
            let ids = report::questions().iter().flat_map(Question::workloads);
            ids.map(str::to_string).collect()
        }
        (given, _) => given.to_vec(),
    }
}

/// A testbed that at least one arm runs on.
pub(super) struct Fit {
    pub(super) instance: TestbedInstance,
    pub(super) arms: ArmAvailability,
}

/// What there is of `testbed`, if anything runs on it.
pub(super) fn fit(
    testbed: Testbed,
    selection: &Selection,
    args: &RunArgs,
) -> Result<Vec<Fit>, Failure> {
    let mut all = Vec::new();
    let wanted = Wanted {
        seed: args.seed,
        profile: args.profile,
        lab: &args.lab,
    };
    for instance in execute::instances(testbed, &wanted)? {
        let probed = probe::probe(instance.executor.as_ref(), &selection.strategies());
        if probed.iter().all(|p| p.refusal.is_some()) {
            return Err(nothing_runs(&probed));
        }
        let arms = ArmAvailability::new(&instance, selection, &probed);
        all.push(Fit { instance, arms });
    }
    Ok(all)
}

fn nothing_runs(probed: &[Probed]) -> Failure {
    let why = |p: &Probed| {
        let (reason, remedy) = p.why();
        let remedy = remedy
            .map(|r| format!(" (remedy: {r})"))
            .unwrap_or_default();
        format!(
            "{}: {}{remedy}",
            p.strategy.name,
            reason.unwrap_or("failed")
        )
    };
    let all: Vec<_> = probed.iter().map(why).collect();
    Failure::Unfit(format!(
        "none of the strategies runs here: {}",
        all.join("; ")
    ))
}

pub(super) fn header(args: &RunArgs, started_unix: u64) -> Header {
    Header {
        schema: SCHEMA,
        tool: super::TOOL.into(),
        git: super::GIT.into(),
        seed: args.seed,
        profile: args.profile.name().into(),
        command: command_line(),
        started_unix,
    }
}

/// The command line as the reader of a report would type it.
pub(super) fn command_line() -> Vec<String> {
    let mut words = vec!["unmapbench".to_string()];
    words.extend(
        std::env::args_os()
            .skip(1)
            .map(|w| w.to_string_lossy().into_owned()),
    );
    words
}

/// Every format into the run directory, the figures below it with their data, and the terminal
/// table on standard output. Returns the page's path.
fn write_reports(out: &Path) -> anyhow::Result<PathBuf> {
    let run = results::store::read(out)?;
    for format in Format::ALL {
        let path = out.join(format.file_name());
        match format {
            Format::Terminal => super::print(&report::terminal(&run))?,
            // Too large to be made in memory first.
            Format::Csv => {
                let file =
                    fs::File::create_new(&path).with_context(|| path.display().to_string())?;
                report::write_samples(&run, BufWriter::new(file))?;
            }
            _ => write(&path, &report::render(*format, &run)?)?,
        }
    }
    let figures = out.join("figures");
    fs::create_dir(&figures).with_context(|| figures.display().to_string())?;
    for figure in report::figures(&run)? {
        for (suffix, text) in [("svg", &figure.svg), ("csv", &figure.csv)] {
            write(&figures.join(format!("{}.{suffix}", figure.name)), text)?;
        }
    }
    Ok(out.join(Format::Html.file_name()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

pub(super) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}

/// A name in the current directory that no other run has.
fn default_out(started: u64) -> PathBuf {
    PathBuf::from(format!("unmapbench-{started}-{}", std::process::id()))
}
