// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What every report promises whatever the record holds: its width, its size,
//! its well-formedness, and the warnings that must not be missed.

use crate::{disk, runs, tlb, tree};
use report::{Format, figures, render};
use results::{Run, Testbed};
use std::collections::BTreeSet;

fn all() -> Vec<Run> {
    vec![
        runs::realistic(1),
        runs::only_missing(),
        runs::no_baseline(),
        runs::one_sample(),
        runs::fake_and_lab(),
        runs::lab(),
        disk::disk(),
        tlb::tlb(),
        runs::hostile(),
    ]
}

/// The documents that a person reads, with line breaks taken for spaces: in a
/// wrapped text they may fall anywhere.
fn read(run: &Run) -> Vec<(Format, String)> {
    let formats = [
        Format::Html,
        Format::Markdown,
        Format::Text,
        Format::Terminal,
    ];
    let documents = formats.map(|format| {
        let document = render(format, run).expect("every run renders");
        (
            format,
            document.split_whitespace().collect::<Vec<_>>().join(" "),
        )
    });
    documents.into()
}

#[test]
fn text_is_ascii_of_75_columns_and_terminal_fits_100() {
    for run in all() {
        for line in report::text(&run).lines() {
            assert!(line.is_ascii() && line.len() <= 75, "{line:?}");
        }
        for line in report::terminal(&run).lines() {
            assert!(line.chars().count() <= 100, "{line:?}");
        }
    }
}

#[test]
fn no_document_carries_control_characters_or_foreign_markup() {
    let run = runs::hostile();
    for format in [
        Format::Html,
        Format::Markdown,
        Format::Text,
        Format::Terminal,
    ] {
        let document = render(format, &run).unwrap();
        let bad = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!document.contains(bad), "{format}");
    }
    // Inside the fence of the command Markdown is inert.
    let markdown = report::markdown(&run);
    let open = markdown.split("```sh").next().unwrap();
    assert!(!open.contains("<script"));
    assert!(!report::html(&run).contains("<script"));
    let text = report::text(&run);
    assert!(text.contains("not compared"), "{text}");
}

#[test]
fn pages_and_figures_are_well_formed_and_self_contained() {
    for run in all() {
        let html = report::html(&run);
        tree::page(&html);
        for foreign in ["http://", "https://", "<script", "@import", "url("] {
            let html = html.replace("http://www.w3.org/2000/svg", "");
            assert!(!html.contains(foreign), "{foreign}");
        }
        for figure in figures(&run).unwrap() {
            tree::parse(&figure.svg);
            assert!(figure.svg.starts_with("<svg") && figure.svg.contains("aria-label="));
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            assert!(
                figure.name.chars().all(plain) && !figure.name.starts_with('.'),
                "{}",
                figure.name
            );
        }
    }
}

/// By name with an answer, or with why there is none.
#[test]
fn every_question_is_in_every_document_of_a_run_that_ran_something() {
    for run in all() {
        for (format, document) in read(&run) {
            for question in report::questions() {
                let asks = question.asks.replace('_', "\\_");
                let asked = [&question.asks, &asks]
                    .iter()
                    .any(|asks| document.contains(*asks));
                assert!(asked, "{format}: {}", question.name);
            }
            assert!(document.contains("At a glance"), "{format}");
        }
    }
    let text = report::text(&runs::only_missing());
    assert!(
        text.contains("not answerable on this machine because"),
        "{text}"
    );
    assert!(text.contains("this run has no boot/linux"), "{text}");
}

/// The greatest mail that the kernel's lists take, the longest comment of GitHub.
#[test]
fn documents_for_messages_fit_into_one() {
    for run in all().iter().chain([&runs::realistic(400)]) {
        assert!(report::text(run).len() < 100_000);
        assert!(report::markdown(run).chars().count() < 65_536);
    }
}

#[test]
fn figures_have_names_of_their_own() {
    let run = runs::hostile();
    let figures = figures(&run).unwrap();
    assert!(!figures.is_empty());
    let mut names: Vec<_> = figures.iter().map(|f| &f.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), figures.len());
}

