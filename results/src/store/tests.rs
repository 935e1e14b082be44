// SPDX-License-Identifier: Apache-2.0 OR MIT
use super::*;
use crate::audit::{Audit, Finding, Reader, Verdict};
use crate::{Cell, Fingerprint, Header, Outcome, Plan, Row, Run, Testbed, Unit};
use std::fs;

fn header() -> Header {
    Header {
        schema: 1,
        tool: "unmapbench 0".into(),
        git: "unknown".into(),
        seed: 7,
        profile: "quick".into(),
        command: vec!["unmapbench".into(), "run".into()],
        started_unix: 0,
    }
}

fn row(block: u32) -> Row {
    Row {
        cell: Cell {
            testbed: Testbed::Fake,
            strategy: "memfd".into(),
            workload: "pio/user".into(),
            params: Default::default(),
            mode: Default::default(),
        },
        block: Some(block),
        order: Some(0),
        outcome: Outcome::Measured {
            unit: Unit::Ns,
            samples: [("latency".to_string(), vec![1, 2])].into(),
            batch: Default::default(),
            counters: Default::default(),
            unavailable: Default::default(),
        },
    }
}

/// A run directory with three rows, and the directory that holds it.
fn recorded() -> (tempfile::TempDir, PathBuf) {
    let holder = tempfile::tempdir().unwrap();
    let dir = holder.path().join("deep/run");
    let mut recorder =
        Recorder::create(&dir, &header(), &Plan::default(), &Fingerprint::default()).unwrap();
    for block in 0..3 {
        recorder.append(&row(block)).unwrap();
    }
    (holder, dir)
}

fn damage(edit: impl FnOnce(String) -> String) -> Result<Run, Error> {
    let (_holder, dir) = recorded();
    let path = dir.join(SAMPLES);
    fs::write(&path, edit(fs::read_to_string(&path).unwrap())).unwrap();
    read(&dir)
}

#[test]
fn what_is_written_is_read_back() {
    let (_holder, dir) = recorded();
    let run = read(&dir).unwrap();
    assert_eq!(run.header, header());
    assert_eq!(run.rows, [row(0), row(1), row(2)]);
    assert!(run.notes.is_empty());
}

#[test]
fn a_directory_is_never_reused() {
    let (_holder, dir) = recorded();
    let again = Recorder::create(&dir, &header(), &Plan::default(), &Fingerprint::default());
    assert!(matches!(again, Err(Error::Exists(_))));
    assert_eq!(read(&dir).unwrap().rows.len(), 3);
}

#[test]
fn host_facts_are_completed_in_place() {
    let holder = tempfile::tempdir().unwrap();
    let dir = holder.path().join("run");
    let mut host = Fingerprint::default();
    let recorder = Recorder::create(&dir, &header(), &Plan::default(), &host).unwrap();
    host.push("kernel", Some("7.3".into()));
    host.push("absent", None);
    recorder.complete_host(&host).unwrap();
    assert_eq!(read(&dir).unwrap().host.get("kernel"), Some("7.3"));
    assert_eq!(read(&dir).unwrap().host.get("absent"), None);
}

#[test]
fn audits_are_optional_and_replaced_whole() {
    let (_holder, dir) = recorded();
    assert_eq!(read(&dir).unwrap().audits, []);
    let audit = Audit {
        testbed: Testbed::Lab,
        strategy: "memfd".into(),
        mode: Default::default(),
        isolating: false,
        claim: None,
        findings: vec![Finding {
            reader: Reader::ODirect,
            verdict: Verdict::Unknown,
            seen: "no block device".into(),
        }],
    };
    let other = dir.with_file_name("other");
    let recorder =
        Recorder::create(&other, &header(), &Plan::default(), &Fingerprint::default()).unwrap();
    for n in 1..=2 {
        let audits = vec![audit.clone(); n];
        recorder.write_audits(&audits).unwrap();
        assert_eq!(read(&other).unwrap().audits, audits);
    }
    for damaged in ["", "{}", "[{}]", r#"[{"testbed":"moon"}]"#] {
        fs::write(other.join(AUDIT), damaged).unwrap();
        let error = read(&other).unwrap_err().to_string();
        assert!(error.contains("audit.json: line "), "{error}");
    }
}

/// Cut at any byte after the header, the rows before the cut are all there.
#[test]
fn a_cut_anywhere_loses_one_row_at_most() {
    let (_holder, dir) = recorded();
    let whole = fs::read(dir.join(SAMPLES)).unwrap();
    let header_end = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    for cut in header_end..whole.len() {
        fs::write(dir.join(SAMPLES), &whole[..cut]).unwrap();
        let run = read(&dir).unwrap();
        let lines = whole[header_end..cut]
            .iter()
            .filter(|b| **b == b'\n')
            .count();
        assert_eq!(run.rows.len(), lines, "cut at {cut}");
        assert_eq!(run.notes.len(), usize::from(whole[cut - 1] != b'\n'));
    }
}

