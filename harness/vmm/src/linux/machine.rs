// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Building a machine around a Linux kernel, running it to its end, taking it apart.

use super::{
    Console, Kind, Said, Source,
    bus::{Bus, End},
    disk::{self, Disk, Served},
    layout, mptable,
    vcpu::{DESCRIPTORS, Entry, Vcpu, lock},
    vcpu_threads,
    zero_page::{self, Places},
};
use crate::{
    Error, Memory, Phases,
    call::Named,
    clock::{Stopwatch, ticks},
    machine::create_vm,
    memory,
    stats::{self, Stats},
};
use abi::port;
use kvm_bindings::{KVM_MAX_CPUID_ENTRIES, KVM_PIT_SPEAKER_DUMMY, kvm_pit_config};
use kvm_ioctls::{Kvm, VmFd};
use linux_loader::{
    configurator::{BootConfigurator, BootParams, linux::LinuxBootConfigurator},
    loader::{BzImage, Elf, KernelLoader, bootparam::setup_header},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use strategies::GuestRam;
use vm_memory::{Bytes, GuestAddress};

/// A base page.
const PAGE: u64 = 4096;
/// What one page directory of the start's page tables maps.
const GIB: u64 = 1 << 30;
/// Present and writable; the same for a page of 2 MiB.
const TABLE: u64 = 0b11;
const LARGE_PAGE: u64 = 1 << 7 | TABLE;
/// The most of a command line that a kernel takes which does not say (x86's
/// COMMAND_LINE_SIZE, less the zero at its end).
const CMDLINE_MAX: u32 = 2047;
/// The highest byte of an initrd for a kernel that does not say.
const INITRD_HIGHEST: u64 = 0x7fff_ffff;
/// Where the 64-bit entry of a bzImage lies in what is loaded of it.
const ENTRY_64: u64 = 0x200;

/// What a machine is made of, but for its memory and files.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many vCPUs.
    pub vcpus: u64,
    /// Bytes of memory, at most [`abi::layout::MEMORY_MAX_IRQCHIP`].
    pub memory: u64,
    /// Whether every page is written to before anything is loaded.
    pub populate: bool,
    /// How long the guest may take to its end.
    pub limit: Duration,
}

/// What is loaded.
#[derive(Debug)]
pub struct Files<'a> {
    /// The kernel.
    pub kernel: &'a mut Source,
    /// What it is.
    pub kind: Kind,
    /// The initrd.
    pub initrd: &'a mut Source,
    /// The kernel's command line, but for what it must hear of a disk.
    pub cmdline: &'a str,
    /// The content of a disk, if there is one.
    pub disk: Option<Vec<u8>>,
}

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
        vm.set_tss_address(layout::TSS as usize)
            .call(|| "KVM_SET_TSS_ADDR".into())?;
        vm.create_irq_chip().call(|| "KVM_CREATE_IRQCHIP".into())?;
        // A kernel that does not know kvm-clock measures its clocks by this timer.
        let pit = kvm_pit_config {
            flags: KVM_PIT_SPEAKER_DUMMY,
            ..Default::default()
        };
        vm.create_pit2(pit).call(|| "KVM_CREATE_PIT2".into())?;
        phases.push(("create-vm", watch.lap()));

        let ram = Arc::new(allocate(&vm, config.memory).map_err(Error::Memory)?);
        memory::set_memslot(&vm, 0, 0, &ram)?;
        let memory = memory::view([(0, ram.clone())])?;
        phases.push(("create-memory", watch.lap()));

        if config.populate {
            for page in (0..config.memory).step_by(PAGE as usize) {
                write(&memory, page, &[0])?;
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
        let entry = load(&memory, config, files)?;
        phases.push(("load", watch.lap()));

        let cpuid = kvm
            .get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)
            .call(|| "KVM_GET_SUPPORTED_CPUID".into())?;
        let vcpus: Vec<_> = (0..config.vcpus)
            .map(|i| Vcpu::new(&vm, i, config.vcpus, &cpuid, entry))
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
        if bus.marks.init.is_none() {
            return Err(Error::Kernel(format!(
                "the guest {how} before its first process said that it runs"
            )));
        }
        if !bus.said.leaving {
            return Err(Error::Kernel(format!(
                "the guest {how} before its first process was done"
            )));
        }
        let mut last = begun;
        let marks = [
            ("first-instruction", bus.marks.first_instruction),
            ("kernel-entry", bus.marks.kernel_entry),
            ("console", bus.console().first),
            ("init", bus.marks.init),
            ("halt", bus.marks.end),
        ];
        let phases = marks.map(|(name, mark)| {
            let at = mark.unwrap_or(last).max(last);
            (name, at - std::mem::replace(&mut last, at))
        });
        Ok((phases.into(), bus.said))
    }

    /// Takes the machine apart: `destroy-vm` closes the vCPUs and the VM,
    /// `release-memory` the strategy's memory.
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
        let first = first.ok_or_else(|| Error::Config("a vCPU thread panicked".into()))?;
        first.fd().get_tsc_khz().call(|| "KVM_GET_TSC_KHZ".into())
    }

    /// The strategy's memory.
    pub fn ram(&self) -> &GuestRam {
        &self.ram
    }
}

