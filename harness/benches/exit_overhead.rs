// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the VMM adds to what it measures: its run loop against a bare loop of
//! KVM_RUN, its way to a ready machine against the bare ioctls, its virtio-blk
//! against a loop that copies and says so. The two sides of each pair take turns in one process, and the verdict is about the
//! ratio of a turn to its neighbour, which a noisy machine disturbs least.
//!
//! `cargo bench -p harness --bench exit_overhead` prints both ratios with
//! intervals and fails if one is above its bound for certain.
// UNSAFETY: the bare side is bare: raw ioctls and the shared kvm_run page.
#![expect(unsafe_code)]
// A benchmark speaks on standard output.
#![expect(clippy::print_stdout)]

#[path = "exit_overhead/bare.rs"]
mod bare;
#[path = "exit_overhead/block.rs"]
mod block;

use abi::{Args, Op, Request, layout};
use bare::{BareBoot, BareVcpu};
use criterion::Criterion;
use results::stats;
use std::{hint::black_box, process::ExitCode, time::Duration};
use strategies::{Arm, Strategy, registry};
use vmm::{Config, Cpl, Device, Kvm, Machine, clock::ticks};

/// The most that our side may cost, as a multiple of the bare side.
const EXIT_BOUND: f64 = 1.05;
const BOOT_BOUND: f64 = 1.2;
const BLOCK_BOUND: f64 = 1.15;

/// Turns of each side.
const TURNS: usize = 300;
/// Round trips a turn.
const TRIPS: u64 = 100;

fn main() -> ExitCode {
    // `cargo test --benches` only asks whether this starts.
    if std::env::args().any(|a| a == "--test") {
        return ExitCode::SUCCESS;
    }
    let kvm = match vmm::open_kvm() {
        Ok(kvm) => kvm,
        Err(why) => {
            println!("skipped: {why}");
            return ExitCode::SUCCESS;
        }
    };
    absolute(&kvm);
    let exit = exit_pairs(&kvm);
    let boot = boot_pairs(&kvm);
    let block = block::pairs(&kvm);
    let ok = verdict("userspace MMIO round trip", &exit, EXIT_BOUND)
        & verdict("nothing to a ready machine", &boot, BOOT_BOUND)
        & verdict(
            "virtio-blk read of 4 KiB from a RAM disk",
            &block,
            BLOCK_BOUND,
        );
    match ok {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Our side alone, in nanoseconds, by criterion.
fn absolute(kvm: &Kvm) {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    let mut machine = machine(kvm);
    criterion.bench_function("mmio round trips (100)", |b| {
        b.iter(|| {
            machine
                .call(mmio(), &mut Device::new(1))
                .expect("the payload answers")
        });
    });
    criterion.bench_function("payload vm from nothing to ready", |b| {
        b.iter(|| black_box(self::machine(kvm)));
    });
}

fn memfd() -> &'static Strategy {
    registry::find(results::BASELINE).expect("the baseline is registered")
}

fn config() -> Config {
    Config {
        vcpus: 1,
        memory: layout::MEMORY_MIN,
        cpl: Cpl::User,
        irqchip: false,
        shared_memory: false,
        limit: Duration::from_secs(10),
    }
}

fn machine(kvm: &Kvm) -> Machine {
    let built = Machine::build(kvm, &config(), models::PAYLOAD, |vm, len| {
        Arm::of(memfd()).allocate(vm, len)
    });
    let (mut machine, _) = built.expect("a machine of memfd can be built");
    machine.start().expect("the payload starts");
    machine
}

fn mmio() -> Request {
    let args = Args {
        count: TRIPS,
        batch: 1,
        address: layout::MMIO,
        width: 4,
        seed: 1,
        ..Args::default()
    };
    Request {
        op: Op::MmioRead,
        args,
    }
}

/// Ticks of one turn of each side.
type Pair = (u64, u64);

/// One vCPU, driven by our loop and by the bare loop in turns.
fn exit_pairs(kvm: &Kvm) -> Vec<Pair> {
    let mut machine = machine(kvm);
    let mut bare = BareVcpu::of(machine.vcpus()[0].fd());
    turns(TURNS, |ours| {
        let begun = ticks();
        if ours {
            machine
                .call(mmio(), &mut Device::new(1))
                .expect("the payload answers");
        } else {
            machine
                .submit(0, mmio())
                .expect("the command page is there");
            bare.run_until_done(bare::sequence());
        }
        ticks() - begun
    })
}

/// A machine built and started by us, and the same by the bare ioctls.
fn boot_pairs(kvm: &Kvm) -> Vec<Pair> {
    let bare = BareBoot::like(&mut machine(kvm));
    turns(TURNS, |ours| {
        // What is measured ends when the machine is ready, not when it is gone.
        if ours {
            let begun = ticks();
            let built = machine(kvm);
            let taken = ticks() - begun;
            drop(built);
            taken
        } else {
            let begun = ticks();
            let built = bare.boot(kvm, memfd());
            let taken = ticks() - begun;
            drop(built);
            taken
        }
    })
}

/// Runs both sides in turns, first the one and first the other by halves.
fn turns(n: usize, mut side: impl FnMut(bool) -> u64) -> Vec<Pair> {
    for warm_up in [true, false] {
        side(warm_up);
    }
    (0..n)
        .map(|i| {
            let first = side(i % 2 == 0);
            let second = side(i % 2 != 0);
            if i % 2 == 0 {
                (first, second)
            } else {
                (second, first)
            }
        })
        .collect()
}

/// Prints the ratio. It fails only if the whole interval is above the bound.
fn verdict(what: &str, pairs: &[Pair], bound: f64) -> bool {
    let pairs: Vec<_> = pairs.iter().map(|(a, b)| (*a as f64, *b as f64)).collect();
    let ratio = stats::paired_ratio(&pairs, 1);
    let Ok(stats::Ratio {
        value,
        precision: stats::Precision::Interval(interval),
        ..
    }) = ratio
    else {
        println!("{what}: no ratio: {ratio:?}");
        return false;
    };
    println!(
        "{what}: ours/bare {value:.4}, 95 % interval [{:.4}, {:.4}], bound {bound}, {} pairs",
        interval.low,
        interval.high,
        pairs.len()
    );
    interval.low <= bound
}