#[test]
fn invented_numbers_and_instructions_are_called_so_everywhere() {
    let run = runs::fake_and_lab();
    for (format, document) in read(&run) {
        assert!(document.contains("THESE NUMBERS ARE INVENTED"), "{format}");
        assert!(document.contains("instructions, not time"), "{format}");
    }
    for figure in figures(&run).unwrap() {
        let marked = ["instructions, not time", "invented numbers"];
        assert!(
            marked.iter().any(|m| figure.svg.contains(m)),
            "{}",
            figure.name
        );
    }
}

#[test]
fn a_lab_shows_its_modes_its_evidence_and_its_defects() {
    for (format, document) in read(&runs::lab()) {
        for said in [
            "instructions, not time",
            "guest-memfd-reinsert access=held flush=none",
            "NOT DETERMINISTIC",
            "ISOLATION NOT AS CLAIMED",
            "one run",
            "+7,392",
            "Isolation evidence",
            "NOT AS CLAIMED: 1 of 12 arms",
        ] {
            assert!(document.contains(said), "{format}: {said}");
        }
    }
    let html = report::html(&runs::lab());
    assert!(html.contains("Counters per operation: mmio"));
    assert!(html.contains("kvm.direct_map_reinserts"));
    let text = report::text(&runs::lab());
    let place = |cpus| {
        text.find(&format!(
            "read count=300 lab_cpus={cpus} mem_mib=64 (latency"
        ))
    };
    let (one, four) = (place(1).expect("a table"), place(4).expect("a table"));
    assert!(one < four, "groups sort by number");
    for machine in ["lab, 1 CPU", "lab, 4 CPUs"] {
        assert!(
            text.contains(&format!("At a glance: {machine}\n")),
            "{machine}"
        );
    }
}

#[test]
fn every_hole_is_shown_with_reason_and_remedy() {
    #[track_caller]
    fn check(run: &Run, expected: &[&str]) {
        for (format, document) in read(run) {
            for said in expected {
                assert!(document.contains(said), "{format}: {said}");
            }
        }
    }
    check(
        &runs::realistic(1),
        &[
            "GUP refuses it",
            "needs the lab kernel",
            "2 of 15 blocks lost",
        ],
    );
    check(&runs::no_baseline(), &["no ratio: no baseline: not run"]);
}

#[test]
fn backends_stand_against_strategies_everywhere() {
    for (format, document) in read(&disk::disk()) {
        assert!(document.contains("Which backend works"), "{format}");
        let refused = ["EFAULT*", "only bounced (EFAULT)"];
        let document = document.replace("\\*", "*");
        assert!(
            refused.iter().all(|said| document.contains(said)),
            "{format}"
        );
    }
}

/// Neither a speed in the lab nor a ratio against what the kernel refused.
#[test]
fn what_bouncing_costs_is_shown_with_its_holes() {
    let mut lab = disk::disk();
    lab.plan.cells.retain(|c| c.testbed == Testbed::Lab);
    lab.rows.retain(|row| row.cell.testbed == Testbed::Lab);
    for (format, document) in read(&lab) {
        for said in ["What bouncing costs", "B/kinsn", "- (EFAULT)", "390.1"] {
            assert!(document.contains(said), "{format}: {said}");
        }
        assert!(!document.contains("MB/s"), "{format}");
    }
    assert!(report::text(&disk::disk()).contains("MB/s"));
}

/// Reach with its interval, what is not there with its reason, what co-runners feel, and
/// interrupts by CPUs: in every form that has room for them.
#[test]
fn translation_is_shown_with_what_is_not_known() {
    for (format, document) in read(&tlb::tlb()) {
        assert!(document.contains("no hardware PMU exposed"), "{format}");
        assert!(document.contains("TLB reach"), "{format}");
        for said in [
            "TLB reach by timing",
            "What KVM mapped",
            "MODELLED",
            "Shootdowns per operation by CPUs",
            "4 CPUs",
            "none above",
        ] {
            assert!(document.contains(said), "{format}: {said}");
        }
    }
    let names: Vec<String> = figures(&tlb::tlb())
        .unwrap()
        .into_iter()
        .map(|f| f.name)
        .collect();
    for name in [
        "host-tlb-chase-tlb-reach",
        "lab-tlb-chase-modelled-page-walks",
    ] {
        assert!(names.iter().any(|n| n == name), "{names:?} lack {name}");
    }
}

