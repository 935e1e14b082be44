// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command as a user meets it, on any machine: good input runs the whole
//! pipeline on the fake testbed, bad input gets one line and its exit code.
#![expect(clippy::unwrap_used)]

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const BIN: &str = env!("CARGO_BIN_EXE_unmapbench");

fn unmapbench(args: &[&str]) -> Output {
    Command::new(BIN).args(args).output().unwrap()
}

/// A directory to work in, and the path of a run in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    (dir, run)
}

fn fake_run(out: &Path, more: &[&str]) -> Output {
    let out = out.to_str().unwrap();
    let mut args = vec!["run", "--on", "fake", "--blocks", "4", "--out", out];
    args.extend(more);
    unmapbench(&args)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_run_leaves_every_stage_and_every_report() {
    let (_dir, run) = place();
    let done = fake_run(&run, &[]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let stdout = text(&done.stdout);
    assert!(stdout.contains("report.html"), "{stdout}");
    for file in [
        "plan.json",
        "host.json",
        "samples.jsonl",
        "samples.csv",
        "report.html",
        "report.md",
    ] {
        assert!(run.join(file).metadata().unwrap().len() > 0, "{file}");
    }
    for format in ["text", "md", "html", "csv", "terminal"] {
        let report = unmapbench(&["report", run.to_str().unwrap(), "--format", format]);
        assert_eq!(report.status.code(), Some(0));
        let report = text(&report.stdout);
        assert!(
            report.contains("memfd-secret") || format == "csv",
            "{format}: a hole is not shown"
        );
        assert!(format != "text" || report.lines().all(|l| l.chars().count() <= 75));
        assert!(
            report.to_lowercase().contains("fake"),
            "{format} does not say that it is fake"
        );
    }
}

/// The same seed gives the same samples, and every block all arms.
#[test]
fn a_run_can_be_repeated() {
    let (_dir, run) = place();
    let (_dir2, again) = place();
    for out in [&run, &again] {
        fake_run(
            out,
            &["--seed", "9", "--workloads", "mmio/user-*", "pio/user"],
        );
    }
    let rows = |dir: &Path| {
        let all = fs::read_to_string(dir.join("samples.jsonl")).unwrap();
        all.lines().skip(1).map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(rows(&run), rows(&again));
    // three workloads: 5 blocks of the arms that run, one row for each that does not
    let all = strategies::registry::ALL.iter();
    let missing = all.clone().filter(|s| s.claims().claim.isolates()).count();
    let able = all.len() - missing;
    assert_eq!(rows(&run).len(), 3 * (5 * able + missing));
}

#[test]
fn bad_input_gets_one_line_and_its_exit_code() {
    let (_dir, run) = place();
    let path = run.to_str().unwrap();
    let check = |args: &[&str], code: i32, expected: &str| {
        let mut all = vec!["run", "--out", path, "--on", "fake"];
        all.extend(args);
        let output = unmapbench(&all);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(
            stderr.contains(expected),
            "{args:?}: {stderr:?} lacks {expected:?}"
        );
        assert_eq!(stderr.trim().lines().count(), 1, "{stderr}");
        assert!(!run.exists(), "{args:?} left something behind");
    };
    check(
        &["--strategies", "memfd-sekret"],
        2,
        "did you mean memfd-secret?",
    );
    check(
        &["--workloads", "mmio/user-reed"],
        2,
        "did you mean mmio/user-read?",
    );
    check(&["--workloads", "xyz*"], 2, "no workload matches");
    check(&["--blocks", "0"], 2, "--blocks 0 measures nothing");
    check(
        &["--workloads", "boot/linux-size"],
        2,
        "no cells in the profile quick; choose --profile report",
    );
    check(
        &["--strategies", "memfd-secret"],
        4,
        "none of the strategies runs here",
    );
}

#[test]
fn mistakes_in_the_command_line_are_usage_errors() {
    let check = |args: &[&str], code: i32, expected: &str| {
        let output = unmapbench(args);
        let said = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(
            said.contains(expected),
            "{args:?}: {said:?} lacks {expected:?}"
        );
    };
    check(&[], 2, "Usage");
    check(&["--version"], 0, "unmapbench 0");
    check(&["--help"], 0, "Exit codes");
    check(
        &["run", "--profile", "huge"],
        2,
        "profiles are quick, report and full",
    );
    check(&["run", "--on", "mars"], 2, "possible values");
    check(&["run", "--blocks", "-3"], 2, "blocks");
    check(&["run", "--blocks", "99999999999"], 2, "blocks");
    check(&["report", "/nonexistent"], 2, "not a run directory");
    check(&["report", "/"], 2, "not a run directory");
    check(&["report", "/", "--format", "pdf"], 2, "pdf");
}

/// A lab whose kernel is not there, or is not one, is said before anything runs.
#[test]
fn a_lab_that_cannot_be_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let (_dir, run) = place();
    let check = |args: &[&str], codes: &[i32], expected: &[&str]| {
        let output = Command::new(BIN)
            .args(["run", "--on", "lab", "--out"])
            .arg(&run)
            .args(args)
            .env("UNMAPBENCH_CACHE", cache.path())
            .output()
            .unwrap();
        let stderr = text(&output.stderr);
        assert!(codes.contains(&output.status.code().unwrap()), "{stderr}");
        // Where there is no QEMU either, that is what is said.
        assert!(expected.iter().any(|e| stderr.contains(e)), "{stderr}");
        assert!(!run.exists());
    };
    let no_qemu = "qemu-system-x86_64 is missing";
    check(&[], &[4], &["run `unmapbench lab build`", no_qemu]);
    check(
        &["--kernel", "/etc/passwd"],
        &[2, 4],
        &["too short for a kernel", "lacks the boot header", no_qemu],
    );
    check(
        &["--kernel", "/nonexistent"],
        &[2, 4],
        &["/nonexistent: open", no_qemu],
    );
    check(&["--cpus", "0"], &[2], &["0"]);
}

#[test]
fn what_exists_is_not_overwritten() {
    let (_dir, run) = place();
    assert_eq!(fake_run(&run, &[]).status.code(), Some(0));
    let before = fs::read(run.join("samples.jsonl")).unwrap();
    let again = fake_run(&run, &[]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("never overwritten"));
    assert_eq!(fs::read(run.join("samples.jsonl")).unwrap(), before);
}

#[test]
fn an_output_directory_that_cannot_be_made_is_named() {
    let output = fake_run(Path::new("/proc/unmapbench/run"), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("/proc/unmapbench"),
        "{}",
        text(&output.stderr)
    );
}

/// A limit on file size stands for a full disk: the write fails half-way.
#[test]
fn a_disk_that_fills_up_leaves_a_run_that_reports() {
    let (_dir, run) = place();
    let script = r#"trap "" XFSZ; ulimit -f 64; exec "$0" run --on fake --workloads mmio/user-read --blocks 9000 --out "$1""#;
    let output = Command::new("sh")
        .args(["-c", script, BIN])
        .arg(&run)
        .output()
        .unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let last = stderr.trim().lines().last().unwrap();
    assert!(
        last.contains("samples.jsonl: write:") && last.contains("unmapbench report"),
        "{last}"
    );
    let report = unmapbench(&["report", run.to_str().unwrap(), "--format", "text"]);
    assert_eq!(report.status.code(), Some(0), "{}", text(&report.stderr));
    assert!(
        report.stderr.is_empty(),
        "half a line was left: {}",
        text(&report.stderr)
    );
}

/// A run that would go on for minutes, stopped by `signal` after a few rows.
fn stopped(run: &Path, signal: &str) -> (Option<i32>, String) {
    let mut child = Command::new(BIN)
        .args(["run", "--on", "fake", "--blocks", "100000"])
        .args(["--workloads", "mmio/user-*", "--out"])
        .arg(run)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut first = [0; 64];
    // The first lines of progress come with the first rows.
    stderr.read_exact(&mut first).unwrap();
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap()
            .success()
    );
    let mut rest = String::new();
    let _ = stderr.read_to_string(&mut rest);
    (child.wait().unwrap().code(), rest)
}

#[test]
fn kill_9_loses_the_cell_in_flight_and_no_more() {
    let (_dir, run) = place();
    assert_eq!(stopped(&run, "-KILL").0, None);
    let report = unmapbench(&["report", run.to_str().unwrap(), "--format", "md"]);
    assert_eq!(report.status.code(), Some(0), "{}", text(&report.stderr));
    assert!(text(&report.stdout).contains("mmio/user-read"));
}

#[test]
fn ctrl_c_ends_the_run_with_its_report() {
    let (_dir, run) = place();
    let (code, stderr) = stopped(&run, "-INT");
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("interrupted"), "{stderr}");
    assert!(run.join("report.html").exists());
}

