// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What can be wrong with a definition or a selection.

/// A definition that cannot be used, or a selection that selects nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A definition file does not parse.
    #[error("{file}: {what}")]
    Definition {
        /// The file's name.
        file: String,
        /// Line and cause, one line.
        what: String,
    },
    /// A parameter is missing, of the wrong kind or out of range.
    #[error("{workload}: parameter {name}: {what}")]
    Param {
        /// The workload.
        workload: String,
        /// The parameter.
        name: String,
        /// The cause and what would do.
        what: String,
    },
    /// A pattern matches no workload.
    #[error(
        "no workload matches {pattern:?}{}; `unmapbench list` names them all",
        did_you_mean(nearest)
    )]
    NoMatch {
        /// The pattern.
        pattern: String,
        /// The id that is spelled most like it.
        nearest: Option<String>,
    },
    /// A pattern is not one.
    #[error("{pattern:?} is not a pattern: {what}; use * and ? as in a shell")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// The cause.
        what: String,
    },
    /// A word is no profile.
    #[error("unknown profile {0:?}; profiles are quick, report and full")]
    Profile(String),
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|n| format!(" (did you mean {n}?)"))
        .unwrap_or_default()
}
