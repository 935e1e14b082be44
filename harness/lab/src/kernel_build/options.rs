// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which kernels can be built, and which of them is asked for.

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
