// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs that no machine makes: every string of a record hostile, and far more cells
//! than a person reads. What is asked of every document made from them is asked here.

use crate::{
    disk, runs, tlb,
    tree::{self, Node},
};
use report::{Export, Format, export, figures, render};
use results::{
    Cell, Outcome, ParamValue, Row, Run, Testbed, Unit,
    cell::Params,
    record::{Counters, Samples},
};
use std::collections::BTreeMap;

/// What ends a tag, an attribute, a comment, a style, a fence, a table's cell, a line.
const EVIL: &str = "</style></svg><script>alert(1)</script><img src=x onerror=alert(1)>\"'>--><!--0-->&lt; \
                    | # `x` ``` \u{1b}[31m\u{202e}\u{0}*_[a](javascript:b)\n\n<details>second line";

/// Every string of a run of the lab made hostile, but for the baseline's name, without
/// which nothing is compared.
pub(crate) fn evil() -> Run {
    let mut run = runs::lab();
    run.rows.extend(tlb::tlb().rows);
    run.rows.extend(disk::disk().rows);
    let header = &mut run.header;
    for text in [&mut header.tool, &mut header.git, &mut header.profile] {
        poison(text);
    }
    header.command.iter_mut().for_each(poison);
    for fact in &mut run.host.facts {
        poison(&mut fact.name);
        poison(&mut fact.value);
    }
    run.host.warnings.iter_mut().for_each(poison);
    run.host.warnings.push(EVIL.into());
    run.notes.push(EVIL.into());
    for info in &mut run.plan.strategies {
        strategy(&mut info.name);
        poison(&mut info.about);
    }
    for info in &mut run.plan.workloads {
        for text in [
            &mut info.id,
            &mut info.summary,
            &mut info.analysis,
            &mut info.headline,
        ] {
            poison(text);
        }
        info.detail.iter_mut().for_each(poison);
        info.phases.iter_mut().for_each(poison);
    }
    run.plan.cells.iter_mut().for_each(cell);
    for row in &mut run.rows {
        cell(&mut row.cell);
        outcome(&mut row.outcome);
    }
    for audit in &mut run.audits {
        strategy(&mut audit.strategy);
        audit.mode = params(&audit.mode);
        audit.findings.iter_mut().for_each(|f| poison(&mut f.seen));
    }
    run
}

fn poison(text: &mut String) {
    text.push_str(EVIL);
}

fn strategy(name: &mut String) {
    if name != results::BASELINE {
        poison(name);
    }
}

fn cell(cell: &mut Cell) {
    strategy(&mut cell.strategy);
    poison(&mut cell.workload);
    cell.params = params(&cell.params);
    cell.mode = params(&cell.mode);
}

/// The same and one more, whose name and value are hostile: what reports look up stays.
fn params(of: &Params) -> Params {
    let mut params = of.clone();
    if !params.is_empty() {
        params.insert(EVIL.into(), ParamValue::Text(EVIL.into()));
    }
    params
}

fn outcome(outcome: &mut Outcome) {
    match outcome {
        Outcome::Measured {
            samples,
            batch,
            counters,
            unavailable,
            ..
        } => {
            *samples = renamed(samples);
            *batch = renamed(batch);
            counters.insert(format!("kvm.exits{EVIL}"), 7);
            counters.insert(format!("host.direct_map_{EVIL}"), 7);
            unavailable.insert(EVIL.into(), EVIL.into());
        }
        Outcome::Missing { reason, remedy, .. } => [reason, remedy].into_iter().for_each(poison),
        Outcome::Failed { error, detail } => {
            poison(error);
            *detail = Some(EVIL.into());
        }
    }
}

fn renamed<T: Clone>(map: &BTreeMap<String, T>) -> BTreeMap<String, T> {
    let pairs = map.iter();
    pairs
        .map(|(k, v)| (format!("{k}{EVIL}"), v.clone()))
        .collect()
}

/// Six thousand cells of the lab in two thousand settings, no two of them alike.
pub(crate) fn thousands() -> Run {
    let mut run = runs::one_sample();
    run.rows.clear();
    run.plan.cells.clear();
    for workload in 0..8_u64 {
        for setting in 0..250_u64 {
            for (place, strategy) in ["anon", "memfd", "guest-memfd"].into_iter().enumerate() {
                let size = ("mem_mib".to_string(), ParamValue::Int(setting));
                let cell = Cell {
                    testbed: Testbed::Lab,
                    strategy: strategy.into(),
                    workload: format!("mmio/path-{workload}"),
                    params: [size].into(),
                    mode: Params::new(),
                };
                let cost = 4_858 + 162 * place as u64 + 3 * setting + workload;
                run.plan.cells.push(cell.clone());
                run.rows.push(Row {
                    cell,
                    block: Some(1),
                    order: Some(place as u32),
                    outcome: Outcome::Measured {
                        unit: Unit::Insn,
                        samples: Samples::from([("latency".into(), vec![cost; 3])]),
                        batch: [].into(),
                        counters: Counters::from([("kvm.exits".into(), cost)]),
                        unavailable: [].into(),
                    },
                });
            }
        }
    }
    run
}

fn all() -> Vec<(&'static str, Run)> {
    vec![
        ("evil", evil()),
        ("hostile", runs::hostile()),
        ("thousands", thousands()),
        ("only missing", runs::only_missing()),
        ("one sample", runs::one_sample()),
        ("no baseline", runs::no_baseline()),
    ]
}

const READ: [Format; 4] = [
    Format::Html,
    Format::Markdown,
    Format::Text,
    Format::Terminal,
];

#[test]
fn whatever_a_run_holds_every_document_is_made() {
    for (name, run) in all() {
        for &format in Format::ALL {
            assert!(!render(format, &run).unwrap().is_empty(), "{name} {format}");
        }
        for &form in Export::ALL {
            export(form, &run).unwrap_or_else(|e| panic!("{name} {form}: {e}"));
        }
    }
}

#[test]
fn no_string_of_a_record_becomes_markup_or_control() {
    let run = evil();
    for format in READ {
        let document = render(format, &run).unwrap();
        let bad = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!document.contains(bad), "{format}");
    }
    let html = report::html(&run);
    let foreign = ["onerror", "onclick"];
    let foreign = |node: &Node| {
        node.is(&["script", "img"])
            || foreign.iter().any(|name| node.attr(name).is_some())
            || node
                .attr("href")
                .is_some_and(|href| href.starts_with("javascript"))
    };
    assert_eq!(tree::page(&html).all(&foreign).len(), 0);
    // The same text is there to be read, each in its place.
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for figure in figures(&run).unwrap() {
        for tag in ["<script", "<img", "<details"] {
            assert!(!figure.svg.contains(tag), "{}: {tag}", figure.name);
        }
    }
    for line in report::text(&run).lines() {
        assert!(line.is_ascii() && line.len() <= 75, "{line:?}");
    }
    for line in report::terminal(&run).lines() {
        assert!(line.chars().count() <= 100, "{line:?}");
    }
}

#[test]
fn thousands_of_cells_stay_below_two_megabytes() {
    let html = report::html(&thousands());
    assert!(html.len() <= 2_000_000, "{} bytes", html.len());
    assert!(html.len() > 1_000_000, "{} bytes: room is left", html.len());
    assert!(html.contains("do not fit here"));
    let tables = tree::page(&html).named(&["table"]).len();
    assert!(tables > 500, "{tables} tables");
}
