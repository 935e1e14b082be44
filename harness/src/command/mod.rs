// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The subcommands: one file each. They print; nothing below them does.

mod audit;
mod calibrate;
mod cell;
mod co_runner;
mod diff;
mod export;
mod gate;
mod guest;
mod lab;
mod lab_build;
mod list;
mod merge;
mod probe;
mod report;
mod run;

use crate::{
    cli::{Cli, Command, Lab, On, RunArgs},
    exit::{Exit, Failure},
    plan,
};
use anyhow::Context;
use results::Testbed;
use serde::Serialize;
use std::{
    io::{ErrorKind, Write, stdout},
    path::Path,
};
use strategies::registry;

/// Name and version of this program, as records have it.
const TOOL: &str = concat!("unmapbench ", env!("CARGO_PKG_VERSION"));

/// The revision that this program was built from.
const GIT: &str = env!("UNMAPBENCH_GIT");

/// Carries out a parsed command line. An error is one line on standard error.
pub fn dispatch(cli: Cli) -> Exit {
    let done = match cli.command {
        Command::Probe(args) => probe::run(args),
        Command::List(args) => list::run(args),
        Command::Run(args) => run::run(args),
        Command::Report(args) => report::run(args),
        Command::Export(args) => export::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Cell => cell::run(),
        Command::CoRunner { cpu } => co_runner::run(cpu),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Gate(args) => gate::run(&args),
        Command::Audit(args) => audit::run(args),
        Command::Lab(Lab::Build(args)) => lab_build::run(args),
        Command::Lab(Lab::Run(args)) => run::run(RunArgs {
            on: On::One(Testbed::Lab),
            ..args
        }),
        Command::Lab(Lab::Shell(args)) => lab::shell(&args),
        Command::LabInit => lab::init(),
    };
    done.unwrap_or_else(|error| {
        let exit = error
            .downcast_ref::<Failure>()
            .map_or(Exit::Usage, Failure::exit);
        eprintln!("unmapbench: {}", one_line(&error));
        exit
    })
}

/// An error and its causes on one line. Our own errors hold their cause in
/// their text, so a cause that has been said is not said again.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !line.contains(&cause) {
            let separator = if line.is_empty() { "" } else { ": " };
            line += separator;
            line += &cause.replace('\n', " ");
        }
    }
    line
}

/// Reads the run in `dir`, and says on standard error what had to be passed over.
fn recorded(dir: &Path) -> Result<results::Run, Failure> {
    let mut run = results::store::read(dir).map_err(Failure::usage)?;
    for note in &run.notes {
        eprintln!("unmapbench: note: {note}");
    }
    describe(&mut run.plan);
    Ok(run)
}

/// Tells of strategies what records of older versions do not say.
fn describe(plan: &mut results::Plan) {
    for told in plan
        .strategies
        .iter_mut()
        .filter(|told| told.differs_from.is_none())
    {
        if let Some(known) = registry::ALL.iter().find(|known| known.name == told.name) {
            let known = plan::info(known);
            told.differs_from = known.differs_from;
            told.parameters = known.parameters;
        }
    }
}

/// Prints `text`. A reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("standard output"),
    }
}

/// Prints `value` as JSON for a script.
fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}
