// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench cell`: a job on standard input, its answer on standard output.

use crate::{cell, exit::Exit};
use anyhow::Context;
use std::io::stdin;

/// Carries out one job.
pub(super) fn run() -> anyhow::Result<Exit> {
    let job = serde_json::from_reader(stdin().lock())
        .context("standard input holds no job; `run` starts this command, people do not")?;
    super::print(&serde_json::to_string(&cell::carry_out(&job))?)?;
    Ok(Exit::Fine)
}
