// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which figures a run gets, and that the data beside each is what the run holds.

use crate::{disk, runs, tlb};
use report::{Figure, figures};
use results::Run;

/// The figure whose name ends so; there must be one.
#[track_caller]
fn named<'f>(figures: &'f [Figure], end: &str) -> &'f Figure {
    let found: Vec<&Figure> = figures.iter().filter(|f| f.name.ends_with(end)).collect();
    let names: Vec<&str> = figures.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(found.len(), 1, "{end} in {names:#?}");
    found[0]
}

fn rows(figure: &Figure) -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_reader(figure.csv.as_bytes());
    reader.records().map(Result::unwrap).collect()
}

fn header(figure: &Figure) -> &str {
    figure.csv.lines().next().unwrap_or_default()
}

#[test]
fn every_figure_has_data_whose_numbers_are_finite() {
    let all = [
        runs::realistic(2),
        runs::fake_and_lab(),
        runs::lab(),
        disk::disk(),
        tlb::tlb(),
        runs::hostile(),
    ];
    for figure in all.iter().flat_map(|run| figures(run).unwrap()) {
        let rows = rows(&figure);
        assert!(!rows.is_empty(), "{}", figure.name);
        let columns: Vec<&str> = header(&figure).split(',').collect();
        let first = columns.iter().position(|c| *c == "mode").unwrap() + 1;
        for field in rows.iter().flat_map(|row| row.iter().skip(first)) {
            if let Ok(number) = field.parse::<f64>() {
                assert!(number.is_finite(), "{}: {field}", figure.name);
            }
        }
    }
}

/// Where every arm repeats one count there is nothing to describe.
#[test]
fn samples_that_are_all_the_same_have_no_curves() {
    let mut run = runs::realistic(2);
    let described = |run: &Run| {
        let figures = figures(run).unwrap();
        let of = ["percentiles", "ecdf", "histogram"];
        let curves = figures
            .iter()
            .filter(|f| of.iter().any(|kind| f.name.ends_with(kind)));
        curves.count()
    };
    assert!(described(&run) > 0);
    for row in &mut run.rows {
        if let results::Outcome::Measured { samples, .. } = &mut row.outcome {
            for values in samples.values_mut() {
                values.fill(4_858);
            }
        }
    }
    assert_eq!(described(&run), 0);
}

#[test]
fn an_ecdf_ends_with_all_samples_and_never_falls() {
    let figures = figures(&runs::realistic(2)).unwrap();
    let figure = named(&figures, "fault-guest-touch-mem_mib-64-ecdf");
    assert_eq!(
        header(figure),
        "strategy,mode,latency (ns),share of samples at or below (%)"
    );
    let rows = rows(figure);
    for arm in rows.chunk_by(|a, b| a[0] == b[0]) {
        let points: Vec<[f64; 2]> = arm
            .iter()
            .map(|row| [2, 3].map(|i| row[i].parse().unwrap()))
            .collect();
        assert!(
            points
                .windows(2)
                .all(|w| w[0][0] < w[1][0] && w[0][1] < w[1][1])
        );
        assert_eq!(points.last().map(|p| p[1]), Some(100.0));
    }
}

/// Phases sum up to their bar, in base units.
#[test]
fn phases_have_a_line_each() {
    let figures = figures(&runs::realistic(1)).unwrap();
    let figure = named(&figures, "boot-payload-mem_mib-64-phases");
    assert_eq!(header(figure), "strategy,mode,phase,median (ns)");
    let memfd: Vec<_> = rows(figure)
        .into_iter()
        .filter(|r| r[0] == *"memfd")
        .collect();
    let phases: Vec<&str> = memfd.iter().map(|r| &r[2]).collect();
    assert_eq!(phases, runs::PHASES);
}
