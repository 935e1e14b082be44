// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The gate's exit codes, as a job of a CI meets them. Runs are of the fake testbed,
//! edited where something is to have happened to them, or those that are recorded.
#![expect(clippy::unwrap_used)]

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

const BIN: &str = env!("CARGO_BIN_EXE_unmapbench");

fn recorded(name: &str) -> PathBuf {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/recorded");
    results.join(name).canonicalize().unwrap()
}

/// The exit code, standard output and standard error of `unmapbench WORDS PATHS`.
fn unmapbench(words: &[&str], paths: &[&Path]) -> (i32, String, String) {
    let mut command = Command::new(BIN);
    // Baselines are looked up from here.
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.args(words).args(paths).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap();
    (code, text(&output.stdout), text(&output.stderr))
}

/// `unmapbench gate --baseline A B WORDS`.
fn gate(a: &Path, b: &Path, words: &[&str]) -> (i32, String, String) {
    let baseline = ["gate", "--baseline", a.to_str().unwrap()];
    unmapbench(&[&baseline, words].concat(), &[b])
}

/// Two runs of the fake testbed, of 15 blocks, that differ in their noise alone.
static EQUAL: LazyLock<(Runs, [PathBuf; 2])> = LazyLock::new(|| {
    let runs = Runs::new();
    let two = [runs.blocks("a", "1", "15"), runs.blocks("b", "2", "15")];
    (runs, two)
});

/// One of them.
fn a() -> PathBuf {
    EQUAL.1[0].clone()
}

/// The other.
fn b() -> PathBuf {
    EQUAL.1[1].clone()
}

struct Runs(tempfile::TempDir);

impl Runs {
    fn new() -> Self {
        Runs(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A run of the fake testbed.
    fn blocks(&self, name: &str, seed: &str, blocks: &str) -> PathBuf {
        let path = self.path(name);
        let words = ["run", "--on", "fake", "--seed", seed, "--blocks", blocks];
        let workloads = [
            "--workloads",
            "calibrate/*",
            "mmio/user-*",
            "pio/user",
            "--out",
        ];
        let (code, _, stderr) = unmapbench(&[&words[..], &workloads].concat(), &[&path]);
        assert_eq!(code, 0, "{stderr}");
        path
    }

    /// A copy of the run in `from` whose rows went through `edit`.
    fn edited(&self, from: &Path, name: &str, edit: impl Fn(&mut Value)) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).unwrap();
        for file in ["plan.json", "host.json"] {
            fs::copy(from.join(file), path.join(file)).unwrap();
        }
        let text = fs::read_to_string(from.join("samples.jsonl")).unwrap();
        let mut out = String::new();
        for (number, line) in text.lines().enumerate() {
            let mut row: Value = serde_json::from_str(line).unwrap();
            if number > 0 {
                edit(&mut row);
            }
            out += &format!("{row}\n");
        }
        fs::write(path.join("samples.jsonl"), out).unwrap();
        path
    }
}

/// Multiplies every sample of `workload` by a factor.
fn slower(workload: &str, factor: f64) -> impl Fn(&mut Value) {
    move |row| {
        if row["cell"]["workload"] != workload || row["outcome"] != "measured" {
            return;
        }
        for series in row["samples"].as_object_mut().unwrap().values_mut() {
            for sample in series.as_array_mut().unwrap() {
                *sample = ((sample.as_u64().unwrap() as f64 * factor).round() as u64).into();
            }
        }
    }
}

/// `recorded/lab-gate` with another value of a fact of the lab, or of all its samples.
fn rebuilt(runs: &Runs, name: &str, fact: (&str, &str), factor: f64) -> PathBuf {
    let path = runs.edited(&recorded("lab-gate"), name, |row| {
        let workload = row["cell"]["workload"].as_str().unwrap().to_string();
        slower(&workload, factor)(row);
    });
    let mut host: Value =
        serde_json::from_slice(&fs::read(path.join("host.json")).unwrap()).unwrap();
    let facts = host["facts"].as_array_mut().unwrap();
    facts.retain(|entry| entry["name"] != fact.0);
    facts.push(serde_json::json!({ "name": fact.0, "value": fact.1 }));
    fs::write(path.join("host.json"), host.to_string()).unwrap();
    path
}

