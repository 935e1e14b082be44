// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tests that need the lab: QEMU and the built kernel. Each says why it was
//! skipped; with UNMAPBENCH_REQUIRE_LAB=1 a skip is a failure.
#![expect(clippy::unwrap_used)]

use harness::lab_kernel;
use lab::{
    emulator::Qemu,
    kernel_build::Options,
    tlb::{Geometry, Modelling},
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use results::{Cell, Outcome, Row, store};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

const BIN: &str = env!("CARGO_BIN_EXE_unmapbench");

type Test = fn() -> Result<Completion, Failed>;

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let tests: [(&str, Test); 11] = [
        ("the_same_run_gives_the_same_bytes", repeats),
        ("counts_are_those_of_the_recorded_run", as_recorded),
        ("kvm_touches_guest_memory_as_often_as_documented", touches),
        ("devices_work_unless_they_pin_hidden_memory", virtio),
        ("modelled_misses_are_those_of_the_geometry", modelled),
        (
            "a_split_direct_map_costs_the_kernel_modelled_misses",
            modelled_split,
        ),
        ("a_chase_without_a_model_says_what_is_missing", unmodelled),
        ("a_command_gives_its_exit_code_and_sees_its_files", shell),
        ("claims_of_isolation_hold_and_are_checked", audit),
        ("linux_boots_alike_each_time_and_its_console_is_kept", boots),
        (
            "a_guest_that_cannot_boot_is_a_clear_row_or_error",
            boots_not,
        ),
    ];
    let trials = tests.map(|(name, test)| {
        Trial::ignorable_test(format!("lab::{name}"), move || match missing() {
            Some(why) => skipped(why),
            None => test(),
        })
    });
    libtest_mimic::run(&args, trials.into()).exit_code()
}

/// A test that cannot be done: a failure where the lab is required.
fn skipped(why: impl Into<String>) -> Result<Completion, Failed> {
    match std::env::var_os("UNMAPBENCH_REQUIRE_LAB") {
        Some(_) => Err(why.into().into()),
        None => Ok(Completion::ignored_with(why.into())),
    }
}

/// What the lab lacks here.
fn missing() -> Option<String> {
    if cfg!(debug_assertions) {
        return Some("counts are those of a release build: cargo test --release".into());
    }
    if let Err(e) = Qemu::find() {
        return Some(e.to_string());
    }
    match lab_kernel::cached(&Options::default()) {
        Ok(Some(_)) => None,
        Ok(None) => Some("the lab's kernel is not built: unmapbench lab build".into()),
        Err(e) => Some(e.to_string()),
    }
}

/// A run in the lab with these arguments.
fn measured(more: &[&str]) -> Result<(tempfile::TempDir, PathBuf), Failed> {
    let dir = tempfile::tempdir()?;
    let out = dir.path().join("run");
    let output = Command::new(BIN)
        .args(["run", "--on", "lab", "--out"])
        .arg(&out)
        .args(more)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok((dir, out))
}

/// The rows of samples.jsonl, as bytes.
fn rows(run: &Path) -> Vec<String> {
    let text = fs::read_to_string(run.join(store::SAMPLES)).unwrap();
    text.lines().skip(1).map(str::to_string).collect()
}

/// The same build, the same arguments: equal but for the header's clock.
fn repeats() -> Result<Completion, Failed> {
    let several = "memfd,guest-memfd-reinsert";
    for (cpus, strategies) in [("1", ""), ("2,4", several)] {
        let mut args = vec!["--workloads", "mmio/user-read", "--cpus", cpus];
        if !strategies.is_empty() {
            args.extend(["--strategies", strategies]);
        }
        let (_a, first) = measured(&args)?;
        let (_b, second) = measured(&args)?;
        let (first, second) = (rows(&first), rows(&second));
        assert!(!first.is_empty());
        for (a, b) in first.iter().zip(&second) {
            assert_eq!(a, b, "with {cpus} CPUs");
        }
        assert_eq!(first.len(), second.len());
    }
    Ok(Completion::Completed)
}