#[test]
fn a_damaged_record_is_named_with_its_line() {
    let (_dir, run) = place();
    fake_run(&run, &["--workloads", "pio/*"]);
    let path = run.join("samples.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let report = || unmapbench(&["report", run.to_str().unwrap()]);

    fs::write(&path, &whole[..whole.len() - 20]).unwrap();
    let cut = report();
    assert_eq!(cut.status.code(), Some(0));
    assert!(
        text(&cut.stderr).contains("is cut off"),
        "{}",
        text(&cut.stderr)
    );

    fs::write(&path, whole.replacen("\"block\":1", "\"block\":\"one\"", 1)).unwrap();
    let edited = report();
    assert_eq!(edited.status.code(), Some(2));
    assert!(
        text(&edited.stderr).contains("samples.jsonl: line"),
        "{}",
        text(&edited.stderr)
    );
}

#[test]
fn lists_name_everything_in_both_forms() {
    let list = text(&unmapbench(&["list"]).stdout);
    let json: serde_json::Value =
        serde_json::from_slice(&unmapbench(&["list", "--json"]).stdout).unwrap();
    let names = |key: &str, field: &str| -> Vec<String> {
        let all = json[key].as_array().unwrap();
        all.iter()
            .map(|v| v[field].as_str().unwrap().to_string())
            .collect()
    };
    for name in names("strategies", "name")
        .into_iter()
        .chain(names("workloads", "id"))
    {
        assert!(list.contains(&name), "{name}");
    }
    assert_eq!(
        names("strategies", "name").len(),
        strategies::registry::ALL.len()
    );
    assert!(json["workloads"][0]["cells"]["quick"].is_array());
}

/// With or without KVM, `probe` answers in JSON and says why.
#[test]
fn a_probe_always_answers() {
    let output = unmapbench(&["probe", "--json"]);
    assert!(matches!(output.status.code(), Some(0 | 4)));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for testbed in ["host", "lab"] {
        let t = &json[testbed];
        match t["available"].as_bool() {
            Some(true) => assert!(t["strategies"].as_array().is_some_and(|s| !s.is_empty())),
            Some(false) => assert!(t["reason"].as_str().is_some_and(|r| !r.is_empty())),
            None => panic!("{testbed}: {t}"),
        }
    }
}
