// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The forms in which other programs read a run: test reports, benchmark trackers,
//! metrics. To add one, write a file with a function of a run and give it a line in
//! the list below.
//!
//! Each form has one entry for each arm of each group: its figure over blocks, or why
//! there is none. What a form has no words for (an interval, a missing row) is left
//! out or put where that form has comments, never turned into a number.

mod bmf;
mod entry;
mod gha;
mod gobench;
mod hlog;
mod junit;
mod ktap;
mod openmetrics;

use crate::choice::choices;

choices! {
    /// A form that another program reads.
    Export, "export format";
    /// Writes `run` as `format`, UTF-8 with a line feed after each line.
    ///
    /// # Errors
    /// [`crate::Error::Export`] if the library that writes the form refused.
    export(run: &results::Run);
    /// Kernel TAP, version 1: as the kernel's own selftests report.
    Ktap: "ktap", "results.ktap", |run| Ok(ktap::ktap(run));
    /// JUnit XML, which CI systems show as tests.
    Junit: "junit", "junit.xml", junit::junit;
    /// Go's benchmark format, for benchstat: a line a block.
    Gobench: "gobench", "bench.txt", |run| Ok(gobench::gobench(run));
    /// Bencher Metric Format.
    Bmf: "bmf", "bmf.json", bmf::bmf;
    /// The JSON of github-action-benchmark, `customSmallerIsBetter`.
    Gha: "gha", "benchmarks.json", gha::gha;
    /// OpenMetrics text, for Prometheus and its kin.
    Openmetrics: "openmetrics", "metrics.txt", |run| Ok(openmetrics::openmetrics(run));
    /// HdrHistogram interval log: the samples of each block.
    Hlog: "hlog", "samples.hlog", hlog::hlog;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "xunit".parse::<Export>().unwrap_err().to_string();
        assert_eq!(
            error,
            "no export format is called \"xunit\"; there are ktap, junit, gobench, bmf, gha, \
             openmetrics, hlog"
        );
    }
}