/// The gate, tried on ourselves: what a reinsertion costs is what was recorded, to a
/// tenth of a percent, and every zap, flush and exit exactly. Another emulator or kernel
/// is refused, which is no fault of this build.
fn as_recorded() -> Result<Completion, Failed> {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/recorded/lab-gate");
    let arms = "memfd,guest-memfd-unmapped,guest-memfd-reinsert";
    let workloads = ["--workloads", "mmio/user-*", "pio/user"];
    let (_dir, now) = measured(&[&["--strategies", arms], &workloads[..]].concat())?;
    let gate = Command::new(BIN)
        .args(["gate", "--baseline"])
        .args([&recorded, &now])
        .output()?;
    let [said, refused] = [&gate.stdout, &gate.stderr].map(|text| String::from_utf8_lossy(text));
    match gate.status.code() {
        Some(0) => {
            assert!(
                said.contains(" no\nchange") || said.contains("no change"),
                "{said}"
            );
            Ok(Completion::Completed)
        }
        Some(2) if refused.contains("not compared") => skipped(refused.trim()),
        _ => Err(format!("{said}{refused}").into()),
    }
}

/// The counts of `workloads/README.md` are those that the lab's kernel counts.
fn touches() -> Result<Completion, Failed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/README.md");
    let text = fs::read_to_string(path)?;
    let mut documented: BTreeMap<(String, String), [u64; 2]> = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, workload, params, reads, writes, _, _] = cells[..]
            && let (Ok(reads), Ok(writes)) = (reads.parse(), writes.parse())
        {
            documented.insert((workload.into(), params.into()), [reads, writes]);
        }
    }
    assert!(documented.len() >= 20, "{documented:?}");
    let (_dir, run) = measured(&[
        "--strategies",
        "memfd",
        "--workloads",
        "mmio/*",
        "pio/*",
        "exit/*",
        "clock/*",
    ])?;
    let mut found = 0;
    for row in store::read(&run)?.rows {
        let Outcome::Measured { counters, .. } = &row.outcome else {
            return Err(format!("{}: {:?}", row.cell, row.outcome).into());
        };
        let of = |name: &str| counters.get(name).copied().unwrap_or(0);
        for ((workload, params), expected) in &documented {
            let mut words = params.split_whitespace();
            let same = row.cell.workload == *workload
                && words.all(|word| row.cell.to_string().split(' ').any(|w| w == word));
            if same {
                let touched = ["reads", "writes"].map(|w| of(&format!("kvm.guest_mem_{w}")));
                let expected = expected.map(|n| n * of("operations"));
                assert_eq!(touched, expected, "{}", row.cell);
                found += 1;
            }
        }
    }
    assert_eq!(
        found,
        documented.len(),
        "a row of the table was not measured"
    );
    Ok(Completion::Completed)
}

/// Every backend, interrupt and way of bouncing works in the lab, but for those that
/// pin pages without a direct map; vhost does not.
fn virtio() -> Result<Completion, Failed> {
    let strategies = "memfd,guest-memfd-reinsert";
    let (_dir, run) = measured(&["--strategies", strategies, "--workloads", "virtio/*"])?;
    let (mut refused, mut by_vhost, mut by_swiotlb) = (0, 0, 0);
    for Row { cell, outcome, .. } in store::read(&run)?.rows {
        let has = |word: &str| cell.to_string().split(' ').any(|w| w == word);
        let pins = has("backend=uring")
            || has("backend=uring-fixed")
            || has("backend=direct")
                && !["pool", "per-request", "swiotlb"]
                    .iter()
                    .any(|way| has(&format!("bounce={way}")));
        match outcome {
            Outcome::Missing { reason, .. } => {
                let hidden = cell.strategy != results::BASELINE;
                assert!(
                    hidden && pins && reason.contains("os error 14"),
                    "{cell}: {reason}"
                );
                refused += 1;
            }
            Outcome::Measured { counters, .. } => {
                assert!(
                    !pins || cell.strategy == results::BASELINE,
                    "{cell}: pinned"
                );
                by_vhost += u32::from(has("backend=vhost"));
                if has("bounce=swiotlb") {
                    assert_eq!(counters["virtio.guest_copied"], counters["virtio.moved"]);
                    assert_eq!(counters["virtio.copied"], 0, "{cell}");
                    by_swiotlb += 1;
                }
            }
            Outcome::Failed { error, detail } => {
                return Err(format!("{cell}: {error} {detail:?}").into());
            }
        }
    }
    assert!(refused > 0 && by_vhost > 0 && by_swiotlb > 0);
    Ok(Completion::Completed)
}

