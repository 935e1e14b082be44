// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the command line has Linux guests boot.

use crate::{cli::GuestArgs, exit::Failure, guest::Guest, lab_kernel, plan::Selection};
use ::lab::kernel_build::Options;
use results::{Testbed, cell::ParamValue};
use std::{
    fs,
    path::{Path, PathBuf},
};
use vmm::linux::Image;

/// What `args` names, with the lab's kernel where they name none; nothing if that is
/// not built.
///
/// # Errors
/// [`Failure::Usage`] for a file that cannot be read or is no kernel.
pub(super) fn choose(args: &GuestArgs) -> Result<Option<Guest>, Failure> {
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

/// Refuses files that fit none of the memories of `selection`. One that fits some
/// is a failed row where it does not.
///
/// # Errors
/// [`Failure::Usage`].
pub(super) fn check_room(
    guest: &Guest,
    selection: &Selection,
    testbeds: &[Testbed],
) -> Result<(), Failure> {
    let all = selection.workloads.iter();
    let boots = all.filter(|w| w.model.boots_linux);
    let cells = boots.flat_map(|w| {
        let on = |testbed: &Testbed| w.cells(selection.profile, *testbed);
        testbeds.iter().flat_map(on).collect::<Vec<_>>()
    });
    let memories = cells.filter_map(|params| match params.get("mem_mib") {
        Some(ParamValue::Int(mib)) => Some(*mib),
        _ => None,
    });
    let Some(most) = memories.max() else {
        return Ok(());
    };
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |m| m.len());
    let initrd = guest.initrd.as_ref().map_or(0, size);
    match initrd >> 20 < most {
        true => Ok(()),
        false => Err(Failure::Usage(format!(
            "{}: {} MiB do not fit into {most} MiB, the largest memory selected; choose a --profile with a larger one, or a smaller --guest-initrd",
            guest.initrd.as_deref().unwrap_or(Path::new("")).display(),
            initrd >> 20
        ))),
    }
}
