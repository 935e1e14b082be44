// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A kernel that was built.

use super::config;
use serde::Serialize;
use std::path::PathBuf;

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
