// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Two runs against each other in every form: against golden files, and what must be
//! true of any.

use crate::{golden, runs, tree};
use report::verdict::{Form, Pair, Scope, render};
use results::{
    Cell, Fingerprint, Outcome, Row, Run, Testbed, Unit,
    cell::ParamValue,
    gate::{Aspect, Comparison, Policy, Terms, compare},
};

/// What is compared: a name, the runs, what is compared across.
struct Case {
    name: &'static str,
    baseline: Run,
    current: Run,
    across: Vec<Aspect>,
}

impl Case {
    fn comparison(&self) -> Comparison {
        let terms = Terms {
            policy: Policy::defaults().expect("the defaults are in order"),
            across: self.across.clone(),
            partial: false,
        };
        compare(&self.baseline, &self.current, &terms)
    }

    fn render(&self, form: Form, scope: Scope) -> String {
        let comparison = self.comparison();
        let pair = Pair {
            baseline: &self.baseline,
            current: &self.current,
            comparison: &comparison,
            scope,
        };
        render(form, &pair).expect("every comparison renders")
    }
}

fn cases() -> Vec<Case> {
    let case = |name, baseline, current| Case {
        name,
        baseline,
        current,
        across: vec![Aspect::Kernel],
    };
    vec![
        case("same-lab", steady_lab(), steady_lab()),
        case("changed-lab", kernel(runs::lab(), "a"), changed_lab()),
        case("host", controlled(1, |_| 1.0), changed_host()),
        case("refused", runs::realistic(1), elsewhere()),
        case("lost", controlled(1, |_| 1.0), nothing_left()),
        case("hostile", runs::hostile(), changed_hostile()),
    ]
}

/// The lab without the count that moves from block to block.
fn steady_lab() -> Run {
    let mut run = runs::lab();
    run.rows.retain(|row| row.block == Some(1));
    run
}

/// The same host without a measured cell.
fn nothing_left() -> Run {
    let mut run = runs::only_missing();
    run.host = runs::realistic(1).host;
    run
}

/// `run` on the lab's kernel with this series.
fn kernel(mut run: Run, series: &str) -> Run {
    run.header.git = format!("{series}123456789ab");
    run.header.started_unix = 1_795_535_335;
    let kernel = format!("7.3.4-lab.{series} series {series}");
    run.host.push("lab.kernel", Some(kernel));
    run.host.push("lab.qemu", Some("7.2.22 (Debian)".into()));
    run
}

/// The lab on another kernel: reinsertion costs more, one arm less, one by an
/// instruction, counters that moved with them, one cell gone and one new.
fn changed_lab() -> Run {
    let mut run = kernel(runs::lab(), "b");
    for row in &mut run.rows {
        let cell = &row.cell;
        let factor = match (cell.strategy.as_str(), cell.workload.as_str()) {
            ("guest-memfd-reinsert", "mmio/user-read") => 1.12,
            ("memfd-thp", "mmio/user-read") => 0.8,
            ("anon", "mmio/user-read") => 1.0003,
            _ => 1.0,
        };
        let Outcome::Measured {
            samples, counters, ..
        } = &mut row.outcome
        else {
            continue;
        };
        for value in samples.values_mut().flatten() {
            *value = (*value as f64 * factor) as u64;
        }
        if factor > 1.1 {
            counters.insert("host.direct_map_flushes".into(), 9_000);
            counters.insert("kvm.exits".into(), 1_234);
        }
    }
    run.rows.retain(|row| row.cell.strategy != "memfd-secret");
    let mut new = run.rows[0].clone();
    new.cell.strategy = "vmap".into();
    run.rows.push(new);
    run
}

