// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab's TLB model: a QEMU that can be asked about registers and memory, and the
//! plugin that does, which is handed to it as a file.
//!
//! The plugin finds pages by itself, in the machine's memory, which therefore is a file
//! that both map. What it counts is modelled, not measured, and is called so wherever
//! it is shown. The lab's other boots stay with the machine's own QEMU, of whose
//! version the recorded counts are.

mod geometry;

pub use geometry::Geometry;

use crate::{
    Error,
    emulator::{Emulator, Identity, Prepared, Qemu, Start},
    error::io_error,
    kernel_build as build,
};
use std::path::{Path, PathBuf};

/// The oldest QEMU whose plugins were seen to read registers here: API version 4.
const OLDEST: (u32, u32) = (10, 0);

/// How much of the machine's memory lies below its devices; said to QEMU too.
const BELOW_MIB: u32 = 2048;

/// Where files are memory, if that is there.
const MEMORY_FILES: &str = "/dev/shm";

/// What models TLBs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modelling {
    qemu: Qemu,
    plugin: PathBuf,
    geometry: Geometry,
}

impl Modelling {
    /// The machine's own QEMU if it is new enough, else the one that `lab build` got, with
    /// the model of `harness/tlb-model`, built as a shared object at `plugin`.
    ///
    /// # Errors
    /// What is missing, and what to do about it.
    pub fn find(own: &Qemu, plugin: &Path, geometry: Geometry) -> Result<Self, String> {
        if !plugin.is_file() {
            return Err(format!(
                "the plugin is not where it was built ({}): build this program again",
                plugin.display()
            ));
        }
        Ok(Modelling {
            qemu: qemu(own)?,
            plugin: plugin.into(),
            geometry,
        })
    }

    /// The same; a QEMU is got if none will do.
    ///
    /// # Errors
    /// Why it could not be had.
    pub fn get(
        own: &Qemu,
        plugin: &Path,
        geometry: Geometry,
        say: &mut dyn FnMut(&str),
    ) -> Result<Self, String> {
        Self::find(own, plugin, geometry.clone()).or_else(|_| {
            let works = |home: &Path| Qemu::at(home).is_ok_and(|qemu| will_do(&qemu));
            build::fetch_emulator(&works, say).map_err(|e| e.to_string())?;
            Self::find(own, plugin, geometry)
        })
    }

    /// What it is, for a record.
    pub fn describe(&self) -> String {
        let Geometry {
            name, cpu, l1, l2, ..
        } = &self.geometry;
        format!(
            "modelled, not measured: {name} ({cpu}), data side, L1 {l1}, L2 {l2}, LRU; in QEMU {}",
            self.qemu.identity().version
        )
    }
}

impl Emulator for Modelling {
    fn identity(&self) -> &Identity {
        self.qemu.identity()
    }

    /// QEMU with the plugin. The machine's memory is a file that is gone with the boot,
    /// in memory if that can be.
    fn prepare(&self, start: &Start<'_>) -> Result<Prepared, Error> {
        let dir = tempfile::tempdir_in(MEMORY_FILES).or_else(|_| tempfile::tempdir());
        let dir = dir.map_err(io_error("create", std::env::temp_dir()))?;
        let memory_mib = start.machine.memory_mib;
        let ram = escaped(&dir.path().join("ram"));
        let below = u64::from(BELOW_MIB.min(memory_mib)) << 20;
        let plugin = escaped(&self.plugin);
        let Geometry { l1, l2, .. } = &self.geometry;
        let mut command = self.qemu.prepare(start)?.command;
        command
            .args([
                "-object",
                &format!("memory-backend-file,id=ram,mem-path={ram},size={memory_mib}M,share=on"),
            ])
            .args([
                "-machine",
                &format!("memory-backend=ram,max-ram-below-4g={BELOW_MIB}M"),
            ])
            .args([
                "-plugin",
                &format!("{plugin},ram={ram},below={below},l1={l1},l2={l2}"),
            ]);
        Ok(Prepared {
            command,
            scratch: Some(dir),
        })
    }
}

/// A path within one of QEMU's options, where a comma separates.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

/// A QEMU that takes the plugin.
fn qemu(own: &Qemu) -> Result<Qemu, String> {
    if will_do(own) {
        return Ok(own.clone());
    }
    let (major, minor) = OLDEST;
    let lacks = |why: String| {
        format!(
            "it takes QEMU {major}.{minor} or later, whose plugins can read registers, and this machine's is {}; {why}",
            own.identity().version
        )
    };
    let fetched = build::fetched_emulator().map_err(|e| lacks(e.to_string()))?;
    let home =
        fetched.ok_or_else(|| lacks("`unmapbench lab build` gets one apart from it".into()))?;
    let found = Qemu::at(&home).map_err(|e| lacks(e.to_string()))?;
    match will_do(&found) {
        true => Ok(found),
        false => Err(lacks(format!(
            "so is the one that was got, {}",
            found.identity().version
        ))),
    }
}

fn will_do(qemu: &Qemu) -> bool {
    qemu.at_least(OLDEST) && qemu.takes_plugins()
}
