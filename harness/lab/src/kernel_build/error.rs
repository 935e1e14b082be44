// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why there is no kernel, and what to do about it.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Why a kernel was not built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No place for the cache is known.
    #[error("no directory to build kernels in: set UNMAPBENCH_CACHE, XDG_CACHE_HOME or HOME")]
    NoCache,
    /// A version that is none.
    #[error("--kernel-version {0}: not a version such as 7.3")]
    Version(String),
    /// We have no patches for this version.
    #[error(
        "no patch series for Linux {asked} (there is: {known}): ask for one of those, or for --stock"
    )]
    NoSeries {
        /// What was asked for.
        asked: String,
        /// The versions that there are.
        known: String,
    },
    /// `--kernel-src` is not what it should be.
    #[error("--kernel-src {}: {cause}; it takes a Linux source directory or tarball", path.display())]
    Source {
        /// What was given.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// Programs or headers are not installed.
    #[error("building a kernel needs {missing}: install them (Debian: apt-get install {packages})")]
    Tools {
        /// The tools that are not there.
        missing: String,
        /// Debian's packages of them.
        packages: String,
    },
    /// The mirror cannot be asked, or does not answer.
    #[error(
        "the kernel source cannot be fetched: {0}; check the network and apt's configuration, or give the source by --kernel-src DIR|TARBALL"
    )]
    Fetch(#[source] Box<Error>),
    /// No newer QEMU can be had.
    #[error("a newer QEMU could not be got from Debian's backports: {0}")]
    Emulator(String),
    /// The mirror has no source that will do.
    #[error(
        "{package} is not in {suite} of the configured mirrors (there: {there}){tried}: give the source by --kernel-src DIR|TARBALL"
    )]
    Gone {
        /// What was looked for.
        package: String,
        /// Where.
        suite: &'static str,
        /// What is there instead.
        there: String,
        /// Why that does not do.
        tried: String,
    },
    /// A patch does not apply.
    #[error(
        "patch {patch} does not apply to Linux {version}: {place}; use --kernel-src with the source it was written for, --kernel-version, or --stock"
    )]
    Patch {
        /// The patch's file name.
        patch: String,
        /// The kernel's own version.
        version: String,
        /// File and hunk.
        place: String,
    },
    /// Requested options that the configuration does not have.
    #[error("Linux {version} does not take these options of the configuration fragment: {options}; see their dependencies in {}", config.display())]
    Config {
        /// The kernel's own version.
        version: String,
        /// The options, with what became of them.
        options: String,
        /// The configuration that came out.
        config: PathBuf,
    },
    /// A program failed.
    #[error("{what} {how}: {line} (the whole log: {})", log.display())]
    Command {
        /// What it was to do.
        what: String,
        /// How it ended.
        how: String,
        /// The line of its output that says most.
        line: String,
        /// Where its output is.
        log: PathBuf,
    },
    /// Ctrl-C.
    #[error("{0} was interrupted: the same command goes on where it stopped")]
    Interrupted(String),
    /// The cache's disk is full.
    #[error("{}: disk full ({detail}); free some space there or set UNMAPBENCH_CACHE to a directory on another disk, and the build goes on", path.display())]
    DiskFull {
        /// Where.
        path: PathBuf,
        /// How that was found out.
        detail: String,
    },
    /// A file or a program cannot be used.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or program.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// The error of doing `action` with `path`, for `map_err`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::DiskFull {
                path,
                detail: source.to_string(),
            },
            _ => Error::Io {
                action,
                path,
                source,
            },
        }
    }
}
