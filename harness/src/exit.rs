// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Exit codes. They are a contract, and they never collapse into one another.

use std::process::ExitCode;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked.
    Fine,
    /// A comparison found a regression.
    Regression,
    /// A mistake in the command line, or an I/O error.
    Usage,
    /// A comparison could not decide.
    Inconclusive,
    /// Nothing could be run in this environment.
    Unfit,
    /// Interrupted by Ctrl-C; what was recorded until then is whole.
    Interrupted,
    /// Not ours: that of a command that was run in the lab.
    Command(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Regression => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Unfit => 4,
            Exit::Interrupted => 130,
            Exit::Command(code) => code,
        })
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