#[test]
fn damage_is_named_with_its_line() {
    let check = |edit: &dyn Fn(String) -> String, expected: &str| {
        let error = damage(edit).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} lacks {expected:?}");
        assert!(!error.contains('\n'), "{error:?} is more than a line");
    };
    check(&|_| String::new(), "line 1: the header line is missing");
    check(&|t| t.replacen("\"block\":1", "\"block\":-1", 1), "line 3");
    check(&|t| t.replacen("[1,2]", "[1,NaN]", 1), "line 2");
    check(&|t| t.replacen("[1,2]", "[1,1e308]", 1), "line 2");
    check(
        &|t| t.replacen("\"block\":2,", "", 1),
        "line 4: a measured row without a block",
    );
    check(
        &|t| t.replacen("\"schema\":1", "\"schema\":9", 1),
        "record schema 9",
    );
    check(&|t| t.replacen('{', "", 1), "line 1");
    check(&|t| t + "\n\n", "line 5");
    check(
        &|t| t.replacen("\"samples\"", "\"batch\":{\"latency\":0},\"samples\"", 1),
        "batch of 0",
    );
}

#[test]
fn what_is_said_twice_is_refused() {
    let check = |from: &str, to: &str, expected: &str| {
        let error = damage(|t| t.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} lacks {expected:?}");
    };
    let latency = r#""latency":[1,2]"#;
    check(
        latency,
        r#""latency":[1,2],"latency":[3,4]"#,
        "line 2: duplicate key \"latency\"",
    );
    check("\"block\":0", "\"block\":0,\"block\":0", "duplicate field");
    check(
        "\"unit\":\"ns\"",
        "\"unit\":\"ns\",\"unit\":\"insn\"",
        "duplicate field",
    );
    check(
        "\"outcome\":\"measured\"",
        "\"outcome\":\"measured\",\"outcome\":\"missing\"",
        "duplicate field",
    );
    check(
        "\"params\":{}",
        r#""params":{"a":1,"a":2}"#,
        "duplicate key",
    );
    check("\"block\":1", "\"block\":0", "line 3: a second row");
    check("\"seed\":7", "\"seed\":7,\"seed\":8", "line 1");
}

#[test]
fn only_files_of_a_sane_size_are_read() {
    let (_holder, dir) = recorded();
    let plan = dir.join(PLAN);
    fs::File::options()
        .write(true)
        .open(&plan)
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let error = read(&dir).unwrap_err().to_string();
    assert!(error.contains("at most 67108864 are read"), "{error}");
    fs::remove_file(&plan).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &plan).unwrap();
    let error = read(&dir).unwrap_err().to_string();
    assert!(error.contains("not a regular file"), "{error}");
    let samples = dir.join(SAMPLES);
    fs::File::options()
        .write(true)
        .open(&samples)
        .unwrap()
        .set_len(2 << 30)
        .unwrap();
    let error = read(&dir).unwrap_err().to_string();
    assert!(error.contains("are read"), "{error}");
}

#[test]
fn a_directory_that_is_no_run_says_so() {
    let holder = tempfile::tempdir().unwrap();
    let error = read(holder.path()).unwrap_err().to_string();
    assert!(error.contains("not a run directory"), "{error}");
    let (_holder, dir) = recorded();
    fs::remove_file(dir.join(PLAN)).unwrap();
    assert!(read(&dir).unwrap_err().to_string().contains(PLAN));
}

/// /dev/full accepts the open and refuses the write, as a full disk does.
#[test]
fn a_full_disk_is_named_with_its_remedy() {
    let error = io_error("write", "/dev/full")(
        fs::write("/dev/full", b"x").expect_err("/dev/full is never writable"),
    );
    let text = error.to_string();
    assert!(text.contains("/dev/full: write: No space left"), "{text}");
    assert!(text.contains("can be reported"), "{text}");
}

/// What a fuzzer began with, kept, and ever found.
#[test]
fn a_fuzzers_records_do_no_harm() {
    let mut replayed = 0;
    for dir in ["fuzz/corpus/reader", "fuzz/findings"] {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(dir);
        for entry in fs::read_dir(dir).unwrap() {
            super::exercise(&fs::read(entry.unwrap().path()).unwrap());
            replayed += 1;
        }
    }
    assert!(replayed >= 10, "only {replayed} records");
}
