// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A run on disk: a directory that is created once, grows line by line and is
//! never overwritten.
//!
//! | file | written | holds |
//! |---|---|---|
//! | `plan.json` | first | [`Plan`](crate::Plan): what is to be done |
//! | `host.json` | second, completed at the end | [`Fingerprint`](crate::Fingerprint) |
//! | `audit.json` | whenever an arm was audited; optional | [`Audit`](crate::Audit)s |
//! | `consoles/*.txt` | before the row of a guest that had a console | all that it showed |
//! | `calibration.json` | when a calibration ends, in a directory of its own | [`Calibration`](crate::calibrate::Calibration) |
//! | `samples.jsonl` | one line per cell and block | [`Header`](crate::Header), then [`Row`](crate::Row)s |
//!
//! A process that is killed between two system calls loses the row in flight
//! and nothing else: each row is one `write`, and a reader passes over a last
//! line that has no newline.

pub mod baseline;
pub mod calibration;
mod exercise;
mod reader;
mod writer;

pub use exercise::exercise;
pub use reader::read;
pub use writer::Recorder;

use std::{io, path::PathBuf};

/// The samples' file name within a run directory.
pub const SAMPLES: &str = "samples.jsonl";
/// The plan's file name.
pub const PLAN: &str = "plan.json";
/// The fingerprint's file name.
pub const HOST: &str = "host.json";
/// The directory of what guests' consoles showed.
pub const CONSOLES: &str = "consoles";
/// The file name of what was found of isolation.
pub const AUDIT: &str = "audit.json";

/// Why a run could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The output directory is there already.
    #[error("{}: exists already, and a run is never overwritten; name another --out or move it away", .0.display())]
    Exists(PathBuf),
    /// A file-system call failed.
    #[error("{}: {action}: {source}{}", path.display(), remedy(source))]
    Io {
        /// What was tried: `create`, `write`, `read`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The directory lacks a file that every run has.
    #[error("{}: not a run directory: it has no {file}; name a directory that `unmapbench run` made", dir.display())]
    NotARun {
        /// The directory.
        dir: PathBuf,
        /// The absent file.
        file: &'static str,
    },
    /// There is no baseline of that name.
    #[error("{}: no such run directory, and no baseline of that name; {known}", word.display())]
    NoBaseline {
        /// What was asked for.
        word: PathBuf,
        /// What there is.
        known: String,
    },
    /// A file does not hold what it should.
    #[error("{}: line {line}: {what}; the file was changed after it was recorded: restore it from a copy", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The record was written by another version of the format.
    #[error("{}: record schema {found}, this version reads {}; use the unmapbench that wrote it", path.display(), crate::record::SCHEMA)]
    Schema {
        /// The file.
        path: PathBuf,
        /// The schema it states.
        found: u64,
    },
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space: what was recorded until here is whole and can be reported"
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "; name an --out on a file system that you may write to"
        }
        io::ErrorKind::NotFound => "; check the path",
        _ => "",
    }
}

fn io_error(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests;
