// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Builds the lab's kernel: source, patch series, configuration, make, cache.
//!
//! Everything that can change the kernel's bytes goes into a key; a finished
//! kernel appears under its key by an atomic rename, so that whoever finds one
//! finds a whole one. What is unfinished stays in a work directory of the same
//! key, where the next attempt goes on. The same inputs give the same bytes,
//! which is why an entry never has to be checked again.

mod apt;
mod builder;
mod cache;
mod choice;
mod compile;
mod config;
mod emulator;
mod error;
mod key;
mod mirror;
mod patches;
mod runner;
mod source;
mod tools;

#[cfg(test)]
mod tests;

pub use error::Error;

use builder::Builder;
use cache::Cache;
use serde::Serialize;
use std::path::PathBuf;

/// What makes a lab kernel out of one version of Linux.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// The version that it was written against, such as `7.3`.
    pub version: &'static str,
    /// File name and content of each patch, in the order of application.
    pub patches: &'static [(&'static str, &'static [u8])],
    /// What is asked for on top of `tinyconfig`.
    pub config: &'static str,
    /// What is asked for on top of that in a debug kernel; may be empty.
    pub debug_config: &'static str,
}

/// Which kernel to build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The Linux version, such as `7.3`; without it the newest series.
    pub version: Option<String>,
    /// A source directory or tarball instead of Debian's source package.
    pub source: Option<PathBuf>,
    /// With our patches or without.
    pub variant: Variant,
    /// With the series' debug options too.
    pub debug: bool,
}

/// What is applied to the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// The patch series of the version.
    #[default]
    Series,
    /// Nothing.
    Stock,
}

/// A finished kernel in the cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kernel {
    /// The image that boots.
    pub bzimage: PathBuf,
    /// The same as ELF.
    pub vmlinux: PathBuf,
    /// Its whole configuration.
    pub config: PathBuf,
    /// What `uname -r` says in it.
    pub release: String,
    /// Hash of the patches in it; `none` in a stock kernel.
    pub series: String,
    /// Stands for everything that went into it.
    pub key: String,
    /// The source directory or tarball that it was built from, unpatched; it
    /// may have been removed since.
    pub source: PathBuf,
}

impl Kernel {
    /// What compiled and linked it, as its configuration has it; `None` if that cannot be
    /// read: `gcc (Debian 12.2.0-14+deb12u1) 12.2.0, ld 2.40`.
    pub fn compiler(&self) -> Option<String> {
        config::compiler(&std::fs::read_to_string(&self.config).ok()?)
    }
}

/// The kernel of these options if it has been built already, out of `series`, the newest
/// version last. Neither fetches nor builds.
///
/// # Errors
/// If the options name no kernel, or the cache cannot be read.
pub fn cached(series: &'static [Series], options: &Options) -> Result<Option<Kernel>, Error> {
    Builder::of_this_machine(series)?.cached(options)
}

/// The kernel of these options out of `series`, built if it has to be; `say` hears what goes
/// on, one line at a time.
///
/// A second build of the same kernel waits for the first and finds its result.
///
/// # Errors
/// Each [`Error`] says what to do about it.
pub fn build(
    series: &'static [Series],
    options: &Options,
    say: &mut dyn FnMut(&str),
) -> Result<Kernel, Error> {
    Builder::of_this_machine(series)?.build(options, say)
}

/// Where the QEMU that [`fetch_emulator`] got is unpacked, if it did. Fetches nothing.
///
/// # Errors
/// If the cache cannot be read.
pub fn fetched_emulator() -> Result<Option<PathBuf>, Error> {
    emulator::fetched(&Cache::of_this_user()?)
}

/// Gets a QEMU that is newer than the machine's own and leaves that as it is; `works`
/// says whether what was unpacked runs here. Where it is.
///
/// # Errors
/// Each [`Error`] says what to do about it.
pub fn fetch_emulator(
    works: &dyn Fn(&std::path::Path) -> bool,
    say: &mut dyn FnMut(&str),
) -> Result<PathBuf, Error> {
    emulator::fetch(&Cache::of_this_user()?, works, say)
}
