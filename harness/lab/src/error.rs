// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why the lab cannot be used at all. What goes wrong within a boot is an
//! outcome of its cells instead.

use std::{io, path::PathBuf};

/// What keeps the lab from running.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no emulator.
    #[error(
        "{program} is missing: install Debian's package {package} (as root: apt-get install {package})"
    )]
    NoEmulator {
        /// The program that was looked for.
        program: &'static str,
        /// The package that has it.
        package: &'static str,
    },
    /// An emulator does not say what it is, is too old, or cannot be that machine.
    #[error("{0}")]
    Emulator(String),
    /// A kernel image is not one.
    #[error("{}: {what}; --kernel takes a bzImage for x86-64", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file-system call failed.
    #[error("{}: {action}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no shell to take along.
    #[error(
        "a statically linked busybox is missing: install Debian's package busybox-static (as root: apt-get install busybox-static)"
    )]
    NoBusybox,
    /// The machine ended before the command in it did.
    #[error("the lab {0} before the command did")]
    Lost(String),
    /// A directory that is to come along has no name of its own.
    #[error("--with {}: it needs a name that is not already in the lab: bin, dev, init, proc, sys and tmp are", .0.display())]
    With(PathBuf),
    /// This program cannot run inside the lab.
    #[error(
        "this program is not linked statically, so it cannot run inside the lab: build it in the repository, whose .cargo/config.toml sees to that"
    )]
    NotStatic,
}

pub(crate) fn io_error(
    action: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::Io {
        action,
        path,
        source,
    }
}
