// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which emulator and which kernels a lab is made of.

use super::executor::{Kernel, Lab};
use crate::{
    execute::{Kind, TestbedInstance, Wanted},
    exit::Failure,
    lab_kernel,
};
use lab::{
    Error,
    emulator::Qemu,
    image::Image,
    kernel_build,
    tlb::{Geometry, Modelling},
};
use results::Testbed;
use std::path::Path;

/// The emulated machine.
pub(in crate::execute) const KIND: Kind = Kind {
    testbed: Testbed::Lab,
    about: "The emulated machine that counts instructions",
    real: true,
    open,
};

/// A lab for each kernel that is named; of ours if none is.
fn open(wanted: &Wanted<'_>) -> Result<Vec<TestbedInstance>, Failure> {
    let named = wanted.lab.tlb_model.as_deref();
    let geometry =
        Geometry::find(named).map_err(|e| Failure::Usage(format!("--tlb-model: {e}")))?;
    let unfit = |e: Error| Failure::Unfit(e.to_string());
    let qemu = Qemu::find().map_err(unfit)?;
    let modelling = Modelling::find(&qemu, Path::new(lab_kernel::TLB_MODEL), geometry);
    let instance = |kernel, name| {
        let lab = Lab::new(qemu.clone(), kernel).map_err(unfit)?;
        let lab = lab.modelling(modelling.clone(), named.is_some());
        Ok(TestbedInstance {
            kernel: name,
            cpus: wanted.lab.cpus(wanted.profile),
            ..TestbedInstance::of(Testbed::Lab, lab)
        })
    };
    let images = &wanted.lab.kernel;
    if images.is_empty() {
        return Ok(vec![instance(ours()?, None)?]);
    }
    let all = images.iter().enumerate().map(|(i, path)| {
        let image = Image::open(path).map_err(Failure::usage)?;
        let release = image.version.split(' ').next().unwrap_or_default();
        // Two images may have the same release.
        let name = format!("{}:{release}", i + 1);
        let kernel = Kernel {
            image: image.path,
            name: image.version.clone(),
            sha256: image.sha256,
            compiler: None,
            base: None,
        };
        instance(kernel, Some(name))
    });
    all.collect()
}

/// The kernel that `lab build` made.
fn ours() -> Result<Kernel, Failure> {
    let kernel = lab_kernel::ours()?;
    let image = Image::open(&kernel.bzimage).map_err(Failure::usage)?;
    Ok(Kernel {
        image: image.path,
        name: format!("{} series {}", kernel.release, kernel.series),
        sha256: image.sha256,
        compiler: kernel.compiler(),
        base: Some(base(&kernel)),
    })
}

/// The Linux that the series was applied to: its version, which is the tag that it was
/// made from upstream, and the file that it came in.
fn base(kernel: &kernel_build::Kernel) -> String {
    let version = kernel.release.split('-').next().unwrap_or_default();
    let source = kernel.source.file_name().unwrap_or_default();
    format!("v{version} ({})", source.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use crate::execute::LabArgs;
    use clap::Args;
    use lab::tlb::Geometry;

    #[test]
    fn the_command_line_names_all_models_of_tlbs() {
        let command = LabArgs::augment_args(clap::Command::new("run"));
        let mut options = command.get_arguments();
        let option = options.find(|a| a.get_id() == "tlb_model").unwrap();
        let help = option.get_help().unwrap().to_string();
        for Geometry { name, .. } in Geometry::all().unwrap() {
            assert!(help.contains(&name), "{name}: {help}");
        }
    }
}