/// Debian rebuilds its packages: the same QEMU under another name counts alike. The
/// record of today's machine is gated against that of yesterday's.
#[test]
fn a_rebuilt_emulator_that_counts_alike_is_compared() {
    let runs = Runs::new();
    let next = ("lab.qemu", "7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b9)");
    let same = rebuilt(&runs, "same", next, 1.0);
    let (code, stdout, stderr) = gate(Path::new("lab-gate"), &same, &[]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let said = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("counts alike: memfd pio/user"), "{stdout}");

    let other = rebuilt(&runs, "other", next, 0.987);
    let (code, stdout, stderr) = gate(Path::new("lab-gate"), &other, &[]);
    assert_eq!(code, 2, "{stdout}{stderr}");
    assert!(stderr.contains("does not count alike"), "{stderr}");

    let newer = rebuilt(&runs, "newer", ("lab.qemu", "10.0.2 (Debian x)"), 1.0);
    let (code, stdout, stderr) = gate(Path::new("lab-gate"), &newer, &[]);
    assert_eq!(code, 2, "{stdout}{stderr}");
}

/// The same source built by another compiler counts 1.3 % less.
#[test]
fn a_kernel_of_another_compiler_is_refused_unless_it_counts_alike() {
    let runs = Runs::new();
    let fact = "lab.kernel.compiler";
    let old = rebuilt(&runs, "gcc-12", (fact, "gcc 12.2.0"), 1.0);
    let new = rebuilt(&runs, "gcc-14", (fact, "gcc 14.2.0"), 0.987);
    let (code, stdout, stderr) = gate(&old, &new, &[]);
    assert_eq!(code, 2, "{stdout}{stderr}");
    assert!(stderr.contains(fact), "{stderr}");
    let alike = rebuilt(&runs, "gcc-12.3", (fact, "gcc 12.3.0"), 1.0);
    let (code, stdout, stderr) = gate(&old, &alike, &[]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    // Crossed on purpose it is a verdict.
    let (code, stdout, stderr) = gate(&old, &new, &["--across", "kernel"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
}

/// A name may mean one run for each compiler: the one that fits is compared with.
#[test]
fn of_several_baselines_the_one_of_the_same_build_is_taken() {
    let runs = Runs::new();
    let fact = "lab.kernel.compiler";
    fs::create_dir_all(runs.path("results/recorded")).unwrap();
    for (name, compiler, factor) in [("12", "gcc 12.2.0", 1.0), ("14", "gcc 14.2.0", 0.987)] {
        rebuilt(
            &runs,
            &format!("results/recorded/{name}"),
            (fact, compiler),
            factor,
        );
    }
    let names = "[names]\nlab = [\"recorded/12\", \"recorded/14\"]\n";
    fs::write(runs.path("results/baselines.toml"), names).unwrap();
    let check = |now: &Path, expected: i32| {
        let mut command = Command::new(BIN);
        command.current_dir(runs.path("results"));
        let gate = command
            .args(["gate", "--baseline", "lab"])
            .arg(now)
            .output()
            .unwrap();
        assert_eq!(gate.status.code(), Some(expected), "{gate:?}");
    };
    check(&rebuilt(&runs, "a", (fact, "gcc 12.2.0"), 1.0), 0);
    check(&rebuilt(&runs, "b", (fact, "gcc 14.2.0"), 0.987), 0);
    // The first one counts alike.
    check(&rebuilt(&runs, "c", (fact, "gcc 14.2.0"), 1.0), 0);
    check(&rebuilt(&runs, "d", (fact, "gcc 15.1.0"), 0.97), 2);
}

#[test]
fn equal_runs_are_fine() {
    let (a, b) = (a(), b());
    for (a, b) in [(&a, &b), (&b, &a), (&a, &a)] {
        let (code, stdout, stderr) = gate(a, b, &[]);
        assert_eq!(code, 0, "{stdout}{stderr}");
        assert!(stdout.contains("fine: of "), "{stdout}");
    }
}

#[test]
fn a_slowdown_is_a_regression_and_is_named() {
    let runs = Runs::new();
    let a = a();
    let b = runs.edited(&b(), "slow", slower("pio/user", 1.1));
    let (code, stdout, _) = gate(&a, &b, &[]);
    assert_eq!(code, 1, "{stdout}");
    let line = stdout.lines().find(|l| l.contains("REGRESSION")).unwrap();
    assert!(line.contains("+10."), "{line}");
    assert!(stdout.contains("fake: pio/user count="), "{stdout}");
    assert!(stdout.lines().all(|l| l.chars().count() <= 100));
    // The other way round it is an improvement, and fine.
    let (code, stdout, _) = gate(&b, &a, &[]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("improvement"), "{stdout}");
    // What is tolerated is no regression.
    assert_eq!(gate(&a, &b, &["--tolerance", "pio/*=15%"]).0, 0);
    let file = runs.path("tolerances.toml");
    fs::write(&file, "[ns]\n\"pio/*\" = { percent = 15 }\n").unwrap();
    assert_eq!(gate(&a, &b, &["--tolerance", file.to_str().unwrap()]).0, 0);
    // A machine that is slower altogether is another matter.
    let slow = runs.edited(&b, "all-slow", slower("calibrate/loop", 1.1));
    let (code, stdout, _) = gate(&a, &slow, &[]);
    assert_eq!(code, 3, "{stdout}");
    assert!(stdout.contains("CONTROL MOVED"), "{stdout}");
}

#[test]
fn what_cannot_be_told_is_inconclusive() {
    let runs = Runs::new();
    let a = a();
    let few = runs.blocks("few", "2", "4");
    let (code, stdout, _) = gate(&a, &few, &[]);
    assert_eq!(code, 3, "{stdout}");
    assert!(stdout.contains("5 are the least"), "{stdout}");
    // A metric that failed is not a metric that is fine.
    let failed = runs.edited(&a, "failed", |row| {
        if row["cell"]["workload"] == "pio/user" && row["outcome"] == "measured" {
            *row = serde_json::json!({
                "cell": row["cell"], "block": row["block"],
                "outcome": "failed", "error": "isolation not as claimed",
            });
        }
    });
    let (code, stdout, _) = gate(&a, &failed, &[]);
    assert_eq!(code, 3, "{stdout}");
    assert!(stdout.contains("isolation not as claimed"), "{stdout}");
    assert_eq!(gate(&failed, &a, &[]).0, 0);
}

#[test]
fn a_run_without_figures_is_unfit() {
    let runs = Runs::new();
    let a = a();
    let none = runs.edited(&a, "none", |row| {
        *row = serde_json::json!({
            "cell": row["cell"], "block": row["block"],
            "outcome": "missing", "reason": "no /dev/kvm", "remedy": "a machine with one",
        });
    });
    let (code, _, stderr) = gate(&a, &none, &[]);
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("no /dev/kvm"), "{stderr}");
}

#[test]
fn mistakes_exit_2_on_one_line() {
    let runs = Runs::new();
    let a = a();
    let path = a.to_str().unwrap();
    let bad = runs.path("bad.toml");
    fs::write(&bad, "[ns]\n\"*\" = { percent = -3 }\n").unwrap();
    let bad = bad.to_str().unwrap();
    for (words, expected) in [
        (
            &["gate", "--baseline", "nope", path][..],
            "no baseline of that name; there are",
        ),
        (
            &["gate", "--baseline", "/nonexistent", path],
            "no baseline of that name",
        ),
        (
            &["gate", "--baseline", "../../..", path],
            "not a run directory",
        ),
        (
            &["gate", "--baseline", path, "/nonexistent"],
            "/nonexistent",
        ),
        (
            &["gate", "--baseline", path, path, "--format", "pdf"],
            "there are terminal, html, md, text, csv, github, json",
        ),
        (
            &[
                "gate",
                "--baseline",
                path,
                path,
                "--tolerance",
                "/nonexistent",
            ],
            "/nonexistent",
        ),
        (
            &["gate", "--baseline", path, path, "--tolerance", "mmio=x%"],
            "PATTERN=PERCENT%",
        ),
        (
            &["gate", "--baseline", path, path, "--tolerance", bad],
            "percent = -3",
        ),
        (
            &["gate", "--baseline", "lab", path],
            "no measured cell in common",
        ),
        (&["diff", path, "lab"], "no measured cell in common"),
        (&["diff", path, "/nonexistent"], "/nonexistent"),
    ] {
        let (code, _, stderr) = unmapbench(words, &[]);
        assert_eq!(code, 2, "{words:?}: {stderr}");
        assert!(
            stderr.contains(expected),
            "{words:?}: {stderr:?} lacks {expected:?}"
        );
        assert_eq!(stderr.trim().lines().count(), 1, "{stderr}");
    }
    let (code, _, stderr) = unmapbench(&["gate", path], &[]);
    assert_eq!(code, 2, "{stderr}");
    let (code, _, stderr) = gate(&a, &a, &["--across", "moon"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("machine, kernel"), "{stderr}");
}

/// Whatever a record file holds, it is an error that names it.
#[test]
fn hostile_records_exit_2_on_one_line() {
    let runs = Runs::new();
    let a = a();
    let text = fs::read_to_string(a.join("samples.jsonl")).unwrap();
    let row = text.lines().find(|l| l.contains("measured")).unwrap();
    let samples = row.find("\"samples\"").unwrap();
    let (start, end) = row.split_at(samples);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let header = text.lines().next().unwrap();
    let number = header.replace("\"schema\":1", "\"schema\":99999999999999999999");
    for (what, content) in [
        ("empty", String::new()),
        ("cut header", header[..20].to_string()),
        (
            "another schema",
            format!("{}\n", header.replace("\"schema\":1", "\"schema\":2")),
        ),
        ("a schema beyond numbers", format!("{number}\n")),
        (
            "NaN",
            format!("{header}\n{start}\"samples\":{{\"latency\":[NaN]}}}}\n"),
        ),
        (
            "1e308",
            format!("{header}\n{start}\"samples\":{{\"latency\":[1e308]}}}}\n"),
        ),
        (
            "a twin key",
            format!("{header}\n{start}\"unit\":\"ns\",{end}\n"),
        ),
        ("a twin row", format!("{header}\n{row}\n{row}\n")),
        ("depth", format!("{header}\n{start}\"samples\":{deep}}}\n")),
        ("no UTF-8", format!("{header}\n\u{0}\n")),
        ("an array", "[]\n".into()),
    ] {
        let path = runs.edited(&a, what, |_| ());
        fs::write(path.join("samples.jsonl"), content).unwrap();
        for (a, b) in [(&a, &path), (&path, &a)] {
            let (code, _, stderr) = gate(a, b, &[]);
            assert_eq!(code, 2, "{what}: {stderr}");
            assert!(stderr.contains("samples.jsonl"), "{what}: {stderr}");
            assert_eq!(stderr.trim().lines().count(), 1, "{what}: {stderr}");
            assert!(stderr.len() < 1000, "{what}: {} bytes", stderr.len());
        }
    }
    // Names that would paint or lead elsewhere are shown and harm nothing.
    let strange = runs.edited(&a, "strange", |row| {
        row["cell"]["strategy"] = "../../\u{1b}[2J\u{202e}x".into();
    });
    let (code, stdout, _) = gate(&a, &strange, &[]);
    assert_eq!(code, 2, "{stdout}");
    assert!(!stdout.contains('\u{1b}') && !stdout.contains('\u{202e}'));
}

/// The recorded lab runs against themselves, and with half a percent more in one path.
#[test]
fn the_lab_is_gated_exactly() {
    let runs = Runs::new();
    let lab = recorded("lab-virtio");
    let (code, stdout, _) = unmapbench(&["gate", "--baseline", "lab-virtio"], &[&lab]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("0 counts changed"), "{stdout}");
    let slow = runs.edited(&lab, "slow", slower("virtio/blk-size", 1.005));
    let (code, stdout, _) = gate(&lab, &slow, &[]);
    assert_eq!(code, 1, "{stdout}");
    assert!(!stdout.contains("virtio/net"), "{stdout}");
    // Within a thousandth it is listed and no more.
    let near = runs.edited(&lab, "near", slower("virtio/blk-size", 1.0005));
    let (code, stdout, _) = gate(&lab, &near, &[]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("within tolerance"), "{stdout}");
}

#[test]
fn another_emulator_is_refused_unless_asked_for() {
    let runs = Runs::new();
    let lab = recorded("lab-virtio");
    let other = runs.edited(&lab, "other", |_| ());
    let host = fs::read_to_string(other.join("host.json")).unwrap();
    fs::write(other.join("host.json"), host.replace("7.2.22", "10.0.2")).unwrap();
    let (code, stdout, stderr) = gate(&lab, &other, &[]);
    assert_eq!(code, 2, "{stdout}");
    assert!(stderr.contains("--across qemu"), "{stderr}");
    let (code, stdout, _) = gate(&lab, &other, &["--across", "qemu"]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("Compared all the same"), "{stdout}");
}

#[test]
fn a_part_can_be_gated() {
    let runs = Runs::new();
    let a = a();
    let part = runs.path("part");
    let words = ["run", "--on", "fake", "--blocks", "15", "--seed", "3"];
    let more = ["--workloads", "pio/user", "calibrate/*", "--out"];
    assert_eq!(unmapbench(&[&words[..], &more].concat(), &[&part]).0, 0);
    let (code, stdout, _) = gate(&a, &part, &[]);
    assert_eq!(code, 3, "{stdout}");
    assert!(stdout.contains("MISSING"), "{stdout}");
    let (code, stdout, _) = gate(&a, &part, &["--partial"]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("left out"), "{stdout}");
}

#[test]
fn json_holds_the_verdicts() {
    let runs = Runs::new();
    let a = a();
    let b = runs.edited(&b(), "slow", slower("pio/user", 1.1));
    let (code, stdout, _) = gate(&a, &b, &["--format", "json"]);
    assert_eq!(code, 1);
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["outcome"], "regression");
    let metrics = json["metrics"].as_array().unwrap();
    let of = |workload: &str, verdict: &str| {
        let fits = |m: &&Value| {
            m["cell"]["workload"] == workload && m["verdict"] == verdict && m["role"] == "gated"
        };
        metrics.iter().filter(fits).count()
    };
    assert!(of("pio/user", "regression") >= 3, "{stdout}");
    assert_eq!(of("mmio/user-read", "regression"), 0);
    let one = metrics
        .iter()
        .find(|m| m["verdict"] == "regression")
        .unwrap();
    let interval = one["change"]["interval"].as_array().unwrap();
    let end = |i: usize| interval[i].as_f64().unwrap();
    assert!(1.05 < end(0) && end(0) < end(1), "{one}");
    assert_eq!(one["method"], "unpaired");
}

#[test]
fn diff_shows_all_and_judges_nothing() {
    let runs = Runs::new();
    let a = a();
    let b = runs.edited(&a, "slow", slower("pio/user", 1.5));
    let (code, stdout, _) = unmapbench(&["diff"], &[&a, &b]);
    assert_eq!(code, 0, "{stdout}");
    assert!(
        stdout.contains("mmio/user-read") && stdout.contains("+50.0%"),
        "{stdout}"
    );
    for (format, said) in [
        ("html", "+50.0%"),
        ("md", "| +50.0% ▲ |"),
        ("text", "++ memfd"),
        ("csv", "series,latency,"),
    ] {
        let (code, stdout, _) = unmapbench(&["diff", "--format", format], &[&a, &b]);
        assert_eq!(code, 0, "{format}: {stdout}");
        assert!(stdout.contains(said), "{format}: {stdout}");
    }
}

/// A new baseline is a new directory, whatever is there already.
#[test]
fn a_baseline_is_never_overwritten() {
    let runs = Runs::new();
    let (a, b) = (a(), b());
    let new = runs.path("new");
    let update = ["--update-baseline", new.to_str().unwrap()];
    let (code, _, stderr) = gate(&a, &b, &update);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("baselines.toml"), "{stderr}");
    for file in ["samples.jsonl", "plan.json", "host.json"] {
        assert_eq!(
            fs::read(new.join(file)).unwrap(),
            fs::read(b.join(file)).unwrap()
        );
    }
    assert!(!new.join("report.html").exists());
    assert_eq!(gate(&new, &b, &[]).0, 0);
    for taken in [&new, &a] {
        let (code, _, stderr) = gate(&a, &b, &["--update-baseline", taken.to_str().unwrap()]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("never overwritten"), "{stderr}");
    }
    let taken = ["--update-baseline", "lab"];
    assert_eq!(gate(&a, &b, &taken).0, 2);
}

/// The whole way of a calibration, on numbers that are invented: equal runs, what is
/// kept of them, and the gate that hears of it.
#[test]
fn a_calibration_is_kept_and_heeded() {
    let runs = Runs::new();
    let out = runs.path("calibration");
    let words = [
        "calibrate",
        "--on",
        "fake",
        "--gates",
        "3",
        "--blocks",
        "8",
        "--json",
    ];
    let (code, stdout, stderr) = unmapbench(&[&words[..], &["--out"]].concat(), &[&out]);
    assert_eq!(code, 0, "{stderr}");
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["source"], "measured");
    assert_eq!(json["false_positives"]["of"], 3);
    assert_eq!(json["metrics"].as_array().unwrap().len(), 1, "{stdout}");
    let kept = fs::read_to_string(out.join("calibration.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), json);
    let (code, _, stderr) = unmapbench(&[&words[..], &["--out"]].concat(), &[&out]);
    assert_eq!(code, 2, "{stderr}");

    // Beside a run, it is found.
    let copy = runs.edited(&a(), "copy", |_| ());
    let (code, stdout, _) = gate(&a(), &copy, &[]);
    assert_eq!(code, 0, "{stdout}");
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let note = one_line(&stdout);
    assert!(
        note.contains("calibration: this machine resolves"),
        "{note}"
    );
    let fine = ["--tolerance", "mmio/*=0.01%"];
    let (_, stdout, _) = gate(&a(), &copy, &fine);
    let note = one_line(&stdout);
    assert!(
        note.contains("1 of 1 metrics calibrated is finer"),
        "{note}"
    );
    // Of another machine, or damaged, it is not.
    fs::write(out.join("calibration.json"), "{}").unwrap();
    let (code, _, stderr) = gate(&a(), &copy, &[]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("calibration.json: line 1"), "{stderr}");
}

#[test]
fn a_calibration_without_a_machine_says_so() {
    let words = [
        "calibrate",
        "--from",
        "host-pvm",
        "--gates",
        "4",
        "--inject",
        "5",
    ];
    let (code, stdout, stderr) = unmapbench(&words, &[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("false positives  0 of 4"), "{stdout}");
    assert!(
        stdout.contains("RESAMPLED") && stdout.contains("ARITHMETIC"),
        "{stdout}"
    );
    for (words, expected) in [
        (&["--inject", "-3"][..], "--inject -3"),
        (&["--inject", "nan"], "--inject NaN"),
        (&["--on", "lab"], "nothing to calibrate"),
        (&["--from", "lab"], "nothing to calibrate"),
        (&["--from", "nope"], "no baseline of that name"),
        (&["--gates", "0"], "0"),
        (
            &["--on", "fake", "--inject", "5", "--blocks", "5"],
            "add mmio/user-read",
        ),
    ] {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        let all = [&["calibrate", "--out", out.to_str().unwrap()], words].concat();
        let (code, _, stderr) = unmapbench(&all, &[]);
        assert_eq!(code, 2, "{words:?}: {stderr}");
        assert!(
            stderr.contains(expected),
            "{words:?}: {stderr:?} lacks {expected:?}"
        );
    }
}
