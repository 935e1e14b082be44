// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a Linux guest boots: which kernel, which initrd, which command line.

use lab::initramfs::Archive;
use models::LinuxGuest;
use results::Fingerprint;
use serde::{Deserialize, Serialize};
use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
};
use vmm::linux::Image;

/// The command line, after which that of the user comes. There is neither PCI nor
/// ACPI nor a BIOS; addresses are the same in every boot, and so figures are.
const CMDLINE: &str = "console=ttyS0 reboot=k panic=-1 nokaslr norandmaps loglevel=6 pci=off \
                       acpi=off rdinit=/init";

/// What a Linux guest boots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// The kernel: an ELF vmlinux or a bzImage.
    pub kernel: PathBuf,
    /// What it is called in records.
    pub name: String,
    /// Whether it is the lab's own kernel.
    pub ours: bool,
    /// The initrd; without one, a tiny one whose first process is ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initrd: Option<PathBuf>,
    /// What the command line has besides ours.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cmdline: String,
}

impl Guest {
    /// Reads what is to be booted.
    ///
    /// # Errors
    /// The file that cannot be read or is no kernel, one line.
    pub fn load(&self) -> Result<LinuxGuest, String> {
        let said = |path: &Path, what: &dyn Display| format!("{}: {what}", path.display());
        let kernel = fs::read(&self.kernel).map_err(|e| said(&self.kernel, &e))?;
        Ok(LinuxGuest {
            image: Image::new(kernel).map_err(|what| said(&self.kernel, &what))?,
            initrd: match &self.initrd {
                Some(path) => fs::read(path).map_err(|e| said(path, &e))?,
                None => initrd(),
            },
            cmdline: self.cmdline(),
            ours: self.is_ours(),
        })
    }

    /// Whether it is nothing but the initrd of our own, so that one knows how long it
    /// takes.
    fn is_ours(&self) -> bool {
        self.initrd.is_none() && self.ours
    }

    /// The whole command line.
    fn cmdline(&self) -> String {
        format!("{CMDLINE} {}", self.cmdline).trim_end().to_string()
    }

    /// For a record.
    pub fn describe(&self, host: &mut Fingerprint) {
        let initrd = self.initrd.as_ref().map(|path| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        });
        host.push("guest.kernel", Some(self.name.clone()));
        host.push("guest.initrd", initrd);
        host.push("guest.cmdline", Some(self.cmdline()));
    }
}

/// An initrd whose only process is ours.
fn initrd() -> Vec<u8> {
    let mut archive = Archive::default();
    archive.directory("dev");
    archive.device("dev/console", 5, 1);
    archive.device("dev/mem", 1, 1);
    archive.device("dev/kmsg", 1, 11);
    archive.program("init", models::INIT);
    archive.finish()
}
