// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Cells that boot Linux: from nothing to its first process, and back.

use super::{
    Stop, guard,
    measure::{Bench, Scale, with_total},
    setup,
    virtio::disk::content,
};
use crate::guest::Guest;
use abi::init;
use observe::{audit::scratch, effort, memory};
use results::{
    Outcome, Testbed,
    counter::{self, Counter},
};
use std::{collections::BTreeMap, fs::File, io, os::unix::fs::FileExt, time::Duration};
use strategies::{AtWork, Missing};
use vmm::{
    Config, Cpl, Machine, VmFd,
    linux::{self, Files, Image, Said, Served, Source, Way},
    stats::{self, Stats},
};
use workloads::{Linux, Load, Pages};

/// What a guest is to boot, and where its console is left, however it ends.
pub(super) type Boot<'a> = (Option<&'a Guest>, &'a mut Option<String>);

/// How long a boot may take. Ours takes 0.4 s of a lab's time, 1 GiB of memory or not;
/// a distribution's, with what it brings along, is given longer.
const LIMIT_OURS: Duration = Duration::from_secs(2);
const LIMIT_OTHERS: Duration = Duration::from_secs(60);

/// How often a boot that hangs is tried in the lab, where every try is counted.
///
/// About one boot in twenty hangs (6 of 112 seen), on memfd as on hidden memory, and in
/// the same build always the same one. A guest that was looked at waited for ever for a
/// lock that it held itself: by its stack, it had got the timer's interrupt within the
/// timer's interrupt, with interrupts switched off (flags 0x86). Whose fault that is,
/// QEMU's (7.2) or KVM's, is not known; every second try went through.
const TRIES: u64 = 3;

/// How long a guest kernel may take on a KVM that turns out to emulate it.
const TRIAL_LIMIT: Duration = Duration::from_secs(5);

/// How much of the console goes with a failure, lines.
const TAIL: usize = 20;

/// How a kernel begins its last words.
const PANIC: &str = "Kernel panic";

/// What every kernel says first.
const BANNER: &str = "Linux version ";

/// A kernel keeps a description of 64 bytes for each page, and writes to all.
const DESCRIPTION: u64 = 64;

/// How much less than its memory a kernel may give to its processes: an eighth, and
/// the kernel itself.
const KERNEL_MAX_KIB: u64 = 64 << 10;

/// Boots, proves that it was a boot, and takes everything apart.
pub(super) fn run(bench: &Bench<'_>, linux: Linux, boot: Boot<'_>) -> Result<Outcome, Stop> {
    let (guest, console) = boot;
    let guest = guest.ok_or_else(no_kernel)?;
    let lab = bench.cell.testbed == Testbed::Lab;
    if !lab {
        native_kernel(bench)?;
    }
    let config = linux::Config {
        vcpus: linux.cpus,
        memory: linux.memory,
        populate: linux.populate == Pages::All,
        limit: match guest.is_ours() {
            true => LIMIT_OURS,
            false => LIMIT_OTHERS,
        },
    };
    let cmdline = match linux.disk {
        false => guest.cmdline(),
        true => format!(
            "{} {}",
            guest.cmdline(),
            init::DISK_ARGUMENT.to_string_lossy()
        ),
    };
    let mut tries = 0;
    let (before, machine, mut phases, steps, said, least, modelled) = loop {
        tries += 1;
        let image = guest.image().map_err(Stop::Unproved)?;
        let initrd = guest.initrd().map_err(Stop::Unproved)?;
        let kind = image.kind();
        let least = (image.bytes().len() + initrd.len()) as u64;
        let (mut kernel, mut initrd) = sources(linux.load, image, initrd, lab)?;
        let files = Files {
            kernel: &mut kernel,
            kind,
            initrd: &mut initrd,
            cmdline: &cmdline,
            disk: linux
                .disk
                .then(|| content(init::DISK_SEED, init::DISK_WORDS)),
        };
        let before = effort::so_far();
        let modelled = bench.model.begin();
        let allocate = |vm: &VmFd, len| bench.arm.allocate(vm, len);
        let built = linux::Linux::build(&bench.kvm, &config, files, allocate);
        let (mut machine, phases) = built.map_err(|e| refused(linux.load, e))?;
        let ran = machine.run();
        let modelled = modelled.end();
        console.get_or_insert_default().push_str(&machine.console());
        match ran {
            Ok((steps, said)) => break (before, machine, phases, steps, said, least, modelled),
            Err(vmm::Error::Hung { .. }) if lab && tries < TRIES => {
                let text = console.get_or_insert_default();
                text.push_str(&format!(
                    "--- this boot hung; try {} follows ---\n",
                    tries + 1
                ));
            }
            Err(e) => return Err(e.into()),
        }
    };
    phases.extend(steps);

    let now = machine.stats()?;
    check(
        bench,
        &linux,
        &said,
        console.as_deref().unwrap_or_default(),
        &now,
    )?;
    let served = machine.disk();
    if let Some(served) = &served {
        read_disk(served, &said)?;
    }
    let mut counters = bench.counted(
        machine.ram(),
        now.clone(),
        stats::growth(&Stats::new(), &now),
    )?;
    counters.extend(modelled);
    let address = machine.ram().host_address().addr();
    let resident = memory::backing(address).map(|b| b.resident.0);
    if let Some(n) = resident {
        counter::ram::RESIDENT_BYTES.put(&mut counters, n);
    }
    if let Some(served) = served {
        counter::virtio::REQUESTS.put(&mut counters, served.requests);
        counter::virtio::INTERRUPTS.put(&mut counters, served.interrupts);
    }
    counter::load::BYTES.put(&mut counters, least);
    counter::vmm::RETRIES.put(&mut counters, said.retries);
    counter::vmm::BOOTS.put(&mut counters, tries);
    let scale = match lab {
        true => Scale::Instructions,
        false => Scale::Khz(machine.tsc_khz()?.into()),
    };
    phases.extend(machine.tear_down());
    for (name, n) in effort::since(&before) {
        counters.insert(counter::host::ORIGIN.key(&name), n);
    }
    Ok(scale.outcome(with_total(phases), BTreeMap::new(), counters))
}

