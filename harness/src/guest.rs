// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a Linux guest boots: which kernel, which initrd, which command line.

use crate::{cell::Job, cli::GuestArgs, exit::Failure, lab_kernel, plan::Selection};
use lab::{initramfs::Archive, kernel_build::Options};
use results::{Fingerprint, Testbed, cell::ParamValue};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use vmm::linux::Image;
use workloads::Model;

/// The command line, after which that of the user comes. There is neither PCI nor
/// ACPI nor a BIOS; addresses are the same in every boot, and so figures are.
const CMDLINE: &str = "console=ttyS0 reboot=k panic=-1 nokaslr norandmaps loglevel=6 pci=off \
                       acpi=off rdinit=/init";

/// Where things lie in the lab.
const DIRECTORY: &str = "guest";

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

/// What `args` names, with the lab's kernel where they name none; nothing if that is
/// not built.
///
/// # Errors
/// [`Failure::Usage`] for a file that cannot be read or is no kernel.
pub fn choose(args: &GuestArgs) -> Result<Option<Guest>, Failure> {
    let cmdline = args.guest_cmdline.clone().unwrap_or_default();
    if let Some(path) = &args.guest_initrd {
        read(
            path,
            "--guest-initrd takes a cpio archive, compressed or not",
        )?;
    }
    let (kernel, name) = match &args.guest_kernel {
        Some(path) => {
            let takes = "--guest-kernel takes an ELF vmlinux or a bzImage for x86-64";
            let image = Image::new(read(path, takes)?);
            let image = image
                .map_err(|what| Failure::Usage(format!("{}: {what}; {takes}", path.display())))?;
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            (path.clone(), format!("{file} ({})", image.kind().name()))
        }
        None => match lab_kernel::cached(&Options::default()).map_err(Failure::usage)? {
            None => return Ok(None),
            Some(ours) => {
                let name = format!("{} series {} (ELF)", ours.release, ours.series);
                (ours.vmlinux, name)
            }
        },
    };
    Ok(Some(Guest {
        kernel,
        name,
        ours: args.guest_kernel.is_none(),
        initrd: args.guest_initrd.clone(),
        cmdline,
    }))
}

fn read(path: &Path, takes: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|e| Failure::Usage(format!("{}: {e}; {takes}", path.display())))
}

impl Guest {
    /// The kernel.
    ///
    /// # Errors
    /// One line.
    pub fn image(&self) -> Result<Image, String> {
        let bytes = fs::read(&self.kernel);
        let bytes = bytes.map_err(|e| format!("{}: {e}", self.kernel.display()))?;
        Image::new(bytes).map_err(|what| format!("{}: {what}", self.kernel.display()))
    }

    /// The initrd.
    ///
    /// # Errors
    /// One line.
    pub fn initrd(&self) -> Result<Vec<u8>, String> {
        match &self.initrd {
            Some(path) => fs::read(path).map_err(|e| format!("{}: {e}", path.display())),
            None => Ok(initrd()),
        }
    }

    /// Whether it is nothing but the initrd of our own, so that one knows how long it
    /// takes.
    pub fn is_ours(&self) -> bool {
        self.initrd.is_none() && self.ours
    }

    /// The whole command line.
    pub fn cmdline(&self) -> String {
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

    /// Refuses files that fit none of the memories of `selection`. One that fits some
    /// is a failed row where it does not.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub fn check_room(&self, selection: &Selection, beds: &[Testbed]) -> Result<(), Failure> {
        let all = selection.workloads.iter();
        let boots = all.filter(|w| w.model == Model::Linux);
        let cells = boots.flat_map(|w| {
            let on = |testbed: &Testbed| w.cells(selection.profile, *testbed);
            beds.iter().flat_map(on).collect::<Vec<_>>()
        });
        let memories = cells.filter_map(|params| match params.get("mem_mib") {
            Some(ParamValue::Int(mib)) => Some(*mib),
            _ => None,
        });
        let Some(most) = memories.max() else {
            return Ok(());
        };
        let size = |path: &PathBuf| fs::metadata(path).map_or(0, |m| m.len());
        let initrd = self.initrd.as_ref().map_or(0, size);
        match initrd >> 20 < most {
            true => Ok(()),
            false => Err(Failure::Usage(format!(
                "{}: {} MiB do not fit into {most} MiB, the largest memory selected; choose a --profile with a larger one, or a smaller --guest-initrd",
                self.initrd.as_deref().unwrap_or(Path::new("")).display(),
                initrd >> 20
            ))),
        }
    }
}

/// An initrd whose only process is ours.
fn initrd() -> Vec<u8> {
    let mut archive = Archive::default();
    archive.directory("dev");
    archive.device("dev/console", 5, 1);
    archive.device("dev/mem", 1, 1);
    archive.device("dev/kmsg", 1, 11);
    archive.program("init", workloads::INIT);
    archive.finish()
}

/// What a Linux guest boots, on its way into the lab.
pub(crate) struct GuestFiles {
    files: Vec<(String, Vec<u8>)>,
}

/// Reads what the guests of `jobs` boot and makes the jobs name where it will be. All
/// jobs of a run boot the same.
///
/// # Errors
/// The file that could not be read.
pub(crate) fn pack(jobs: &mut [Job]) -> Result<GuestFiles, (PathBuf, io::Error)> {
    let mut files = Vec::new();
    let mut put = |path: &mut PathBuf, name: &str, pack: fn(Vec<u8>) -> Vec<u8>| {
        let inside = format!("{DIRECTORY}/{name}");
        if files.iter().all(|(known, _)| *known != inside) {
            let bytes = fs::read(&*path).map_err(|e| (path.clone(), e))?;
            files.push((inside.clone(), pack(bytes)));
        }
        *path = Path::new("/").join(inside);
        Ok(())
    };
    // A file that is no kernel goes as it is, so that the cell can say what it is.
    let smaller = |bytes: Vec<u8>| match Image::new(bytes.clone()) {
        Ok(image) => image.into_bytes(),
        Err(_) => bytes,
    };
    for job in jobs {
        if let Job::Measure {
            guest: Some(guest), ..
        } = job
        {
            put(&mut guest.kernel, "kernel", smaller)?;
            if let Some(initrd) = &mut guest.initrd {
                put(initrd, "initrd", |bytes| bytes)?;
            }
        }
    }
    Ok(GuestFiles { files })
}

impl GuestFiles {
    /// Adds it to the lab's root.
    pub(crate) fn add_to(&self, archive: &mut Archive) {
        if !self.files.is_empty() {
            archive.directory(DIRECTORY);
        }
        for (name, bytes) in &self.files {
            archive.file(name, bytes);
        }
    }
}