/// A run of the host with a control, each cell's cost times `factor`.
fn controlled(seed: u64, factor: impl Fn(&Cell) -> f64) -> Run {
    let mut run = runs::realistic(1);
    let mut loops: Vec<Row> = Vec::new();
    for row in run.rows.iter().filter(|r| r.cell.workload == "clock/tsc") {
        let mut row = row.clone();
        row.cell.workload = "calibrate/loop".into();
        loops.push(row);
    }
    run.rows.extend(loops);
    let mut noise = runs::Noise(seed);
    for row in &mut run.rows {
        let (factor, noise) = (factor(&row.cell), 0.995 + 0.01 * noise.next());
        if let Outcome::Measured { samples, .. } = &mut row.outcome {
            for value in samples.values_mut().flatten() {
                // The control's own noise would hide everything else.
                let steady = row.cell.workload == "calibrate/loop";
                let from = if steady { 1_480.0e3 } else { *value as f64 };
                *value = (from * factor * noise) as u64;
            }
        }
    }
    run
}

/// The same host later: MMIO costs more in one arm and less in another, faults open.
fn changed_host() -> Run {
    let mut run = controlled(2, |cell| {
        match (cell.strategy.as_str(), cell.workload.as_str()) {
            ("guest-memfd", "mmio/user-read") => 1.2,
            ("anon", "mmio/user-read") => 0.8,
            ("memfd", "mmio/user-read") => 1.03,
            (_, "fault/guest-touch") => 1.15,
            _ => 1.0,
        }
    });
    run.header.git = "fedcba987654".into();
    run
}

/// The same work on another processor.
fn elsewhere() -> Run {
    let mut run = runs::realistic(1);
    for fact in &mut run.host.facts {
        if fact.name == "cpu.model" {
            fact.value = "AMD EPYC".into();
        }
    }
    run
}

fn changed_hostile() -> Run {
    let mut run = runs::hostile();
    let evil = run.header.profile.clone();
    for row in &mut run.rows {
        if let Outcome::Measured { unit, samples, .. } = &mut row.outcome {
            for value in samples.values_mut().flatten() {
                *value = value.saturating_mul(2);
            }
            if row.cell.strategy == "x".repeat(300) {
                *unit = Unit::Insn;
            }
        }
    }
    run.rows.pop();
    run.host.facts.retain(|fact| fact.name != evil);
    run
}

/// As many metrics as a whole lab has, each of which moved if `moved`.
fn many(moved: bool) -> Case {
    let lab = |add: u64| {
        let mut run = runs::lab();
        run.rows.clear();
        run.plan.cells.clear();
        for i in 0..2_600_u64 {
            let params = [("count", 300), ("lab_cpus", i % 8), ("mem_mib", i / 8)];
            let params = params.map(|(name, n)| (name.to_string(), ParamValue::Int(n)));
            let cell = Cell {
                testbed: Testbed::Lab,
                strategy: "guest-memfd-reinsert".into(),
                workload: format!("mmio/user-read-{}", i % 30),
                params: params.into(),
                mode: [].into(),
            };
            let counters = (0..7).map(|n| (format!("host.direct_map_{n}"), 40 + n + i + add));
            run.rows.push(Row {
                cell,
                block: Some(1),
                order: None,
                outcome: Outcome::Measured {
                    unit: Unit::Insn,
                    samples: [("latency".to_string(), vec![4_758 + 50 * add])].into(),
                    batch: [].into(),
                    counters: counters.collect(),
                    unavailable: [].into(),
                },
            });
        }
        run
    };
    Case {
        name: "many",
        baseline: lab(0),
        current: lab(u64::from(moved)),
        across: vec![],
    }
}

fn everything() -> Vec<Case> {
    let mut all = cases();
    let mut empty = runs::realistic(1);
    empty.rows.clear();
    empty.host = Fingerprint::default();
    all.push(Case {
        name: "empty",
        baseline: empty.clone(),
        current: empty,
        across: vec![],
    });
    all.extend([many(false), many(true)]);
    all
}

