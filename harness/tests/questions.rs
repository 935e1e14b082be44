// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The questions that a report answers name workloads and values of their parameters; the
//! profile `full` must have cells of them, or a question would never be answered.

use results::Testbed;
use workloads::Profile;

#[test]
fn the_profile_list_runs_what_every_question_needs() {
    let workloads = workloads::all().unwrap();
    for question in report::questions() {
        for wanted in &question.of {
            let mut words = wanted.split('?');
            let id = words.next().unwrap();
            let workload = workloads.iter().find(|w| w.id == id);
            let workload = workload.unwrap_or_else(|| panic!("{}: no {id}", question.name));
            let testbeds = [Testbed::Host, Testbed::Lab];
            let cells = testbeds.map(|testbed| workload.cells(Profile::Full, testbed));
            let fits = cells.iter().flatten().any(|cell| {
                words.clone().all(|word| {
                    let (name, value) = word.split_once('=').unwrap();
                    cell.get(name).is_some_and(|v| v.to_string() == value)
                })
            });
            assert!(fits, "{}: no cell of {wanted}", question.name);
        }
    }
}

/// Nor would its columns have anything at a glance.
#[test]
fn every_column_at_a_glance_is_of_a_workload() {
    let workloads = workloads::all().unwrap();
    for (column, ids) in report::columns() {
        assert!(!ids.is_empty(), "{column}");
        for id in ids {
            assert!(workloads.iter().any(|w| w.id == id), "{column}: no {id}");
        }
    }
}
