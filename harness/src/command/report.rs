// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench report`: a recorded run, rendered.

use crate::{
    cli::ReportArgs,
    exit::{Exit, Failure},
};
use report::Format;

/// Prints the run in the format asked for.
pub(super) fn run(args: ReportArgs) -> anyhow::Result<Exit> {
    let format: Format = args.format.parse().map_err(Failure::usage)?;
    let run = super::recorded(&args.dir)?;
    super::print(&report::render(format, &run)?)?;
    Ok(Exit::Fine)
}
