// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A VM with its memory, its vCPUs and the payload, and how to ask it things.

use crate::{
    Cpl, Device, Error, Event, Exit, Memory, Registers, Vcpu, arch,
    call::Named,
    clock::Stopwatch,
    memory,
    stats::{self, Stats},
};
use abi::{PanicReport, Reply, Request, Status, layout, word};
use kvm_ioctls::{Kvm, VmFd};
use linux_loader::loader::{Elf, KernelLoader};
use std::{io::Cursor, sync::Arc, time::Duration};
use strategies::GuestRam;
use vm_memory::{Bytes, GuestAddress};

/// What a machine is made of. Two machines of one configuration differ only in
/// the memory that `allocate` hands to [`Machine::build`].
#[derive(Clone, Debug)]
pub struct Config {
    /// How many vCPUs, 1 to [`layout::MAX_VCPUS`].
    pub vcpus: u64,
    /// Bytes of memory, [`layout::MEMORY_BARE`] (for one vCPU) to
    /// [`layout::MEMORY_MAX`], a multiple of 2 MiB.
    pub memory: u64,
    /// The payload's privilege level.
    pub cpl: Cpl,
    /// Interrupt controllers in the kernel: two PICs, an IOAPIC, local APICs.
    pub irqchip: bool,
    /// Memory at [`layout::WINDOW`] that guest and host share whatever the strategy.
    pub shared_memory: bool,
    /// How long a guest may take for one answer.
    pub limit: Duration,
}

impl Config {
    fn check(&self) -> Result<(), Error> {
        let large = 2 << 20;
        let least = match self.vcpus {
            1 => layout::MEMORY_BARE,
            _ => layout::MEMORY_MIN,
        };
        let most = match self.irqchip {
            true => layout::MEMORY_MAX_IRQCHIP,
            false => layout::MEMORY_MAX,
        };
        let memory = least..=most;
        if !(1..=layout::MAX_VCPUS).contains(&self.vcpus) {
            let max = layout::MAX_VCPUS;
            return Err(Error::Config(format!(
                "{} vCPUs: a machine has 1 to {max}",
                self.vcpus
            )));
        }
        if !memory.contains(&self.memory) || !self.memory.is_multiple_of(large) {
            return Err(Error::Config(format!(
                "{} bytes of memory: a machine has {} to {} MiB, a multiple of 2",
                self.memory,
                memory.start() >> 20,
                memory.end() >> 20
            )));
        }
        Ok(())
    }
}

