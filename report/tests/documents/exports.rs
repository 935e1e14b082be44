// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is exported, read by others: by packages that read the form where there are some,
//! else by the rules that its documentation states.

use crate::{disk, runs, tlb};
use base64::{Engine, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{
        Deserializer,
        interval_log::{IntervalLogIterator, LogEntry},
    },
};
use report::{Export, export};
use results::{
    Run,
    compare::{Hole, compare},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

fn all() -> Vec<Run> {
    vec![
        runs::realistic(40),
        runs::only_missing(),
        runs::one_sample(),
        runs::lab(),
        disk::disk(),
        tlb::tlb(),
        runs::hostile(),
    ]
}

/// How many arms of `run` are measured, missing (or not run), and failed.
fn arms(run: &Run) -> [usize; 3] {
    let tables = compare(run);
    let mut counts = [0; 3];
    for arm in tables.iter().flat_map(|table| &table.arms) {
        counts[match &arm.figures {
            Ok(_) => 0,
            Err(Hole::Missing { .. } | Hole::NotRun) => 1,
            Err(_) => 2,
        }] += 1;
    }
    counts
}

#[test]
fn junit_is_read_by_a_parser_of_it() {
    for run in all() {
        let text = export(Export::Junit, &run).unwrap();
        let read = junit_parser::from_reader(text.as_bytes()).unwrap();
        let cases: Vec<_> = read.suites.iter().flat_map(|suite| &suite.cases).collect();
        let count =
            |is: fn(&junit_parser::TestCase) -> bool| cases.iter().filter(|c| is(c)).count();
        let found = [
            count(|c| c.status.is_success()),
            count(|c| c.status.is_skipped()),
            count(|c| c.status.is_error()),
        ];
        assert_eq!(found, arms(&run));
        assert_eq!(read.tests as usize, cases.len());
        assert_eq!(read.errors as usize, found[2]);
    }
}

/// The samples of an exposition by family: label values by label. Panics at whatever
/// the grammar of OpenMetrics text 1.0 does not have.
fn exposition(text: &str) -> BTreeMap<String, Vec<BTreeMap<String, String>>> {
    let mut families: BTreeMap<String, Vec<BTreeMap<String, String>>> = BTreeMap::new();
    let mut family = String::new();
    let body = text.strip_suffix("# EOF\n").expect("the end is marked");
    for line in body.lines() {
        if let Some(metadata) = line.strip_prefix("# ") {
            let [kind, name, rest] = metadata.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            match kind {
                "TYPE" => {
                    assert_eq!(rest, "gauge");
                    family = name.to_string();
                    // A family stands in one place.
                    assert_eq!(families.insert(family.clone(), Vec::new()), None);
                }
                "UNIT" => assert!(name == family && name.ends_with(rest), "{line}"),
                "HELP" => assert!(name == family && !rest.contains(['\\', '"']), "{line}"),
                _ => panic!("{line}"),
            }
            continue;
        }
        let rest = line.strip_prefix(&family).expect("a sample of the family");
        let mut rest = rest.strip_prefix('{').expect("labels");
        let mut labels = BTreeMap::new();
        while !rest.starts_with('}') {
            let (name, after) = rest.split_once("=\"").expect("a label");
            let name = name.trim_start_matches(',');
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            let (mut value, mut chars) = (String::new(), after.char_indices());
            let end = loop {
                match chars.next().expect("a value ends") {
                    (at, '"') => break at,
                    (_, '\\') => match chars.next().expect("an escape ends").1 {
                        c @ ('\\' | '"') => value.push(c),
                        'n' => value.push('\n'),
                        c => panic!("escaped {c:?}: {line}"),
                    },
                    (_, c) => value.push(c),
                }
            };
            assert_eq!(labels.insert(name.to_string(), value), None, "{line}");
            rest = &after[end + 1..];
        }
        let value: f64 = rest
            .strip_prefix("} ")
            .expect("a value")
            .parse()
            .expect("a number");
        assert!(value.is_finite(), "{line}");
        let samples = families.get_mut(&family).expect("metadata comes first");
        assert!(!samples.contains(&labels), "twice: {line}");
        samples.push(labels);
    }
    families
}

#[test]
fn openmetrics_is_read_by_its_grammar() {
    for run in all() {
        let families = exposition(&export(Export::Openmetrics, &run).unwrap());
        let [measured, missing, failed] = arms(&run);
        let cells = &families["unmapbench_cell"];
        assert_eq!(cells.len(), measured + missing + failed);
        let operations = families
            .iter()
            .filter(|(name, _)| name.contains("operation"));
        let medians = operations.flat_map(|(_, samples)| samples);
        assert_eq!(medians.filter(|s| s["stat"] == "median").count(), measured);
    }
}

/// Each interval's histogram is that of a block: the same number of samples, and a median
/// to the three digits that a histogram keeps.
#[test]
fn hlog_is_read_by_the_library_of_hdrhistogram() {
    for run in all() {
        let text = export(Export::Hlog, &run).unwrap();
        let tables = compare(&run);
        let arms = tables
            .iter()
            .flat_map(|t| t.arms.iter().map(move |arm| (t, arm)));
        let blocks: usize = arms
            .filter_map(|(_, arm)| Some(arm.figures.as_ref().ok()?.blocks.len()))
            .sum();
        let mut intervals = 0;
        for entry in IntervalLogIterator::new(text.as_bytes()) {
            if let LogEntry::Interval(interval) = entry.unwrap() {
                intervals += 1;
                let encoded = interval.encoded_histogram();
                let histogram: Histogram<u64> = Deserializer::new()
                    .deserialize(&mut STANDARD.decode(encoded).unwrap().as_slice())
                    .unwrap();
                assert!(!histogram.is_empty() && interval.tag().is_some());
                assert_eq!(interval.max(), histogram.max() as f64);
            }
        }
        // A block without samples of the series that is shown in detail has none.
        assert!(intervals <= blocks && (blocks == 0 || intervals > 0));
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    value: f64,
    lower_value: Option<f64>,
    upper_value: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bench {
    name: String,
    unit: String,
    value: f64,
    range: Option<String>,
    extra: String,
}

#[test]
fn json_forms_hold_every_figure_once() {
    for run in all() {
        let [measured, ..] = arms(&run);
        let bmf: BTreeMap<String, BTreeMap<String, Metric>> =
            serde_json::from_str(&export(Export::Bmf, &run).unwrap()).unwrap();
        assert_eq!(bmf.len(), measured);
        for metric in bmf.values().flat_map(BTreeMap::values) {
            let low = metric.lower_value.unwrap_or(metric.value);
            let high = metric.upper_value.unwrap_or(metric.value);
            assert!(low <= metric.value && metric.value <= high);
        }
        let gha: Vec<Bench> = serde_json::from_str(&export(Export::Gha, &run).unwrap()).unwrap();
        let names: BTreeSet<&str> = gha.iter().map(|b| b.name.as_str()).collect();
        assert_eq!((gha.len(), names.len()), (measured, measured));
        for bench in &gha {
            assert!(["ns", "insn"].contains(&bench.unit.as_str()) && bench.value >= 0.0);
            assert!(bench.range.as_ref().is_none_or(|r| r.starts_with("± ")));
            assert!(bench.extra.contains("n="));
        }
    }
}

/// The rules of Documentation/dev-tools/ktap.rst: version, plan, that many results in
/// order, nested ones two spaces in.
#[test]
fn ktap_keeps_its_plans() {
    fn results(lines: &[&str]) -> Vec<(bool, String)> {
        assert_eq!(lines.first(), Some(&"KTAP version 1"));
        let plan = lines[1]
            .strip_prefix("1..")
            .unwrap()
            .parse::<usize>()
            .unwrap();
        let own = lines[2..].iter().filter(|l| !l.starts_with(' '));
        let of = |line: &&str| {
            let (good, rest) = match line.strip_prefix("not ok ") {
                Some(rest) => (false, rest),
                None => (true, line.strip_prefix("ok ").unwrap()),
            };
            let (number, name) = rest.split_once(' ').unwrap();
            (number.parse::<usize>().unwrap(), good, name.to_string())
        };
        let found: Vec<_> = own.filter(|l| !l.starts_with('#')).map(of).collect();
        assert_eq!(found.len(), plan);
        assert!((1..).zip(&found).all(|(i, (number, ..))| i == *number));
        found
            .into_iter()
            .map(|(_, good, name)| (good, name))
            .collect()
    }
    for run in all() {
        let text = export(Export::Ktap, &run).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let groups = results(&lines);
        let nested: Vec<&str> = lines.iter().filter_map(|l| l.strip_prefix("  ")).collect();
        let begins = nested
            .iter()
            .enumerate()
            .filter(|(_, l)| **l == "KTAP version 1");
        let mut begins: Vec<usize> = begins.map(|(i, _)| i).collect();
        begins.push(nested.len());
        let mut found = [0; 3];
        for (group, span) in groups.iter().zip(begins.windows(2)) {
            let arms = results(&nested[span[0]..span[1]]);
            assert_eq!(group.0, arms.iter().all(|(good, _)| *good));
            for (good, name) in arms {
                found[match (good, name.contains("# SKIP ")) {
                    (true, false) => 0,
                    (true, true) => 1,
                    _ => 2,
                }] += 1;
            }
        }
        assert_eq!(found, arms(&run));
    }
}

/// The rules of golang.org/design/14313: keys in lower case, names that begin with
/// Benchmark and an upper-case letter, then iterations and pairs of value and unit.
#[test]
fn gobench_has_a_line_a_block() {
    for run in all() {
        let text = export(Export::Gobench, &run).unwrap();
        let tables = compare(&run);
        let figures = tables.iter().flat_map(|t| &t.arms);
        let blocks: usize = figures
            .filter_map(|arm| Some(arm.figures.as_ref().ok()?.blocks.len()))
            .sum();
        let lines = text.lines().filter_map(|l| l.strip_prefix("Benchmark"));
        let mut found = 0;
        for line in lines {
            found += 1;
            let fields: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(fields.len(), 4, "{line}");
            assert!(fields[0].starts_with(|c: char| !c.is_lowercase()), "{line}");
            assert_eq!(fields[1], "1");
            assert!(fields[2].parse::<f64>().unwrap() >= 0.0);
            assert!(["ns/op", "insn/op"].contains(&fields[3]));
        }
        assert_eq!(found, blocks);
        let keys = text
            .lines()
            .filter(|l| !l.starts_with("Benchmark") && !l.starts_with("Unit "));
        for line in keys {
            let (key, _) = line.split_once(": ").unwrap();
            assert!(key.starts_with(|c: char| c.is_ascii_lowercase()), "{line}");
        }
    }
}
