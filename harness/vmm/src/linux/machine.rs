// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Building a machine around a Linux kernel, running it to its end, taking it apart.

use super::{Config, Console, End, Files, Said, Served, bus::Bus, disk, disk::Disk, vcpu_threads};
use crate::{
    Error, Memory, Phases,
    arch::{self, linux::Vcpu},
    call::Named,
    clock::{Stopwatch, ticks},
    lock,
    machine::create_vm,
    memory,
    stats::{self, Stats},
};
use kvm_ioctls::{Kvm, VmFd};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use strategies::GuestRam;
use vm_memory::{Bytes, GuestAddress};

/// A machine with a kernel in it. Fields are dropped in order: vCPUs, what answers
/// them, the VM with its memslot, and the memory last.
#[derive(Debug)]
pub struct Linux {
    vcpus: Vec<Vcpu>,
    bus: Arc<Mutex<Bus>>,
    disk: Option<Disk>,
    vm: Arc<VmFd>,
    memory: Memory,
    ram: Arc<GuestRam>,
    limit: Duration,
}

impl Linux {
    /// Builds a machine around the memory that `allocate` returns, with `files`
    /// loaded and no instruction run. The phases are `create-vm`, `create-memory`,
    /// `populate`, `load` and `create-vcpu`.
    ///
    /// # Errors
    /// The first step that failed, named.
    pub fn build(
        kvm: &Kvm,
        config: &Config,
        mut files: Files<'_>,
        allocate: impl FnOnce(&VmFd, u64) -> Result<GuestRam, strategies::Error>,
    ) -> Result<(Self, Phases), Error> {
        let mut phases = Phases::with_capacity(16);
        let mut watch = Stopwatch::start();

        let vm = create_vm(kvm)?;
        arch::linux::prepare(&vm)?;
        phases.push(("create-vm", watch.lap()));

        let ram = Arc::new(allocate(&vm, config.memory).map_err(Error::Memory)?);
        memory::set_memslot(&vm, 0, 0, &ram)?;
        let memory = memory::view([(0, ram.clone())])?;
        phases.push(("create-memory", watch.lap()));

        if config.populate {
            for page in (0..config.memory).step_by(abi::layout::PAGE as usize) {
                let written = memory.write_slice(&[0], GuestAddress(page));
                written.map_err(|e| Error::Kernel(format!("writing at {page:#x}: {e}")))?;
            }
        }
        phases.push(("populate", watch.lap()));

        let disk = files.disk.take();
        let disk = disk.map(|content| disk::make(&vm, &memory, content));
        let disk = disk.transpose()?;
        let cmdline = match disk {
            None => files.cmdline.to_string(),
            Some(_) => format!("{} {}", files.cmdline, disk::argument()),
        };
        let files = Files {
            cmdline: &cmdline,
            disk: None,
            ..files
        };
        let entry = arch::linux::load(&memory, config, files)?;
        phases.push(("load", watch.lap()));

        let cpuid = arch::supported_cpuid(kvm, true)?;
        let vcpus: Vec<_> = (0..config.vcpus)
            .map(|i| Vcpu::new(&vm, i, config.vcpus, &cpuid, entry, ram.clone()))
            .collect::<Result<_, _>>()?;
        let vm = Arc::new(vm);
        let bus = Arc::new(Mutex::new(Bus::new(vm.clone(), disk.clone())));
        phases.push(("create-vcpu", watch.lap()));

        let limit = config.limit;
        Ok((
            Linux {
                vcpus,
                bus,
                disk,
                vm,
                memory,
                ram,
                limit,
            },
            phases,
        ))
    }

    /// Runs the guest to its end: the phases `first-instruction`, `kernel-entry`,
    /// `console`, `init` and `halt`, and what its first process said. What was not
    /// seen, or not in this order, takes no time.
    ///
    /// # Errors
    /// As [`Vcpu::run`](crate::Vcpu::run); [`Error::Kernel`] if the guest ended before
    /// its first process ran, or without having been asked to.
    pub fn run(&mut self) -> Result<(Phases, Said), Error> {
        let begun = ticks();
        let vcpus = std::mem::take(&mut self.vcpus);
        let (vcpus, end) = vcpu_threads::run(vcpus, &self.bus, self.limit);
        self.vcpus = vcpus;
        let end = end?;
        let bus = lock(&self.bus);
        let how = match end {
            End::Reset => "asked for a reset",
            End::TripleFault => "died of a triple fault",
            End::Stopped => "was stopped",
        };
        if bus.progress.init.is_none() {
            return Err(Error::Kernel(format!(
                "the guest {how} before its first process said that it runs"
            )));
        }
        if !bus.progress.said.leaving {
            return Err(Error::Kernel(format!(
                "the guest {how} before its first process was done"
            )));
        }
        let mut last = begun;
        let marks = [
            ("first-instruction", bus.progress.first_instruction),
            ("kernel-entry", bus.progress.kernel_entry),
            ("console", bus.console().first),
            ("init", bus.progress.init),
            ("halt", bus.progress.end),
        ];
        let phases = marks.map(|(name, mark)| {
            let at = mark.unwrap_or(last).max(last);
            (name, at - std::mem::replace(&mut last, at))
        });
        Ok((phases.into(), bus.progress.said))
    }

    /// Takes the machine apart: `destroy-vm` closes the vCPUs and the VM,
    /// `release-memory` the strategy's memory.
    ///
    /// # Panics
    /// If a view of the memory is left, because releasing it would take no time then.
    pub fn tear_down(self) -> Phases {
        let Linux {
            vcpus,
            bus,
            disk,
            vm,
            memory,
            ram,
            ..
        } = self;
        let mut watch = Stopwatch::start();
        drop((vcpus, bus, disk, vm, memory));
        let destroy = watch.lap();
        memory::release(ram);
        vec![("destroy-vm", destroy), ("release-memory", watch.lap())]
    }

    /// What came out of the serial port so far.
    pub fn console(&self) -> String {
        Console::text(lock(&self.bus).console())
    }

    /// What became of its disk, if it has one.
    pub fn disk(&self) -> Option<Served> {
        self.disk.as_ref().map(Served::by)
    }

    /// KVM's statistics of the VM, then those of all vCPUs added up.
    ///
    /// # Errors
    /// [`Error::Call`] if they cannot be read.
    pub fn stats(&self) -> Result<Stats, Error> {
        stats::of_all(&self.vm, self.vcpus.iter().map(Vcpu::fd))
    }

    /// The frequency of the guest's time-stamp counter.
    ///
    /// # Errors
    /// [`Error::Call`] if the host's counter is not stable.
    pub fn tsc_khz(&self) -> Result<u32, Error> {
        let first = self.vcpus.first();
        let first = first.ok_or(Error::Thread)?;
        first.fd().get_tsc_khz().call(|| "KVM_GET_TSC_KHZ".into())
    }

    /// The strategy's memory.
    pub fn ram(&self) -> &GuestRam {
        &self.ram
    }
}
