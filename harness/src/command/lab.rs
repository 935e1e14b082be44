// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Making a lab out of what the command line names and the cache holds.

use super::Staffed;
use crate::{
    exit::{Exit, Failure},
    lab::{
        self, Image, Lab, Qemu,
        build::{self, Options},
    },
    plan::Bed,
};
use results::Testbed;
use std::path::PathBuf;

/// A lab for each of `kernels`; of ours if there are none.
pub(super) fn executors(kernels: &[PathBuf]) -> Result<Vec<Staffed>, Failure> {
    let unfit = |e: lab::Error| Failure::Unfit(e.to_string());
    let qemu = Qemu::find().map_err(unfit)?;
    let mut all: Vec<Staffed> = Vec::new();
    if kernels.is_empty() {
        let found = build::cached(&Options::default()).map_err(Failure::usage)?;
        let kernel = found.ok_or_else(|| {
            Failure::Unfit("the lab's kernel is not built yet: run `unmapbench lab build`".into())
        })?;
        let name = format!("{} series {}", kernel.release, kernel.series);
        let lab = Lab::new(qemu, kernel.bzimage, name).map_err(unfit)?;
        all.push((Bed::of(Testbed::Lab), Box::new(lab)));
        return Ok(all);
    }
    for (i, path) in kernels.iter().enumerate() {
        let image = Image::open(path).map_err(Failure::usage)?;
        let release = image.version.split(' ').next().unwrap_or_default();
        let bed = Bed {
            testbed: Testbed::Lab,
            // Two images may have the same release.
            kernel: Some(format!("{}:{release}", i + 1)),
        };
        let lab = Lab::new(qemu.clone(), image.path, image.version).map_err(unfit)?;
        all.push((bed, Box::new(lab)));
    }
    Ok(all)
}

/// `unmapbench lab-init`.
pub(super) fn init() -> anyhow::Result<Exit> {
    lab::run_inside()?;
    Ok(Exit::Fine)
}