/// That the first process read the disk by its kernel's driver, and that this was
/// interrupted when there was something.
fn read_disk(served: &Served, said: &Said) -> Result<(), Stop> {
    let Served {
        requests,
        interrupts,
        broken,
    } = served;
    let unproved = |why: String| Err(Stop::Unproved(why));
    if let Some(why) = broken {
        return unproved(format!("the virtio device stopped: {why}"));
    }
    if said.disk_words != init::DISK_WORDS {
        return unproved(format!(
            "the guest found {} of {} words of its disk right: its kernel needs CONFIG_VIRTIO_BLK and CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES",
            said.disk_words,
            init::DISK_WORDS
        ));
    }
    match (requests, interrupts) {
        (1.., 1..) => Ok(()),
        _ => unproved(format!(
            "the virtio device completed {requests} requests with {interrupts} interrupts"
        )),
    }
}

/// The outcome with the console's last lines, if it is a failure; a panic of the
/// kernel is named at once.
pub(super) fn with_evidence(outcome: Outcome, console: &str) -> Outcome {
    match outcome {
        Outcome::Failed { error, detail } => {
            let lines: Vec<_> = console.lines().collect();
            let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
            let panic = lines
                .iter()
                .find_map(|line| line.find(PANIC).map(|at| &line[at..]));
            let error = match panic {
                Some(panic) => format!("{error}; its console says: {panic}"),
                None => error,
            };
            let parts = detail.into_iter().chain([format!("console:\n{tail}")]);
            Outcome::Failed {
                error,
                detail: Some(parts.collect::<Vec<_>>().join("\n")),
            }
        }
        other => other,
    }
}

fn no_kernel() -> Stop {
    Stop::Missing(Missing::new(
        "there is no kernel for the guest: the lab's is not built",
        "run `unmapbench lab build`, or name one with --guest-kernel",
    ))
}

/// Refuses a KVM that interprets what runs at CPL0, as a kernel does: it would not
/// get through a boot in any time that one cares to wait.
fn native_kernel(bench: &Bench<'_>) -> Result<(), Stop> {
    let config = Config {
        vcpus: 1,
        memory: abi::layout::MEMORY_BARE,
        cpl: Cpl::Kernel,
        irqchip: false,
        shared_memory: false,
        limit: TRIAL_LIMIT,
    };
    let allocate = |vm: &VmFd, len| bench.arm.allocate(vm, len);
    let (mut machine, _) = Machine::build(&bench.kvm, &config, workloads::PAYLOAD, allocate)?;
    let started = machine.start();
    let native = match started {
        Ok(_) => guard::native(&mut machine),
        Err(e) => Err(e.into()),
    };
    native.map_err(|stop| match stop {
        Stop::Missing(m) => Stop::Missing(Missing::new(
            format!("a kernel does not run natively here: {}", m.reason),
            "a KVM that runs CPL0 natively (hardware virtualisation), or --on lab",
        )),
        other => other,
    })
}