/// Puts everything into memory; returns where it begins.
fn load(memory: &Memory, config: &Config, files: Files<'_>) -> Result<Entry, Error> {
    let Files {
        kernel,
        kind,
        initrd,
        cmdline,
        ..
    } = files;
    let high = GuestAddress(layout::HIGH);
    let loaded = match kind {
        Kind::Elf => Elf::load(memory, None, kernel, Some(high)),
        Kind::BzImage => BzImage::load(memory, None, kernel, Some(high)),
    };
    let loaded = loaded.map_err(|e| refused(kernel, || e.into()))?;
    let header = loaded.setup_header;
    let start = loaded.kernel_load.0;
    // A bzImage is entered at a fixed place, and unpacks to where it would rather be.
    let (file, kernel, end) = match header {
        None => (start, start, loaded.kernel_end),
        Some(h) => {
            let unpacked = h.pref_address;
            let end = unpacked.saturating_add(h.init_size.into());
            (start + ENTRY_64, unpacked, loaded.kernel_end.max(end))
        }
    };
    if end > config.memory {
        return Err(Error::Config(format!(
            "a kernel that ends at {} MiB does not fit into {} MiB of memory: choose a larger mem_mib",
            end.div_ceil(1 << 20),
            config.memory >> 20
        )));
    }

    let highest = header.map_or(INITRD_HIGHEST, |h: setup_header| h.initrd_addr_max.into());
    let len = initrd.len();
    let at = layout::initrd(len, config.memory, end, highest)?;
    let read = memory.read_exact_volatile_from(GuestAddress(at), initrd, len as usize);
    read.map_err(|e| refused(initrd, || Error::Kernel(format!("loading the initrd: {e}"))))?;

    let most = header.map_or(CMDLINE_MAX, |h| h.cmdline_size);
    if cmdline.len() > most as usize || cmdline.contains('\0') {
        return Err(Error::Config(format!(
            "a command line of {} bytes: this kernel takes {most}, and no zero among them; shorten --guest-cmdline",
            cmdline.len()
        )));
    }
    let mut text = cmdline.as_bytes().to_vec();
    text.push(0);
    write(memory, layout::CMDLINE, &text)?;

    let params = zero_page::build(
        header,
        &Places {
            memory: config.memory,
            initrd: at..at + len,
            cmdline: cmdline.len() as u32,
        },
    );
    let params = BootParams::new(&params, GuestAddress(layout::ZERO_PAGE));
    LinuxBootConfigurator::write_bootparams(&params, memory)
        .map_err(|e| Error::Kernel(e.to_string()))?;
    let cpus = config.vcpus as u8;
    let table = mptable::build(cpus, layout::MP_TABLE as u32);
    write(memory, layout::MP_TABLE, &table)?;
    write(memory, layout::GDT, &words(&DESCRIPTORS))?;
    write(memory, layout::STUB, &stub(file))?;
    page_tables(memory, config.memory)?;
    Ok(Entry { file, kernel })
}

/// What a failed load means: what the kernel said, where it said something.
fn refused(source: &mut Source, otherwise: impl FnOnce() -> Error) -> Error {
    match source.failure() {
        Some(source) => Error::Call {
            call: "reading a file into guest memory".into(),
            source,
        },
        None => otherwise(),
    }
}

/// `out START, al; mov rax, entry; jmp rax`: the guest's very first instruction
/// leaves to the VMM. RSI, which points to the zero page, stays.
fn stub(entry: u64) -> Vec<u8> {
    let mut code = vec![0xe6, port::START as u8, 0x48, 0xb8];
    code.extend(entry.to_le_bytes());
    code.extend([0xff, 0xe0]);
    code
}

/// Maps memory to itself, by pages of 2 MiB.
fn page_tables(memory: &Memory, len: u64) -> Result<(), Error> {
    let (pml4, pdpt) = (layout::PAGE_TABLES, layout::PAGE_TABLES + PAGE);
    let directory = |i: u64| pdpt + (i + 1) * PAGE;
    let directories = len.div_ceil(GIB);
    write(memory, pml4, &words(&[pdpt | TABLE]))?;
    let entries: Vec<u64> = (0..directories).map(|i| directory(i) | TABLE).collect();
    write(memory, pdpt, &words(&entries))?;
    for i in 0..directories {
        let pages: Vec<u64> = (0..512)
            .map(|n| (i * GIB + n * (2 << 20)) | LARGE_PAGE)
            .collect();
        write(memory, directory(i), &words(&pages))?;
    }
    Ok(())
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

fn write(memory: &Memory, at: u64, bytes: &[u8]) -> Result<(), Error> {
    memory
        .write_slice(bytes, GuestAddress(at))
        .map_err(|e| Error::Kernel(format!("writing at {at:#x}: {e}")))
}