/// Why TLBs cannot be modelled here; what `lab build` would have brought is a failure
/// where the lab is required.
fn no_model() -> Option<Result<Completion, Failed>> {
    let found = Geometry::find(None)
        .and_then(|g| Modelling::find(&Qemu::find().unwrap(), lab_kernel::TLB_MODEL.as_ref(), g));
    found.err().map(skipped)
}

/// A count of the model; every row has all of them.
fn model(row: &Row, name: &str) -> Result<u64, Failed> {
    match &row.outcome {
        Outcome::Measured { counters, .. } => {
            let count = counters.get(&format!("model.{name}")).copied();
            Ok(count.ok_or_else(|| format!("{}: no model.{name}", row.cell))?)
        }
        other => Err(format!("{}: {other:?}", row.cell).into()),
    }
}

/// Few other accesses than the chase's come from the guest: stack, code, samples.
const BESIDES: u64 = 64;

/// k pages against n entries, as LRU has it of a circle: all or nothing. And the same
/// run gives the same counts.
fn modelled() -> Result<Completion, Failed> {
    if let Some(ignored) = no_model() {
        return ignored;
    }
    // 64 entries, then 2048 of 16 ways.
    let (entries, reach) = (64, 2048);
    let args = [
        "--workloads",
        "tlb/chase",
        "--strategies",
        "memfd,memfd-thp",
        "--tlb-model",
        "zen3",
        // Each in a boot of its own.
        "--blocks",
        "2",
    ];
    let (_dir, run) = measured(&args)?;
    let mut first: BTreeMap<Cell, Outcome> = BTreeMap::new();
    let (mut seen, mut repeated) = (0, 0);
    for row in store::read(&run)?.rows {
        if let Some(outcome) = first.get(&row.cell) {
            assert_eq!(row.outcome, *outcome, "{}: another boot", row.cell);
            repeated += 1;
            continue;
        }
        first.insert(row.cell.clone(), row.outcome.clone());
        assert_eq!(model(&row, "unresolved")?, 0, "{}", row.cell);
        if !row.cell.to_string().contains("spacing=page") {
            continue;
        }
        let places = row.cell.int("places").ok_or("no places")?;
        let steps = row.cell.int("count").unwrap_or(0) * row.cell.int("batch").unwrap_or(0);
        // Each place is written once and passed once before.
        let chase = steps + 2 * places;
        let count = |name: &str| model(&row, &format!("guest.{name}"));
        let (l1, walks) = (count("l1_misses")?, count("l2_misses")?);
        assert!(count("accesses")? >= chase, "{}", row.cell);
        let huge = row.cell.strategy != results::BASELINE;
        let once = places + BESIDES..chase / 100 + 2 * places;
        let always = chase..chase + BESIDES;
        let never = 0..places + BESIDES;
        let expected = match (huge, places) {
            // 2 MiB of the guest and of the host are one entry; all fit.
            (true, _) => (0..2 * BESIDES, 0..BESIDES),
            (_, p) if p < entries => (never.clone(), never),
            // Exactly full: interrupts take a few away.
            (_, p) if p == entries => (0..chase / 100, never),
            (_, p) if p < reach => (always, never),
            (_, p) if p == reach => (always, 0..once.end),
            _ => (always.clone(), always),
        };
        assert!(expected.0.contains(&l1), "{}: {l1} of L1", row.cell);
        assert!(expected.1.contains(&walks), "{}: {walks} of L2", row.cell);
        // The payload's pages have 2 MiB: three loads, behind each of which the host's
        // four or three lie, and those of the page itself.
        let walked = count("walk_steps")?;
        match huge {
            false => assert_eq!(walked, 19 * walks, "{}", row.cell),
            true => assert!(
                (15 * walks..19 * walks + 1).contains(&walked),
                "{}",
                row.cell
            ),
        }
        seen += 1;
    }
    assert!(seen >= 16, "{seen} cells");
    assert_eq!(repeated, first.len());
    Ok(Completion::Completed)
}

