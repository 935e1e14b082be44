// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From nothing to the first process of a Linux guest, and back, step by step.

mod check;
mod load;

use crate::{
    BadParameter, CellContext, CellError, Experiment, LinuxGuest, Model, Needs, Parameters, Size,
    context::with_total, counting, guard, model::virtio::disk::content, scale::Scale,
};
use abi::{init, layout};
use load::Load;
use observe::{effort, memory};
use results::{Outcome, counter};
use std::{collections::BTreeMap, time::Duration};
use vmm::{
    Config, Cpl, Machine, VmFd,
    linux::{self, Files},
    stats::{self, Stats},
};

pub(super) const MODELS: &[Model] = &[Model::new("linux", |p| Ok(Box::new(LinuxBoot::new(p)?)))
    .booting_linux()
    .of_phases(&[
        "create-vm",
        "create-memory",
        "populate",
        "load",
        "create-vcpu",
        "first-instruction",
        "kernel-entry",
        "console",
        "init",
        "halt",
        "destroy-vm",
        "release-memory",
    ])];

/// How long a boot may take. Ours takes 0.4 s of a lab's time, 1 GiB of memory or not;
/// a distribution's, with what it brings along, is given longer.
const LIMIT_OURS: Duration = Duration::from_secs(2);
const LIMIT_OTHERS: Duration = Duration::from_secs(60);

/// How long a guest kernel may take on a KVM that turns out to emulate it.
const LIMIT_EMULATED: Duration = Duration::from_secs(5);

/// How often a boot that hangs is tried in the lab, where every try is counted.
///
/// About one boot in twenty hangs (6 of 112 seen), on memfd as on hidden memory, and in
/// the same build always the same one. A guest that was looked at waited for ever for a
/// lock that it held itself: by its stack, it had got the timer's interrupt within the
/// timer's interrupt, with interrupts switched off (flags 0x86). Whose fault that is,
/// QEMU's (7.2) or KVM's, is not known; every second try went through.
const TRIES: u64 = 3;

/// The least memory that a kernel of any distribution gets by with.
const MEMORY_MIN: u64 = 64 << 20;

#[derive(Debug)]
struct LinuxBoot {
    size: Size,
    load: Load,
    /// Whether all memory is there before the guest runs, because the VMM wrote to each page
    /// once. Otherwise it is there where the VMM loaded something, and the guest's own
    /// touches bring the rest.
    populate: bool,
    /// Whether there is a virtio disk, which the first process reads.
    disk: bool,
}

impl LinuxBoot {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        // Below the interrupt controllers, so that memory has no hole.
        let range = MEMORY_MIN >> 20..=layout::MEMORY_MAX_IRQCHIP >> 20;
        params.number("mem_mib", range)?;
        Ok(LinuxBoot {
            size: params.size()?,
            load: Load::of(params)?,
            populate: params.word("populate", &[("lazy", false), ("all", true)])?,
            disk: params.word("disk", &[("none", false), ("virtio", true)])?,
        })
    }

    fn config(&self, guest: &LinuxGuest) -> linux::Config {
        linux::Config {
            vcpus: self.size.cpus,
            memory: self.size.memory,
            populate: self.populate,
            limit: match guest.ours {
                true => LIMIT_OURS,
                false => LIMIT_OTHERS,
            },
        }
    }

    fn cmdline(&self, guest: &LinuxGuest) -> String {
        match self.disk {
            false => guest.cmdline.clone(),
            true => {
                let argument = init::DISK_ARGUMENT.to_string_lossy();
                format!("{} {argument}", guest.cmdline)
            }
        }
    }
}

impl Experiment for LinuxBoot {
    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64().with_irqchip(true)
    }

    /// Boots, verifies that it was a boot, and takes everything apart.
    fn run(&self, context: &CellContext<'_>) -> Result<Outcome, CellError> {
        let guest = context.conditions().linux.ok_or_else(no_kernel)?;
        let lab = context.lab();
        if !lab {
            native_kernel(context)?;
        }
        let config = self.config(guest);
        let cmdline = self.cmdline(guest);
        let kind = guest.image.kind();
        let mut tries = 0;
        let (before, machine, mut phases, steps, said, modelled) = loop {
            tries += 1;
            let (mut kernel, mut initrd) = self.load.sources(guest, lab)?;
            let files = Files {
                kernel: &mut kernel,
                kind,
                initrd: &mut initrd,
                cmdline: &cmdline,
                disk: self
                    .disk
                    .then(|| content(init::DISK_SEED, init::DISK_WORDS)),
            };
            let before = effort::so_far();
            let window = context.tlb_model().begin();
            let allocate = |vm: &VmFd, len| context.arm().allocate(vm, len);
            let built = linux::Linux::build(context.kvm(), &config, files, allocate);
            let (mut machine, phases) = built.map_err(|e| self.load.refused(e))?;
            let ran = machine.run();
            let modelled = window.end();
            context.show(&machine.console());
            match ran {
                Ok((steps, said)) => break (before, machine, phases, steps, said, modelled),
                Err(vmm::Error::Hung { .. }) if lab && tries < TRIES => {
                    context.show(&format!(
                        "--- this boot hung; try {} follows ---\n",
                        tries + 1
                    ));
                }
                Err(e) => return Err(e.into()),
            }
        };
        phases.extend(steps);

        let now = machine.stats()?;
        check::booted(self.size, &said, &context.shown())?;
        check::strategy(context, self.size, &now)?;
        let served = machine.disk();
        if let Some(served) = &served {
            check::read_disk(served, &said)?;
        }
        let grown = stats::growth(&Stats::new(), &now);
        let mut counters = counting::counters(context.arm(), machine.ram(), now, grown)?;
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
        let loaded = guest.image.bytes().len() + guest.initrd.len();
        counter::load::BYTES.put(&mut counters, loaded as u64);
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
}

fn no_kernel() -> CellError {
    CellError::missing(
        "there is no kernel for the guest: the lab's is not built",
        "run `unmapbench lab build`, or name one with --guest-kernel",
    )
}

/// Refuses a KVM that interprets what runs at CPL0, as a kernel does: it would not get
/// through a boot in any time that is worth waiting for.
fn native_kernel(context: &CellContext<'_>) -> Result<(), CellError> {
    let config = Config {
        vcpus: 1,
        memory: layout::MEMORY_BARE,
        cpl: Cpl::Kernel,
        irqchip: false,
        shared_memory: false,
        limit: LIMIT_EMULATED,
    };
    let allocate = |vm: &VmFd, len| context.arm().allocate(vm, len);
    let (mut machine, _) = Machine::build(context.kvm(), &config, crate::PAYLOAD, allocate)?;
    let started = machine.start();
    let native = match started {
        Ok(_) => guard::native(&mut machine),
        Err(e) => Err(e.into()),
    };
    native.map_err(|error| match error {
        CellError::Missing(m) => CellError::missing(
            format!("a kernel does not run natively here: {}", m.reason),
            "a KVM that runs CPL0 natively (hardware virtualisation), or --on lab",
        ),
        other => other,
    })
}