/// Kernel and initrd, to be loaded in one way.
fn sources(load: Load, image: Image, initrd: Vec<u8>, lab: bool) -> Result<(Source, Source), Stop> {
    let kernel = image.into_bytes();
    let base = Source::room(kernel.len() as u64);
    let len = base + Source::room(initrd.len() as u64);
    let said = |e: io::Error| Stop::Unproved(format!("a file to load from: {e}"));
    let write = |file: &File| {
        file.write_all_at(&kernel, 0)?;
        file.write_all_at(&initrd, base)?;
        file.sync_data()
    };
    let (file, way): (_, fn(File) -> Way) = match load {
        Load::Memcpy => {
            return Ok((
                Source::new(kernel, Way::Memcpy, 0),
                Source::new(initrd, Way::Memcpy, 0),
            ));
        }
        Load::Read => {
            let file = tempfile::tempfile().map_err(said)?;
            write(&file).map_err(said)?;
            (file, Way::Read)
        }
        Load::Direct | Load::Bounce => {
            let (plain, direct) = scratch(len, lab).map_err(|reason| {
                Stop::Missing(Missing::new(
                    reason,
                    "a directory for temporary files on a disk (TMPDIR)",
                ))
            })?;
            write(&plain).map_err(said)?;
            match load {
                Load::Direct => (direct, Way::Direct),
                _ => (direct, Way::Bounce),
            }
        }
    };
    let second = file.try_clone().map_err(said)?;
    Ok((
        Source::new(kernel, way(file), 0),
        Source::new(initrd, way(second), base),
    ))
}

/// What it means that a machine was not built.
fn refused(load: Load, error: vmm::Error) -> Stop {
    match error.errno() {
        errno @ Some(libc::EFAULT) if load == Load::Direct => Stop::Missing(
            Missing::new(
                format!("the kernel does not pin this memory for O_DIRECT ({error})"),
                "load by way of a buffer (load=bounce), or without O_DIRECT (load=read)",
            )
            .with_errno(errno),
        ),
        _ => error.into(),
    }
}

/// That what was measured is a boot, on the machine that was asked for.
fn check(
    bench: &Bench<'_>,
    linux: &Linux,
    said: &Said,
    console: &str,
    now: &Stats,
) -> Result<(), Stop> {
    let unproved = |why: String| Err(Stop::Unproved(why));
    if !console.contains(BANNER) {
        return unproved(format!("the console does not show {BANNER:?}"));
    }
    let kib = linux.memory >> 10;
    let least = (kib - kib / 8).saturating_sub(KERNEL_MAX_KIB);
    if !(least..=kib).contains(&said.memory_kib) {
        return unproved(format!(
            "the guest has {} KiB of memory to use, where its machine has {kib}",
            said.memory_kib
        ));
    }
    if said.cpus != linux.cpus {
        return unproved(format!(
            "the guest has {} CPUs to use, where its machine has {}: its kernel needs CONFIG_SMP and CONFIG_X86_MPPARSE",
            said.cpus, linux.cpus
        ));
    }
    let mapped = setup::pages_in(now);
    let least = linux.memory / abi::layout::PAGE * DESCRIPTION / abi::layout::PAGE;
    if mapped < least {
        return unproved(format!(
            "KVM's page tables hold {mapped} pages where a kernel must have touched {least}"
        ));
    }
    let of = |counter: Counter| now.get(counter.name).copied().unwrap_or(0);
    bench.at_work(AtWork {
        touched: mapped,
        freed: 0,
        grown: now,
    })?;
    // A pfn cache reinserts its page in every strategy, once; a page that is held may
    // serve a few accesses.
    let reads = of(counter::kvm::GUEST_MEM_READS);
    if let Some(way) = bench.arm.claims().evidence.read.first()
        && of(*way) < reads / 4
    {
        return unproved(format!(
            "{}: KVM read guest memory {reads} times and counted {} {}: it took another way",
            bench.arm,
            of(*way),
            way.name
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_end_of_the_console_with_it() {
        let console: String = (0..100).map(|i| format!("line {i}\n")).collect();
        let failed = |detail: Option<&str>| Outcome::Failed {
            error: "e".into(),
            detail: detail.map(str::to_string),
        };
        let check = |outcome, expected: &[&str], absent: &str| {
            let Outcome::Failed { detail, .. } = with_evidence(outcome, &console) else {
                panic!("a failure stays one")
            };
            let detail = detail.unwrap_or_default();
            assert!(
                expected.iter().all(|part| detail.contains(part)),
                "{detail}"
            );
            assert!(!detail.contains(absent), "{detail}");
        };
        check(failed(None), &["line 80\n", "line 99"], "line 79");
        check(
            failed(Some("rip 0")),
            &["rip 0\nconsole:", "line 99"],
            "line 79",
        );
        let panic = format!("[    0.1] {PANIC} - not syncing: no root\n[    0.2] more\n");
        let Outcome::Failed { error, .. } = with_evidence(failed(None), &panic) else {
            panic!("a failure stays one")
        };
        assert_eq!(
            error,
            "e; its console says: Kernel panic - not syncing: no root"
        );
        let missing = Outcome::missing("a", "b");
        assert_eq!(with_evidence(missing.clone(), &console), missing);
    }
}
