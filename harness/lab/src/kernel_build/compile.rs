// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Configures and compiles, in the source directory itself: then every path
//! that the compiler sees is relative, and where the cache is does not get
//! into the image. Nothing of the caller's environment does either.

use super::{
    Error, config,
    runner::{Runner, output_of},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The image, in the source directory.
const BZIMAGE: &str = "arch/x86/boot/bzImage";
/// What of the environment make gets; the rest (CFLAGS, ARCH, LLVM, …) could
/// change the bytes.
const KEPT: [&str; 3] = ["PATH", "HOME", "TMPDIR"];

/// `make` in `tree`, for a kernel whose release ends with `suffix`.
pub(super) fn make(tree: &Path, suffix: &str) -> Command {
    let mut make = Command::new("make");
    make.arg("-C").arg(tree).arg("ARCH=x86_64").env_clear();
    for name in KEPT {
        if let Some(value) = env::var_os(name) {
            make.env(name, value);
        }
    }
    make.env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env("LOCALVERSION", suffix)
        .env("KBUILD_BUILD_TIMESTAMP", "2026-01-01 00:00:00 UTC")
        .env("KBUILD_BUILD_USER", "unmapbench")
        .env("KBUILD_BUILD_HOST", "lab")
        // Else it counts the builds in this directory, resumed ones too.
        .env("KBUILD_BUILD_VERSION", "1");
    make
}

/// What a release ends with, so that a running kernel tells what is in it.
pub(super) fn suffix(series: &str) -> String {
    match series {
        "none" => "-lab.stock".into(),
        hash => format!("-lab.{hash}"),
    }
}

/// Writes `.config`: `tinyconfig`, the fragments, and what they imply.
///
/// # Errors
/// If a requested option did not stick.
pub(super) fn configure(
    tree: &Path,
    fragments: &str,
    version: &str,
    runner: &mut Runner,
    say: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    let path = tree.join(".config");
    let read = || fs::read_to_string(&path).map_err(Error::io("read", &path));
    runner.run("make tinyconfig", make(tree, "").arg("tinyconfig"), say)?;
    let merged = config::merge(&read()?, fragments);
    fs::write(&path, merged).map_err(Error::io("write", &path))?;
    runner.run("make olddefconfig", make(tree, "").arg("olddefconfig"), say)?;
    let lost = config::lost(fragments, &read()?);
    match lost.is_empty() {
        true => Ok(()),
        false => Err(Error::Config {
            version: version.into(),
            options: lost.join(", "),
            config: path,
        }),
    }
}

/// Where the files of a compiled kernel are, and its release.
pub(super) struct Compiled {
    pub(super) bzimage: PathBuf,
    pub(super) vmlinux: PathBuf,
    pub(super) config: PathBuf,
    pub(super) release: String,
}

/// Compiles what is not compiled yet.
pub(super) fn compile(
    tree: &Path,
    suffix: &str,
    jobs: usize,
    runner: &mut Runner,
    say: &mut dyn FnMut(&str),
) -> Result<Compiled, Error> {
    let mut all = make(tree, suffix);
    all.arg(format!("-j{jobs}")).args(["bzImage", "vmlinux"]);
    runner.run("make", &mut all, say)?;
    let mut ask = make(tree, suffix);
    let release = output_of(ask.args(["--silent", "--no-print-directory", "kernelrelease"]))?;
    Ok(Compiled {
        bzimage: tree.join(BZIMAGE),
        vmlinux: tree.join("vmlinux"),
        config: tree.join(".config"),
        release: release.trim().into(),
    })
}
