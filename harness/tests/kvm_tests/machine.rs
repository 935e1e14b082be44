// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the machine does when the guest does not do what it should.

use super::{OnMachine, ask, config, started};
use abi::{Args, Digest, Op, layout};
use harness::job::Job;
use libtest_mimic::{Completion, Failed};
use models::guard::TICKS_PER_ITERATION_MAX;
use results::{Cell, Outcome, Testbed, cell::ParamValue};
use std::{
    fs,
    io::Read,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use strategies::{Arm, Strategy, registry};
use vm_memory::{Bytes, GuestAddress};
use vmm::{
    Cpl, Device, Error, Machine,
    virtio::{Block, RamDisk, Shared, Transport},
};

const BIN: &str = env!("CARGO_BIN_EXE_unmapbench");

pub(crate) const TESTS: &[(&str, OnMachine)] = &[
    ("a_guest_that_hangs_is_stopped", hang),
    ("a_payload_panic_names_file_and_line", panic),
    ("a_triple_fault_shows_registers", triple_fault),
    ("arguments_that_do_not_fit_are_refused", refused),
    ("a_driver_that_goes_wrong_is_an_error", wrong_driver),
    ("memory_outlives_a_machine_by_its_views", views),
    ("two_vcpus_run_at_once", two_vcpus),
    (
        "what_belongs_to_a_thread_is_on_the_vcpus",
        on_the_vcpus_thread,
    ),
    (
        "a_cell_counts_by_the_pmu_or_says_why_not",
        super::pmu::counted_or_said,
    ),
    ("an_emulated_guest_is_seen", emulated),
    ("what_may_be_missing_is_named", super::absence::named),
    ("a_machine_that_cannot_be_is_an_error", impossible),
    ("a_cell_of_a_gigabyte_needs_little_besides", peak_memory),
    ("a_run_on_the_host_measures_every_block", whole_run),
];

fn memfd() -> &'static Strategy {
    registry::find(results::BASELINE).expect("the baseline is registered")
}

