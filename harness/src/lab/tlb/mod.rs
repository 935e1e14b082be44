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

use super::{build, qemu::Qemu};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The plugin, where it was built (`harness/build.rs`).
const PLUGIN: &str = env!("UNMAPBENCH_TLB_MODEL");

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
    /// The machine's own QEMU if it is new enough, else the one that `lab build` got.
    ///
    /// # Errors
    /// What is missing, and what to do about it.
    pub fn find(own: &Qemu, geometry: Geometry) -> Result<Self, String> {
        let plugin = PathBuf::from(PLUGIN);
        if !plugin.is_file() {
            return Err(format!(
                "the plugin is not where it was built ({PLUGIN}): build this program again"
            ));
        }
        Ok(Modelling {
            qemu: qemu(own)?,
            plugin,
            geometry,
        })
    }

    /// The same; a QEMU is got if none will do.
    ///
    /// # Errors
    /// Why it could not be had.
    pub fn get(own: &Qemu, geometry: Geometry, say: &mut dyn FnMut(&str)) -> Result<Self, String> {
        Self::find(own, geometry.clone()).or_else(|_| {
            let works = |home: &Path| Qemu::at(home).is_ok_and(|qemu| will_do(&qemu));
            build::fetch_emulator(&works, say).map_err(|e| e.to_string())?;
            Self::find(own, geometry)
        })
    }

    /// The QEMU that it takes.
    pub fn qemu(&self) -> &Qemu {
        &self.qemu
    }

    /// Has `command`, which boots a machine of `memory_mib`, model; the machine's memory
    /// is to be a file in `dir`.
    pub(super) fn arrange(&self, command: &mut Command, dir: &Path, memory_mib: u32) {
        let ram = dir.join("ram").display().to_string().replace(',', ",,");
        let below = u64::from(BELOW_MIB.min(memory_mib)) << 20;
        let plugin = self.plugin.display().to_string().replace(',', ",,");
        let Geometry { l1, l2, .. } = &self.geometry;
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
    }

    /// A directory for the memory, gone with the boot: in memory if that can be.
    ///
    /// # Errors
    /// As [`tempfile::tempdir`].
    pub(super) fn directory() -> std::io::Result<tempfile::TempDir> {
        tempfile::tempdir_in(MEMORY_FILES).or_else(|_| tempfile::tempdir())
    }

    /// What it is, for a record.
    pub fn describe(&self) -> String {
        let Geometry {
            name, cpu, l1, l2, ..
        } = &self.geometry;
        format!(
            "modelled, not measured: {name} ({cpu}), data side, L1 {l1}, L2 {l2}, LRU; in QEMU {}",
            self.qemu.version
        )
    }
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
            own.version
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
            found.version
        ))),
    }
}

fn will_do(qemu: &Qemu) -> bool {
    qemu.at_least(OLDEST) && qemu.takes_plugins()
}
