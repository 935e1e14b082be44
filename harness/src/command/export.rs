// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench export`: a recorded run for another program to read.

use crate::{
    cli::ExportArgs,
    exit::{Exit, Failure},
};
use report::Export;

/// Prints the run in the form asked for.
pub(super) fn run(args: ExportArgs) -> anyhow::Result<Exit> {
    let format: Export = args.format.parse().map_err(Failure::usage)?;
    let run = super::recorded(&args.dir)?;
    super::print(&report::export(format, &run)?)?;
    Ok(Exit::Fine)
}
