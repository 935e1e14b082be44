// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which figures a run gets, and that the data beside each is what the run holds.

use crate::{disk, runs, tlb};
use report::{Figure, figures};
use results::{Run, Testbed};

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

#[test]
fn cost_by_cpus_is_a_curve_an_arm_of_medians() {
    let figures = figures(&tlb::tlb()).unwrap();
    let figure = named(&figures, "lab-mmio-user-read-cost-by-lab_cpus");
    assert_eq!(
        header(figure),
        "strategy,mode,lab_cpus (CPUs),median latency (insn)"
    );
    let mut expected = Vec::new();
    for (strategy, cost) in [
        ("memfd", 4_758),
        ("memfd-thp", 4_758),
        ("guest-memfd-reinsert", 4_758 + 4 * 1_392),
    ] {
        expected.extend([1, 2, 4].map(|n| format!("{strategy},,{n},{cost}")));
    }
    let lines: Vec<&str> = figure.csv.lines().skip(1).collect();
    assert_eq!(lines, expected);
    // A tick at each number of CPUs, and a dot for each point.
    for tick in [">\n1\n<", ">\n2\n<", ">\n4\n<"] {
        assert!(figure.svg.contains(tick), "{tick}");
    }
    assert_eq!(figure.svg.matches("<circle").count(), 9);
}

#[test]
fn modes_have_a_figure_apart_and_only_where_they_differ() {
    let figures = figures(&runs::lab()).unwrap();
    let defaults = named(&figures, "user-read-count-300-mem_mib-64-cost-by-lab_cpus");
    assert!(rows(defaults).iter().all(|row| row[1].is_empty()));
    let modes = named(&figures, "cost-by-lab_cpus-modes-of-guest-memfd-reinsert");
    let moded = rows(modes);
    assert!(moded.iter().any(|row| row[1] == *"access=held;flush=none"));
    assert!(moded.iter().any(|row| row[0] == *"memfd"));
    assert!(modes.svg.contains("… access=held flush=none"));
    // Those of guest-memfd-unmapped cost the same.
    let unmapped = |f: &Figure| f.name.ends_with("modes-of-guest-memfd-unmapped");
    assert!(!figures.iter().any(unmapped));
}

#[test]
fn a_chase_has_one_figure_by_size() {
    for figure in figures(&tlb::tlb()).unwrap() {
        assert!(!figure.name.contains("cost-by-places"), "{}", figure.name);
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

/// One figure of ratios for a testbed with few tables, one a family for many.
#[test]
fn ratios_stand_in_one_figure_or_one_a_family() {
    let few = figures(&runs::realistic(1)).unwrap();
    let figure = named(&few, "ratios");
    assert_eq!(figure.name, "host-all-workloads-ratios");
    for row in rows(figure) {
        assert_ne!(&row[2], "memfd");
        let value = |i: usize| row[i].parse::<f64>().unwrap();
        match &row[7] {
            "interval" => assert!(value(5) <= value(4) && value(4) <= value(6), "{row:?}"),
            _ => assert!(row[5].is_empty() && row[6].is_empty(), "{row:?}"),
        }
    }
    let many = figures(&runs::thousand_cells()).unwrap();
    let figure = named(&many, "ratios");
    assert_eq!(figure.name, "host-fault-ratios");
    assert!(figure.caption.contains("Shown are 2 of 200 settings"));
    assert!(figure.svg.contains("mem_mib=199") && !figure.svg.contains("mem_mib=100"));
}

#[test]
fn a_figure_on_demand_has_the_arms_that_were_asked_for() {
    let run = runs::lab();
    let cost = |workload, arms: &[&str]| report::cost(&run, workload, "lab_cpus", arms).unwrap();
    let figure = cost("mmio/user-read", &["memfd", "guest-memfd-reinsert/*"]).unwrap();
    let mut arms: Vec<String> = rows(&figure).iter().map(|r| r[0].to_string()).collect();
    assert_eq!(arms.len(), 2 * (1 + 5));
    arms.dedup();
    assert_eq!(arms, ["memfd", "guest-memfd-reinsert"]);
    assert_eq!(cost("no/such", &["memfd"]), None);
    assert_eq!(
        cost("boot/payload", &["memfd"]),
        None,
        "one number is no sweep"
    );
    assert_eq!(cost("mmio/user-read", &["nobody"]), None);
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

#[test]
fn numbers_of_a_record_do_not_hang_an_axis() {
    let mut run = tlb::tlb();
    run.rows.retain(|row| row.cell.testbed == Testbed::Lab);
    run.plan.cells.retain(|c| c.testbed == Testbed::Lab);
    let hostile = |cell: &mut results::Cell| {
        if let Some(n) = cell.params.get_mut("lab_cpus") {
            let to = match n.to_string().as_str() {
                "1" => 0,
                "2" => u64::MAX,
                _ => 1,
            };
            *n = results::ParamValue::Int(to);
        }
    };
    run.rows.iter_mut().for_each(|row| hostile(&mut row.cell));
    run.plan.cells.iter_mut().for_each(hostile);
    let figures = figures(&run).unwrap();
    let figure = named(&figures, "lab-mmio-user-read-cost-by-lab_cpus");
    assert!(figure.csv.contains(",0,") && figure.csv.contains(",18446744073709552000,"));
}