/// Kernel work that reaches memory by the direct map walks more once that was split:
/// pipes, whose pages cannot be moved, as a guest's could not.
fn modelled_split() -> Result<Completion, Failed> {
    if let Some(ignored) = no_model() {
        return ignored;
    }
    let strategy = ["--strategies", "guest-memfd-unmapped"];
    let (_dir, run) = measured(&[&["--workloads", "tlb/host-victim"], &strategy[..]].concat())?;
    let mut seen = 0;
    for row in store::read(&run)?.rows {
        let before = model(&row, "before.kernel.l2_misses")?;
        let after = model(&row, "after.kernel.l2_misses")?;
        assert_eq!(model(&row, "after.unresolved")?, 0, "{}", row.cell);
        if row.cell.to_string().contains("work=pipe") {
            assert!(after > 10 * before, "{}: {before}, then {after}", row.cell);
            seen += 1;
        }
    }
    assert_eq!(seen, 1);
    Ok(Completion::Completed)
}

/// With a cache that has no QEMU, on a machine whose own is too old.
fn unmodelled() -> Result<Completion, Failed> {
    let kernel = lab_kernel::cached(&Options::default())?.ok_or("no kernel")?;
    let empty = tempfile::tempdir()?;
    let out = empty.path().join("run");
    let output = Command::new(BIN)
        .env("UNMAPBENCH_CACHE", empty.path().join("cache"))
        .args(["run", "--on", "lab", "--workloads", "tlb/chase"])
        .args(["--strategies", "memfd", "--kernel"])
        .arg(&kernel.bzimage)
        .arg("--out")
        .arg(&out)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let run = store::read(&out)?;
    let fact = run.host.get("lab.tlb-model").unwrap_or_default();
    if !fact.starts_with("unavailable: ") {
        // This machine's own QEMU does it.
        for row in run.rows {
            model(&row, "guest.accesses")?;
        }
        return Ok(Completion::Completed);
    }
    assert!(!run.rows.is_empty());
    for row in run.rows {
        let Outcome::Missing { reason, remedy, .. } = row.outcome else {
            return Err(format!("{}: {:?}", row.cell, row.outcome).into());
        };
        assert!(reason.contains("takes QEMU 10.0 or later"), "{reason}");
        assert!(remedy.contains("lab build"), "{remedy}");
    }
    Ok(Completion::Completed)
}

fn audit() -> Result<Completion, Failed> {
    let output = Command::new(BIN)
        .args(["audit", "--on", "lab", "--json"])
        .output()?;
    let audits: Vec<results::Audit> = serde_json::from_slice(&output.stdout)?;
    assert_eq!(audits.len(), strategies::registry::ALL.len());
    for audit in &audits {
        assert_eq!(audit.broken(), None);
        assert_eq!(audit.findings.len(), 3, "{audit:?}");
    }
    assert!(output.status.success());
    Ok(Completion::Completed)
}

