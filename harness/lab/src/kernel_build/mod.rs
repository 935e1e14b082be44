// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Builds the lab's kernel: source, patch series, configuration, make, cache.
//!
//! Everything that can change the kernel's bytes goes into a key; a finished
//! kernel appears under its key by an atomic rename, so that an entry
//! that is found is whole. What is unfinished stays in a work directory of the same
//! key, where the next attempt goes on. The same inputs give the same bytes,
//! which is why an entry never has to be checked again.

mod builder;
mod cache;
mod choice;
mod compile;
mod config;
mod debian;
mod emulator;
mod error;
mod kernel;
mod key;
mod options;
mod patches;
mod runner;
mod source;
mod tools;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use kernel::Kernel;
pub use options::{Options, Series, Variant};

use builder::Builder;
use cache::Cache;
use std::path::PathBuf;

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