#[test]
fn a_thousand_cells_stay_below_two_megabytes() {
    let html = report::html(&runs::thousand_cells());
    assert!(html.len() <= 2_000_000, "{} bytes", html.len());
}

/// The number that stands in a mail stands in every other form: what differs between formats
/// is layout.
#[test]
fn every_number_is_in_every_format() {
    let numbers = |document: &str| -> BTreeSet<String> {
        let digit = |c: char| c.is_ascii_digit();
        let inside = |c: char| digit(c) || ",.".contains(c);
        let words = document.split(|c: char| !inside(c));
        let words = words.map(|word| word.trim_matches([',', '.']));
        let words = words.filter(|word| word.chars().filter(|c| digit(*c)).count() > 2);
        words.map(str::to_string).collect()
    };
    for run in [
        runs::realistic(1),
        runs::only_missing(),
        runs::one_sample(),
        runs::lab(),
        disk::disk(),
    ] {
        let text = numbers(&report::text(&run));
        assert!(!text.is_empty());
        for (format, document) in read(&run) {
            let document = numbers(&document);
            let lost: Vec<_> = text.difference(&document).collect();
            assert!(lost.is_empty(), "{format} lacks {lost:?}");
        }
    }
}

/// Links to a part of a report go on working: an address depends on nothing else that ran.
#[test]
fn parts_of_a_page_have_lasting_addresses() {
    let addresses = |run: &Run| -> Vec<String> {
        let page = tree::page(&report::html(run));
        let parts = page.all(&|node| node.is(&["h1", "h2", "details"]));
        let parts = parts.iter().filter_map(|node| node.attr("id"));
        parts.map(str::to_string).collect()
    };
    let lab = addresses(&runs::lab());
    for part in [
        "glance-lab-1-cpu",
        "questions",
        "question-hidden",
        "lab-moved",
        "lab-every-workload",
        "missing",
        "threats",
        "machine",
        "reproduce",
        "lab-mmio",
    ] {
        assert!(lab.iter().any(|id| id == part), "{part} is not in {lab:?}");
    }
    let mut fewer = runs::lab();
    fewer.rows.retain(|row| row.cell.family() != "boot");
    let fewer = addresses(&fewer);
    assert!(fewer.iter().all(|id| lab.contains(id)), "{fewer:?}");
}

#[test]
fn csv_holds_every_sample_once() {
    let run = runs::realistic(2);
    let mut bytes = Vec::new();
    report::write_samples(&run, &mut bytes).unwrap();
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let lines: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let count = run.rows.iter().map(|row| match &row.outcome {
        results::Outcome::Measured { samples, .. } => samples.values().map(Vec::len).sum(),
        _ => 0,
    });
    assert_eq!(lines.len(), count.sum::<usize>());
    assert!(lines.iter().all(|l| l.len() == 12 && l[11] == *"ns"));
    assert!(
        lines.iter().any(|l| l[9] == *"100"),
        "batches are in the file"
    );
}

/// Arms down, workloads across: every arm has a row, every column a unit, and of
/// the parameters only those that tell columns apart are shown.
#[test]
fn a_pivot_has_every_arm_and_tells_its_columns_apart() {
    let pivot = report::pivot(&runs::lab(), &["mmio/user-read", "fault/guest-touch"]);
    let lines: Vec<&str> = pivot.lines().collect();
    assert_eq!(
        lines[0],
        "| strategy | mmio/user-read lab_cpus=1, insn | mmio/user-read lab_cpus=4, insn | \
         fault/guest-touch, insn |"
    );
    assert_eq!(lines.len(), 2 + 12, "{pivot}");
    let held = lines.iter().find(|l| l.contains("access=held |")).copied();
    assert_eq!(held.map(|l| l.matches('|').count()), Some(5));
    let nothing = report::pivot(&runs::lab(), &["no/such"]);
    assert_eq!(nothing.lines().count(), 2);
}
