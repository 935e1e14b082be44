// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Exit codes. They are a contract, and they never collapse into one another.

use std::process::ExitCode;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did what it was asked.
    Fine = 0,
    /// A comparison found a regression.
    Regression = 1,
    /// A mistake in the command line, or an I/O error.
    Usage = 2,
    /// A comparison could not decide.
    Inconclusive = 3,
    /// Nothing could be run in this environment.
    Unfit = 4,
    /// Interrupted by Ctrl-C; what was recorded until then is whole.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// An error that decides the exit code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Exit code 4.
    #[error("{0}")]
    Unfit(String),
}

impl Failure {
    /// Its exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::Usage(_) => Exit::Usage,
            Failure::Unfit(_) => Exit::Unfit,
        }
    }

    /// A usage or I/O error out of any error, its whole text on one line.
    pub fn usage(error: impl std::fmt::Display) -> Self {
        Failure::Usage(error.to_string())
    }
}
