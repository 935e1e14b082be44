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

mod dispatch;

pub use dispatch::dispatch;

use crate::{exit::Failure, plan};
use anyhow::Context;
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
