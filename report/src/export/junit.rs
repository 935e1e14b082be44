// SPDX-License-Identifier: Apache-2.0 OR MIT
//! JUnit XML: a suite a group, in it a case an arm. Missing is skipped, failed an error
//! (a failure would be a test that found something). The figures are in the case's
//! output; its time is that of one operation where a clock was read.

use super::entry::{Entry, digits, groups, symbol};
use crate::Error;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use results::{Run, Unit, compare::Hole};
use std::time::Duration;

pub(super) fn junit(run: &Run) -> Result<String, Error> {
    let mut report = Report::new("unmapbench");
    report.add_test_suites(groups(run, |name, entries| {
        let mut suite = TestSuite::new(name);
        suite.add_test_cases(entries.iter().map(|entry| case(name, entry)));
        suite
    }));
    report.to_string().map_err(|e| Error::Export {
        format: "junit",
        reason: e.to_string(),
    })
}

fn case(group: &str, entry: &Entry<'_>) -> TestCase {
    let status = match &entry.figures {
        Ok(_) => TestCaseStatus::success(),
        Err(hole @ (Hole::Missing { .. } | Hole::NotRun)) => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(hole.to_string());
            skipped
        }
        Err(hole) => {
            let mut failed = TestCaseStatus::non_success(NonSuccessKind::Error);
            failed.set_type("failed").set_message(hole.to_string());
            failed
        }
    };
    let mut case = TestCase::new(entry.arm(), status);
    case.set_classname(group);
    if let Ok((figures, unit)) = &entry.figures {
        if *unit == Unit::Ns {
            case.set_time(Duration::from_nanos(figures.median as u64));
        }
        let [median, min, max] = [figures.median, figures.min, figures.max].map(digits);
        case.set_system_out(format!(
            "{}: median {median} {}, min {min}, max {max}, n {}",
            entry.series,
            symbol(*unit),
            figures.blocks.len()
        ));
    }
    case
}
