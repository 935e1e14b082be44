// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench run`: measure, record, report.

use crate::{
    arm,
    cli::RunArgs,
    execute::Executor,
    exit::{Exit, Failure},
    guest,
    plan::{Bed, Selection},
    probe::{self, Probed},
    run::{self, End, Lineup},
};
use anyhow::Context;
use lab::interrupt;
use observe::fingerprint;
use report::{Format, Question};
use results::{Header, Testbed, record::SCHEMA, store::Recorder};
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

    let mut beds = Vec::new();
    let mut unfit = Vec::new();
    for testbed in args.on.testbeds() {
        match fit(*testbed, &selection, &args) {
            Ok(found) => beds.extend(found),
            Err(failure @ Failure::Usage(_)) => return Err(failure.into()),
            Err(failure) => unfit.push(format!("{testbed}: {failure}")),
        }
    }
    if beds.is_empty() {
        return Err(Failure::Unfit(format!("nothing can be run: {}", unfit.join("; "))).into());
    }
    let mut host = fingerprint::fingerprint();
    if beds.iter().all(|b| b.bed.testbed != Testbed::Host) {
        // They are about time on this machine; the lab's instructions do not mind.
        host.warnings.clear();
    }
    for why in unfit {
        eprintln!("unmapbench: left out: {why}");
        host.warnings.push(format!("Left out: {why}"));
    }
    for bed in &beds {
        bed.executor.describe(&mut host);
    }
    if let Some(guest) = selection.guest.as_ref().filter(|_| selection.boots_linux()) {
        guest.describe(&mut host);
    }
    fingerprint::moving(&mut host, "before");
    let plan = selection.plan(&beds.iter().map(|b| b.bed.clone()).collect::<Vec<_>>());
    let mut recorder = Recorder::create(&out, &header(&args, started), &plan, &host)?;
    let audits: Vec<_> = beds.iter().flat_map(|b| b.lineup.audits.clone()).collect();
    recorder.write_audits(&audits)?;
    interrupt::watch();
    let mut ended = End::Complete;
    for b in &beds {
        let end = run::run(
            b.executor.as_ref(),
            &selection,
            &b.bed,
            &b.lineup,
            &mut recorder,
        );
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
        lab_cpus: args.lab.cpus(args.profile),
        seed: args.seed,
        guest: None,
        delays: BTreeMap::new(),
    };
    let beds = args.on.testbeds();
    let has_cells = |w: &Workload| {
        beds.iter()
            .any(|bed| !w.cells(args.profile, *bed).is_empty())
    };
    if !selection.workloads.iter().any(has_cells) {
        return Err(Failure::Usage(format!(
            "the workloads selected have no cells in the profile {}; choose --profile report",
            args.profile.name()
        )));
    }
    if selection.boots_linux() {
        selection.guest = guest::choose(&args.guest)?;
    }
    if let Some(guest) = &selection.guest {
        guest.check_room(&selection, args.on.testbeds())?;
    }
    Ok(selection)
}

/// The patterns of the workloads to run: those given, or those of the questions that
/// the profile `list` is there to answer; none for all.
fn wanted(args: &RunArgs) -> Vec<String> {
    match (&args.workloads[..], args.profile) {
        ([], Profile::List) => {
            let ids = report::questions().iter().flat_map(Question::workloads);
            ids.map(str::to_string).collect()
        }
        (given, _) => given.to_vec(),
    }
}

/// A bed that at least one arm runs on.
pub(super) struct Fit {
    pub(super) bed: Bed,
    pub(super) executor: Box<dyn Executor>,
    pub(super) lineup: Lineup,
}

/// The beds of `testbed` on which anything runs.
pub(super) fn fit(
    testbed: Testbed,
    selection: &Selection,
    args: &RunArgs,
) -> Result<Vec<Fit>, Failure> {
    let mut all = Vec::new();
    for (bed, executor) in super::executors(testbed, args.seed, &args.lab)? {
        let probed = probe::probe(executor.as_ref(), &selection.strategies());
        if probed.iter().all(|p| p.refusal.is_some()) {
            return Err(nothing_runs(&probed));
        }
        let lineup = Lineup::new(executor.as_ref(), selection, testbed, &probed);
        all.push(Fit {
            bed,
            executor,
            lineup,
        });
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
