// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which subcommand a command line asks for, and what becomes of its error.

use super::{
    audit, calibrate, cell, co_runner, diff, export, gate, lab, lab_build, list, merge, probe,
    report, run,
};
use crate::{
    cli::{Cli, Command, Lab, On, RunArgs},
    exit::{Exit, Failure},
};
use results::Testbed;

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
