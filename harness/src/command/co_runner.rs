// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench co-runner`: works until its standard input ends, and says when each round
//! began.

use crate::exit::Exit;
use anyhow::Context;

/// Works on CPU `cpu`.
pub(super) fn run(cpu: usize) -> anyhow::Result<Exit> {
    vmm::virtio::pin(cpu).with_context(|| format!("cannot work on CPU {cpu}"))?;
    super::print("working\n")?;
    super::print(&format!("{}\n", serde_json::to_string(&models::rounds())?))?;
    Ok(Exit::Fine)
}