#[test]
fn comparisons_are_those_kept() {
    let kept = [
        ("changed-lab", Form::Text),
        ("changed-lab", Form::Markdown),
        ("changed-lab", Form::Terminal),
        ("changed-lab", Form::Github),
        ("refused", Form::Html),
        ("refused", Form::Csv),
        ("refused", Form::Json),
    ];
    let cases = cases();
    for (name, form) in kept {
        let case = cases.iter().find(|case| case.name == name).unwrap();
        let file = format!("{name}.{}", form.file_name());
        golden::check(&file, &case.render(form, Scope::All));
    }
}

#[test]
fn a_mail_is_ascii_of_75_columns_and_a_terminal_has_100() {
    for case in everything() {
        for scope in [Scope::All, Scope::Decisive] {
            for line in case.render(Form::Text, scope).lines() {
                let fits = line.is_ascii() && line.len() <= 75;
                assert!(fits, "{}: {line:?}", case.name);
            }
            for line in case.render(Form::Terminal, scope).lines() {
                // A figure is never cut, whatever its name is.
                let fits = line.chars().count() <= 100 || line.starts_with("  ");
                assert!(fits, "{}: {line:?}", case.name);
            }
        }
    }
}

#[test]
fn pages_are_well_formed_self_contained_and_small() {
    for case in everything() {
        let html = case.render(Form::Html, Scope::All);
        tree::page(&html);
        assert!(html.len() <= 2_000_000, "{}: {}", case.name, html.len());
        for foreign in ["http://", "https://", "<script", "@import", "url("] {
            assert!(!html.contains(foreign), "{}: {foreign}", case.name);
        }
        // GitHub takes no longer comment.
        let comment = case.render(Form::Markdown, Scope::All);
        let long = comment.chars().count();
        assert!(long <= 65_536, "{}: {long}", case.name);
    }
}

#[test]
fn what_has_no_row_is_counted() {
    let case = many(true);
    for (form, said) in [
        (Form::Html, "for want of room"),
        (Form::Markdown, "for want of room"),
        (Form::Text, "for want of room"),
    ] {
        let document = case.render(form, Scope::All);
        let document = document.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(document.contains(said), "{form}");
        assert!(document.contains("rows are left out here"), "{form}");
    }
    let same = many(false).render(Form::Html, Scope::All);
    assert!(same.contains("18200 counts are the same"));
}

#[test]
fn csv_has_a_line_for_every_metric() {
    for case in cases() {
        let text = case.render(Form::Csv, Scope::Decisive);
        let metrics = case.comparison().metrics.len();
        assert_eq!(text.lines().count(), 1 + metrics, "{}", case.name);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns = reader.headers().unwrap().len();
        for record in reader.records() {
            assert_eq!(record.unwrap().len(), columns);
        }
    }
}

#[test]
fn every_form_for_people_says_what_decides() {
    let people = [Form::Html, Form::Markdown, Form::Text, Form::Terminal];
    let check = |name: &str, expected: &[&str]| {
        let case = cases().into_iter().find(|c| c.name == name).unwrap();
        for form in people {
            let document = case.render(form, Scope::All);
            let document = document.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in expected {
                assert!(document.contains(part), "{form} of {name} lacks {part}");
            }
        }
    };
    check("same-lab", &["fine", "0 regression"]);
    check("changed-lab", &["REGRESSION", "MISSING", "vmap", "+12"]);
    check("host", &["REGRESSION", "+19.8", "would decide"]);
    check("refused", &["nothing to compare", "cpu.model", "AMD EPYC"]);
    check(
        "lost",
        &["nothing was measured", "MISSING", "GUP refuses it"],
    );
}

#[test]
fn no_name_becomes_markup_or_moves_the_cursor() {
    let case = cases().into_iter().find(|c| c.name == "hostile").unwrap();
    for &form in Form::ALL {
        let document = case.render(form, Scope::All);
        for bad in ['\u{1b}', '\u{202e}', '\r'] {
            assert!(!document.contains(bad), "{form} has {bad:?}");
        }
        // Inside the fence of a command Markdown is inert.
        let open = document.split("\n- A:").next().unwrap();
        if matches!(form, Form::Html | Form::Markdown) {
            assert!(!open.contains("<script"), "{form}");
        }
    }
}