/// The ticks that each step took, in order.
pub type Phases = Vec<(&'static str, u64)>;

/// A VM that has been built. Fields are dropped in order: vCPUs, the VM with
/// its memslots, and the memory last, unless a clone of its view is kept elsewhere.
#[derive(Debug)]
pub struct Machine {
    vcpus: Vec<Vcpu>,
    vm: VmFd,
    memory: Memory,
    ram: Arc<GuestRam>,
    shared: Option<Arc<GuestRam>>,
    limit: Duration,
}

impl Machine {
    /// Builds a machine around the memory that `allocate` returns, with
    /// `payload` loaded and no instruction run. The phases are `create-vm`,
    /// `create-memory`, `memslot`, `load` and `create-vcpu`.
    ///
    /// # Errors
    /// The first step that failed, named.
    pub fn build(
        kvm: &Kvm,
        config: &Config,
        payload: &[u8],
        allocate: impl FnOnce(&VmFd, u64) -> Result<GuestRam, strategies::Error>,
    ) -> Result<(Self, Phases), Error> {
        config.check()?;
        let mut phases = Phases::with_capacity(8);
        let mut watch = Stopwatch::start();

        let vm = create_vm(kvm)?;
        let has_pmu = !arch::take_pmu(&vm)?;
        if config.irqchip {
            vm.create_irq_chip().call(|| "KVM_CREATE_IRQCHIP".into())?;
        }
        phases.push(("create-vm", watch.lap()));

        let ram = Arc::new(allocate(&vm, config.memory).map_err(Error::Memory)?);
        phases.push(("create-memory", watch.lap()));

        memory::set_memslot(&vm, 0, 0, &ram)?;
        let shared = match config.shared_memory {
            true => {
                let shared = strategies::shared(layout::WINDOW_SIZE).map_err(Error::Memory)?;
                Some(Arc::new(shared))
            }
            false => None,
        };
        if let Some(shared) = &shared {
            memory::set_memslot(&vm, 1, layout::WINDOW, shared)?;
        }
        phases.push(("memslot", watch.lap()));

        let beyond = shared.clone().map(|shared| (layout::WINDOW, shared));
        let memory = memory::view([(0, ram.clone())].into_iter().chain(beyond))?;
        arch::write_tables(&memory, config.memory, config.cpl)?;
        let entry = Elf::load(&memory, None, &mut Cursor::new(payload), None)
            .map_err(|e| Error::Load(e.to_string()))?
            .kernel_load;
        phases.push(("load", watch.lap()));

        let cpuid = arch::supported_cpuid(kvm, has_pmu)?;
        let vcpus: Vec<_> = (0..config.vcpus)
            .map(|i| {
                let fd = arch::create_vcpu(&vm, i, &cpuid, config.cpl, entry.0, config.irqchip)?;
                Ok(Vcpu::new(fd, i, [Some(ram.clone()), shared.clone()]))
            })
            .collect::<Result<_, Error>>()?;
        phases.push(("create-vcpu", watch.lap()));

        let limit = config.limit;
        Ok((
            Machine {
                vcpus,
                vm,
                memory,
                ram,
                shared,
                limit,
            },
            phases,
        ))
    }

    /// Runs every vCPU to the point where it takes requests. For the first, the
    /// phases `first-instruction` and `ready`.
    ///
    /// # Errors
    /// As [`Vcpu::run`]; [`Error::Abi`] if the payload is of another version.
    pub fn start(&mut self) -> Result<Phases, Error> {
        let mut phases = Phases::new();
        let mut watch = Stopwatch::start();
        for i in 0..self.vcpus.len() {
            self.expect(i, Event::Started)?;
            phases.push(("first-instruction", watch.lap()));
            self.expect(i, Event::Done)?;
            phases.push(("ready", watch.lap()));
            let page = self.command_page(i)?;
            let (magic, version) = (page[word::MAGIC], page[word::VERSION]);
            if (magic, version) != (abi::MAGIC, abi::VERSION) {
                return Err(Error::Abi { magic, version });
            }
        }
        phases.truncate(2);
        Ok(phases)
    }

    fn expect(&mut self, vcpu: usize, expected: Event) -> Result<(), Error> {
        let event = self.vcpus[vcpu].run(&self.vm, &mut Device::new(0), self.limit)?;
        if event == expected {
            return Ok(());
        }
        self.panicked(vcpu, event)?;
        Err(Error::Exit {
            exit: Exit::Other(format!("{event:?} where {expected:?} was due")),
            registers: Registers::of(self.vcpus[vcpu].fd()),
        })
    }

    /// Takes the machine apart: `destroy-vm` closes the vCPUs and the VM,
    /// `release-memory` the strategy's memory.
    ///
    /// # Panics
    /// If a clone of [`Machine::memory`] is left, in a device or elsewhere: the memory
    /// would not be released, and what is measured would be nothing.
    pub fn tear_down(self) -> Phases {
        let Machine {
            vcpus,
            vm,
            memory,
            ram,
            shared,
            ..
        } = self;
        let mut watch = Stopwatch::start();
        drop((vcpus, vm, memory));
        let destroy = watch.lap();
        [Some(ram), shared]
            .into_iter()
            .flatten()
            .for_each(memory::release);
        vec![("destroy-vm", destroy), ("release-memory", watch.lap())]
    }

    /// Asks vCPU 0 for `request`; `device` answers its accesses.
    ///
    /// # Errors
    /// As [`Vcpu::run`], [`Error::Panicked`], or [`Error::Refused`].
    pub fn call(&mut self, request: Request, device: &mut Device) -> Result<Reply, Error> {
        self.submit(0, request)?;
        let event = self.vcpus[0].run(&self.vm, device, self.limit)?;
        self.reply(0, request, event)
    }

    /// Asks each vCPU for its own request at the same time: a single vCPU on this
    /// thread, several on one thread each.
    ///
    /// # Errors
    /// The first error of any vCPU.
    ///
    /// # Panics
    /// If there are not as many requests and devices as vCPUs.
    pub fn call_all(
        &mut self,
        requests: &[Request],
        devices: &mut [Device],
    ) -> Result<Vec<Reply>, Error> {
        Ok(self.call_all_between(requests, devices, || (), drop)?.0)
    }

    /// The same, and on each vCPU's own thread `before` just before it runs and `after`
    /// just after, with what `before` returned: for what belongs to a thread, like a
    /// counter of its events. The second result is what `after` said, by vCPU.
    ///
    /// # Errors
    /// The first error of any vCPU.
    ///
    /// # Panics
    /// If there are not as many requests and devices as vCPUs.
    pub fn call_all_between<B, A: Send>(
        &mut self,
        requests: &[Request],
        devices: &mut [Device],
        before: impl Fn() -> B + Sync,
        after: impl Fn(B) -> A + Sync,
    ) -> Result<(Vec<Reply>, Vec<A>), Error> {
        let n = self.vcpus.len();
        assert_eq!(
            (requests.len(), devices.len()),
            (n, n),
            "one request and one device a vCPU"
        );
        if n == 1 {
            let begun = before();
            let reply = self.call(requests[0], &mut devices[0]);
            let said = after(begun);
            return Ok((vec![reply?], vec![said]));
        }
        for (i, request) in requests.iter().enumerate() {
            self.submit(i, *request)?;
        }
        let (vm, limit) = (&self.vm, self.limit);
        let (before, after) = (&before, &after);
        let run = |vcpu: &mut Vcpu, device: &mut Device| {
            let begun = before();
            let event = vcpu.run(vm, device, limit);
            (event, after(begun))
        };
        let events: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (self.vcpus.iter_mut().zip(devices))
                .map(|(vcpu, device)| scope.spawn(move || run(vcpu, device)))
                .collect();
            threads.into_iter().map(|t| t.join()).collect()
        });
        let (mut replies, mut all) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for (i, ended) in events.into_iter().enumerate() {
            let (event, said) = ended.map_err(|_| Error::Thread)?;
            replies.push(self.reply(i, requests[i], event?)?);
            all.push(said);
        }
        Ok((replies, all))
    }

    /// The samples of vCPU `index`'s last reply, in ticks.
    ///
    /// # Errors
    /// [`Error::Refused`] if the reply claims more than the buffer holds.
    pub fn samples(
        &self,
        index: usize,
        request: Request,
        reply: &Reply,
    ) -> Result<Vec<u64>, Error> {
        if reply.samples > layout::SAMPLES_MAX {
            return Err(refused(
                request,
                format!("it claims {} samples", reply.samples),
            ));
        }
        let mut bytes = vec![0; reply.samples as usize * 8];
        self.memory
            .read_slice(&mut bytes, GuestAddress(layout::samples(index as u64)))
            .map_err(|e| Error::Load(format!("sample buffer: {e}")))?;
        Ok(bytes.chunks_exact(8).map(le_word).collect())
    }

    /// KVM's statistics of the VM, then those of all vCPUs added up.
    ///
    /// # Errors
    /// [`Error::Call`] if they cannot be read.
    pub fn stats(&self) -> Result<Stats, Error> {
        stats::of_all(&self.vm, self.vcpus.iter().map(Vcpu::fd))
    }

    /// The VM's clock as KVM_GET_CLOCK tells it, nanoseconds.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub fn clock(&self) -> Result<u64, Error> {
        Ok(self.vm.get_clock().call(|| "KVM_GET_CLOCK".into())?.clock)
    }

    /// The VM.
    pub(crate) fn vm(&self) -> &VmFd {
        &self.vm
    }

    /// The vCPUs.
    pub fn vcpus(&mut self) -> &mut [Vcpu] {
        &mut self.vcpus
    }

    /// vCPU `index`.
    pub(crate) fn vcpu(&self, index: usize) -> Option<&Vcpu> {
        self.vcpus.get(index)
    }

    /// Guest memory, for volatile access. A clone keeps it mapped.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The strategy's memory.
    pub fn ram(&self) -> &GuestRam {
        &self.ram
    }

    /// Writes `request` into the command page of a vCPU without running it:
    /// for a caller that has a run loop of its own.
    ///
    /// # Errors
    /// [`Error::Load`] if there is no such vCPU.
    pub fn submit(&self, vcpu: usize, request: Request) -> Result<(), Error> {
        let page = layout::command(vcpu as u64);
        let words = request.to_words();
        for (i, value) in (word::OP..).zip(words).chain([(word::STATUS, 0)]) {
            self.memory
                .write_obj(value, GuestAddress(page + i as u64 * 8))
                .map_err(|e| Error::Load(format!("command page: {e}")))?;
        }
        Ok(())
    }

    fn reply(&self, vcpu: usize, request: Request, event: Event) -> Result<Reply, Error> {
        self.panicked(vcpu, event)?;
        let page = self.command_page(vcpu)?;
        match Status::from_word(page[word::STATUS]) {
            Some(Status::Done) => Ok(Reply {
                digest: page[word::DIGEST],
                samples: page[word::SAMPLES],
                out: std::array::from_fn(|i| page[word::OUT + i]),
            }),
            Some(status) => Err(refused(request, format!("{status:?}"))),
            None => Err(refused(
                request,
                format!("it answers status {:#x}", page[word::STATUS]),
            )),
        }
    }

    fn panicked(&self, vcpu: usize, event: Event) -> Result<(), Error> {
        if event != Event::Panicked {
            return Ok(());
        }
        let report = PanicReport::from_page(&self.command_page(vcpu)?);
        Err(Error::Panicked {
            file: report.file().into(),
            line: report.line(),
            message: report.message().into(),
        })
    }

    fn command_page(&self, vcpu: usize) -> Result<[u64; abi::WORDS], Error> {
        let mut bytes = [0; abi::WORDS * 8];
        self.memory
            .read_slice(&mut bytes, GuestAddress(layout::command(vcpu as u64)))
            .map_err(|e| Error::Load(format!("command page: {e}")))?;
        Ok(std::array::from_fn(|i| le_word(&bytes[i * 8..i * 8 + 8])))
    }
}

pub(crate) fn create_vm(kvm: &Kvm) -> Result<VmFd, Error> {
    loop {
        match kvm.create_vm() {
            // A signal may come while KVM waits for its own locks.
            Err(e) if e.errno() == libc::EINTR => continue,
            other => return other.call(|| "KVM_CREATE_VM".into()),
        }
    }
}

fn le_word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |w, b| w << 8 | u64::from(*b))
}

fn refused(request: Request, why: String) -> Error {
    Error::Refused {
        op: request.op,
        why,
    }
}