fn hang() -> Result<Completion, Failed> {
    let mut config = config(1, Cpl::User);
    let begun = Instant::now();
    config.limit = Duration::from_millis(200);
    let mut machine = started(memfd(), &config)?;
    let error = machine
        .call(ask(Op::Hang, Args::default()), &mut Device::new(0))
        .unwrap_err();
    assert!(matches!(error, Error::Hung { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let registers = error
        .registers()
        .expect("a hung guest has registers")
        .to_string();
    assert!(registers.contains("cpl 3"), "{registers}");
    // The same machine can be asked again: nothing of the kick is left over.
    assert!(matches!(
        machine.call(ask(Op::Hang, Args::default()), &mut Device::new(0)),
        Err(Error::Hung { .. })
    ));
    Ok(Completion::Completed)
}

fn panic() -> Result<Completion, Failed> {
    let mut machine = started(memfd(), &config(2, Cpl::User))?;
    let requests = [1, 2].map(|seed| {
        ask(
            Op::Panic,
            Args {
                seed,
                ..Args::default()
            },
        )
    });
    let mut devices = [Device::new(0), Device::new(0)];
    let error = machine.call_all(&requests, &mut devices).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("guest/src/ops/misbehave.rs:"), "{text}");
    assert!(text.contains("asked to, with seed 1"), "{text}");
    Ok(Completion::Completed)
}

fn triple_fault() -> Result<Completion, Failed> {
    let mut machine = started(memfd(), &config(1, Cpl::User))?;
    let args = Args {
        count: 1,
        address: 1 << 46,
        ..Args::default()
    };
    let error = machine
        .call(ask(Op::MmioRead, args), &mut Device::new(0))
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("SHUTDOWN (triple fault)"), "{text}");
    let registers = error
        .registers()
        .expect("an exit has registers")
        .to_string();
    assert!(registers.contains("rip 000000000010"), "{registers}");
    Ok(Completion::Completed)
}

fn refused() -> Result<Completion, Failed> {
    let mut machine = started(memfd(), &config(1, Cpl::User))?;
    let args = Args {
        count: layout::SAMPLES_MAX + 1,
        batch: 1,
        ..Args::default()
    };
    let error = machine
        .call(ask(Op::Tsc, args), &mut Device::new(0))
        .unwrap_err();
    assert_eq!(error.to_string(), "Tsc was not carried out: BadArgs");
    Ok(Completion::Completed)
}

/// Requests that the device refuses end with an error each; rings where there is no
/// memory end the guest's turn.
fn wrong_driver() -> Result<Completion, Failed> {
    let drive = |stride, place| -> Result<abi::Reply, Failed> {
        let mut machine = started(memfd(), &config(1, Cpl::User))?;
        let block = Block::new(Box::new(RamDisk::new(vec![0; 1 << 20])));
        let device: Shared = Arc::new(Mutex::new(Transport::new(block, machine.memory().clone())?));
        let args = Args {
            count: 3,
            batch: 2,
            address: layout::VIRTIO,
            stride,
            place,
            ..Args::default()
        };
        let mut bus = Device::new(0).with_virtio(Some(device));
        Ok(machine.call(ask(Op::Block, args), &mut bus)?)
    };
    // Not whole sectors: every request ends with VIRTIO_BLK_S_IOERR.
    let reply = drive(104, layout::ARENA)?;
    assert_eq!((reply.out[0], reply.out[3]), (6, 0));
    let error = drive(512, layout::WINDOW).unwrap_err();
    let said = error.message().unwrap_or_default();
    assert!(said.contains("unexpected exit from the guest"), "{said}");
    Ok(Completion::Completed)
}

/// A view, and a device that has one, may be kept when the machine is gone; a vCPU that
/// was moved to another machine still runs in its own memory.
fn views() -> Result<Completion, Failed> {
    let at = GuestAddress(layout::ARENA);
    let mut first = started(memfd(), &config(1, Cpl::User))?;
    let view = first.memory().clone();
    view.write_obj(0x1234_u64, at)?;
    let mut second = started(memfd(), &config(1, Cpl::User))?;
    std::mem::swap(&mut first.vcpus()[0], &mut second.vcpus()[0]);
    drop(first);
    assert_eq!(view.read_obj::<u64>(at)?, 0x1234);
    drop(view);
    // It finds no request of its own, and answers the one it was started with.
    let request = ask(Op::Tsc, Args::default());
    let _ = second.call(request, &mut Device::new(0));
    Ok(Completion::Completed)
}

fn two_vcpus() -> Result<Completion, Failed> {
    let mut machine = started(memfd(), &config(2, Cpl::User))?;
    let requests = [5, 6].map(|seed| {
        let args = Args {
            count: 100,
            batch: 1,
            address: layout::MMIO,
            width: 4,
            seed,
            ..Args::default()
        };
        ask(Op::MmioRead, args)
    });
    let mut devices = [Device::new(5), Device::new(6)];
    let replies = machine.call_all(&requests, &mut devices)?;
    for (i, reply) in replies.iter().enumerate() {
        assert_eq!(reply.digest, Digest::of_values(5 + i as u64, 100, 4, 1));
        assert_eq!(devices[i].reads(), 100);
        assert_eq!(machine.samples(i, requests[i], reply)?.len(), 100);
    }
    Ok(Completion::Completed)
}

/// What belongs to a thread is made and used on the thread of its vCPU.
fn on_the_vcpus_thread() -> Result<Completion, Failed> {
    for vcpus in [1, 2] {
        let mut machine = started(memfd(), &config(vcpus, Cpl::User))?;
        let args = Args {
            count: 1000,
            ..Args::default()
        };
        let requests = vec![ask(Op::Spin, args); vcpus as usize];
        let mut devices: Vec<_> = requests.iter().map(|_| Device::new(0)).collect();
        let here = || std::thread::current().id();
        let (replies, threads) =
            machine.call_all_between(&requests, &mut devices, here, |before| (before, here()))?;
        assert_eq!(
            (replies.len(), threads.len()),
            (requests.len(), requests.len())
        );
        assert!(threads.iter().all(|(before, after)| before == after));
        let distinct: std::collections::BTreeSet<_> =
            threads.iter().map(|(t, _)| format!("{t:?}")).collect();
        assert_eq!(distinct.len(), requests.len(), "{distinct:?}");
        assert_eq!(threads[0].0 == here(), vcpus == 1);
    }
    Ok(Completion::Completed)
}

/// On a software KVM code at CPL0 is emulated, on hardware it is not: the calibration must
/// tell.
fn emulated() -> Result<Completion, Failed> {
    let ticks = |cpl| -> Result<u64, Error> {
        let mut machine = started(memfd(), &config(1, cpl))?;
        let count = 20_000;
        let request = ask(
            Op::Spin,
            Args {
                count,
                ..Args::default()
            },
        );
        let reply = machine.call(request, &mut Device::new(0))?;
        Ok(machine.samples(0, request, &reply)?[0] / count)
    };
    assert!(ticks(Cpl::User)? <= TICKS_PER_ITERATION_MAX);
    let software = fs::exists("/sys/module/kvm_pvm")?;
    // Slow, or stuck at an instruction that the emulator lacks: the guard knows both.
    match ticks(Cpl::Kernel) {
        Ok(kernel) => assert_eq!(
            kernel > TICKS_PER_ITERATION_MAX,
            software,
            "{kernel} ticks an iteration"
        ),
        Err(e) => assert!(software && e.is_internal(), "{e}"),
    }
    Ok(Completion::Completed)
}

fn impossible() -> Result<Completion, Failed> {
    let kvm = vmm::open_kvm()?;
    let check = |vcpus, memory, expected: &str| {
        let mut config = config(vcpus, Cpl::User);
        config.memory = memory;
        let built = Machine::build(&kvm, &config, models::PAYLOAD, |vm, len| {
            Arm::of(memfd()).allocate(vm, len)
        });
        let text = built.map(drop).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    };
    check(0, layout::MEMORY_MIN, "0 vCPUs");
    check(9, layout::MEMORY_MIN, "1 to 8");
    check(1, 1 << 20, "4 to 4096 MiB");
    check(2, layout::MEMORY_BARE, "32 to 4096 MiB");
    check(1, layout::MEMORY_MIN + 4096, "a multiple of 2");
    check(1, u64::MAX, "of memory");
    Ok(Completion::Completed)
}

/// The peak resident memory of a cell process is the guest's and 16 MiB more at
/// the most.
fn peak_memory() -> Result<Completion, Failed> {
    let mib = 1024;
    let cell = Cell {
        testbed: Testbed::Host,
        strategy: memfd().name.into(),
        workload: "fault/guest-touch".into(),
        params: [("cpus", 1), ("mem_mib", mib)]
            .map(|(k, v)| (k.to_string(), ParamValue::Int(v)))
            .into(),
        mode: Default::default(),
    };
    let mut child = Command::new(BIN)
        .arg("cell")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    serde_json::to_writer(
        child.stdin.take().expect("it is piped"),
        &Job::measure(cell),
    )?;
    // The pipe is too small for the answer, so that the process is still there,
    // all its work done, when the first byte of it arrives.
    let mut output = child.stdout.take().expect("it is piped");
    let mut first = [0];
    output.read_exact(&mut first)?;
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let mut rest = Vec::new();
    output.read_to_end(&mut rest)?;
    assert!(child.wait()?.success());
    assert!(
        rest.len() > 65536,
        "the answer fits the pipe: the peak was read too late"
    );
    let peak = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .expect("Linux tells");
    let peak: u64 = peak.split_whitespace().next().expect("a number").parse()?;
    assert!(
        peak > (mib << 10) / 2,
        "the guest's memory was never touched"
    );
    assert!(
        peak <= (mib + 16) << 10,
        "{peak} KiB for a guest of {mib} MiB"
    );
    Ok(Completion::Completed)
}

fn whole_run() -> Result<Completion, Failed> {
    let dir = tempfile::tempdir()?;
    let run = dir.path().join("run");
    let output = Command::new(BIN)
        .args([
            "run",
            "--on",
            "host",
            "--strategies",
            "memfd,anon",
            "--blocks",
            "2",
        ])
        .args(["--workloads", "pio/*", "mmio/*", "--out"])
        .arg(&run)
        .output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let run = results::store::read(&run)?;
    // Two strategies, and the warm-up before two blocks.
    assert!(run.rows.len() >= 20 * 2 * 3, "{} rows", run.rows.len());
    for row in &run.rows {
        assert!(matches!(row.outcome, Outcome::Measured { .. }), "{row:?}");
    }
    Ok(Completion::Completed)
}