/// The same build boots Linux to its first process in the same number of instructions;
/// the baseline stands for memory with a direct map, reinsertion for all else.
fn boots() -> Result<Completion, Failed> {
    let args = [
        "--workloads",
        "boot/linux",
        "--strategies",
        "memfd,guest-memfd-reinsert",
    ];
    let ((_a, first), (_b, second)) = (measured(&args)?, measured(&args)?);
    assert_eq!(rows(&first), rows(&second));
    for row in store::read(&first)?.rows {
        let Outcome::Measured {
            samples, counters, ..
        } = &row.outcome
        else {
            return Err(format!("{}: {:?}", row.cell, row.outcome).into());
        };
        // Its own drivers read the disk, by interrupts.
        let disk = row.cell.to_string().contains("disk=virtio");
        assert_eq!(counters.contains_key("virtio.interrupts"), disk);
        for step in [
            "first-instruction",
            "kernel-entry",
            "console",
            "init",
            "halt",
        ] {
            assert!(samples[step][0] > 0, "{}: {step}", row.cell);
        }
    }
    let consoles = |run: &Path| -> Vec<(String, String)> {
        let listing = fs::read_dir(run.join(store::CONSOLES)).unwrap();
        let paths = listing.map(|entry| entry.unwrap().path());
        let mut all: Vec<_> = paths
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_string();
                (name, fs::read_to_string(&path).unwrap())
            })
            .collect();
        all.sort();
        all
    };
    let kept = consoles(&first);
    assert_eq!(kept, consoles(&second));
    assert_eq!(kept.len(), 4);
    for (name, text) in kept {
        assert_eq!(
            text.contains("virtio_blk virtio0"),
            name.contains("disk=virtio"),
            "{text}"
        );
        assert!(name.contains("boot-linux"), "{name}");
        assert!(text.contains("Linux version"), "{text}");
        assert!(text.contains("unmapbench: init runs"), "{text}");
    }
    Ok(Completion::Completed)
}

fn boots_not() -> Result<Completion, Failed> {
    let linux = ["--workloads", "boot/linux", "--strategies", "memfd"];
    // A kernel without a first process.
    let mut args = linux.to_vec();
    args.extend(["--guest-cmdline", "rdinit=/nonexistent"]);
    let (_dir, run) = measured(&args)?;
    let rows = store::read(&run)?.rows;
    let Some(Outcome::Failed { error, detail }) = rows.first().map(|row| &row.outcome) else {
        return Err(format!("{rows:?}").into());
    };
    let expected = "asked for a reset before its first process said that it runs";
    assert!(
        error.contains(expected) && error.contains("Kernel panic"),
        "{error}"
    );
    let detail = detail.clone().unwrap_or_default();
    assert!(detail.contains("Unable to mount root fs"), "{detail}");
    assert_eq!(fs::read_dir(run.join(store::CONSOLES))?.count(), rows.len());

    // What can be known before the run is an error of usage, in one line.
    let dir = tempfile::tempdir()?;
    let (text, large) = (dir.path().join("text"), dir.path().join("large"));
    fs::write(&text, "no kernel")?;
    fs::File::create(&large)?.set_len(200 << 20)?;
    for (option, file, expected) in [
        ("--guest-kernel", &text, "neither an ELF file nor a bzImage"),
        ("--guest-kernel", &dir.path().join("none"), "No such file"),
        ("--guest-initrd", &dir.path().join("none"), "No such file"),
        ("--guest-initrd", &large, "200 MiB do not fit into 128 MiB"),
    ] {
        let out = dir.path().join("run");
        let mut command = Command::new(BIN);
        command.args(["run", "--on", "lab"]).args(linux);
        let output = command
            .arg(option)
            .arg(file)
            .arg("--out")
            .arg(&out)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains(expected) && said.lines().count() == 1,
            "{said}"
        );
        assert!(said.contains(option) && !out.exists(), "{said}");
    }
    Ok(Completion::Completed)
}

/// Somebody's directory comes along, their program runs, its code comes back; a
/// program that is not there is the shell's 127, a machine that dies is an error.
fn shell() -> Result<Completion, Failed> {
    let dir = tempfile::tempdir()?;
    let with = dir.path().join("mine");
    fs::create_dir(&with)?;
    fs::write(with.join("greeting"), "hello from outside")?;
    let run = |command: &[&str]| {
        let mut lab = Command::new(BIN);
        lab.args(["lab", "shell", "--memory", "512", "--with"]);
        lab.arg(&with).arg("--").args(command).output()
    };
    let output = run(&["sh", "-c", "cat /mine/greeting; exit 7"])?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("hello from outside"), "{said}");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(run(&["no-such-program"])?.status.code(), Some(127));
    let output = run(&["reboot", "-f"])?;
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("ended before the command did"), "{said}");
    Ok(Completion::Completed)
}
