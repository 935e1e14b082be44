// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What can go wrong when a report is made. A run that lacks cells is not
//! among it: what is missing is what a report shows.

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no format of this name.
    #[error("no {what} is called {given:?}; there are {known}")]
    UnknownFormat {
        /// What is chosen.
        what: &'static str,
        /// What was asked for.
        given: String,
        /// Every name, separated by commas.
        known: String,
    },
    /// The writer given to [`crate::write_samples`] failed.
    #[error("writing samples.csv: {0}")]
    Csv(#[source] csv::Error),
    /// The library that writes an export refused.
    #[error("writing {format}: {reason}")]
    Export {
        /// Which export.
        format: &'static str,
        /// What the library said.
        reason: String,
    },
    /// A comparison could not be written as JSON.
    #[error("writing JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// The plotting library refused a figure.
    #[error("drawing {figure}: {reason}")]
    Draw {
        /// The name of the figure.
        figure: String,
        /// What the library said.
        reason: String,
    },
}
