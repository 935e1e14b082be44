// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What Linux guests boot, on its way into the lab.

use crate::job::Job;
use lab::initramfs::Archive;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use vmm::linux::Image;

/// Where things lie in the lab.
const DIRECTORY: &str = "guest";

/// Files of the lab's root for its guests.
pub(super) struct GuestFiles {
    files: Vec<(String, Vec<u8>)>,
}

/// Reads what the guests of `jobs` boot and makes the jobs name where it will be. All
/// jobs of a run boot the same.
///
/// # Errors
/// The file that could not be read.
pub(super) fn pack(jobs: &mut [Job]) -> Result<GuestFiles, (PathBuf, io::Error)> {
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
    pub(super) fn add_to(&self, archive: &mut Archive) {
        if !self.files.is_empty() {
            archive.directory(DIRECTORY);
        }
        for (name, bytes) in &self.files {
            archive.file(name, bytes);
        }
    }
}
