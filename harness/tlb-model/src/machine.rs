// SPDX-License-Identifier: GPL-2.0-or-later
//! The emulated machine as the model sees it: its memory, which is a file that QEMU
//! shares, and the instructions that mean something.

use crate::{Asid, Geometry, Model, Special, model::Vmcb, native};
use abi::tlb;
use std::{fs::File, path::PathBuf};
use vm_memory::{Bytes, FileOffset, GuestAddress, GuestMemoryMmap};

/// Memory that does not fit below the devices goes on from here.
const FOUR_GIB: u64 = 1 << 32;

/// Bits of CR4 that say what a page-table entry means: PSE, PAE, PGE, PCIDE, SMEP.
const CR4_PAGING: u64 = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 17 | 1 << 20;

/// Where things are in a VMCB (AMD APM vol. 2, appendix B).
const VMCB_ASID: u64 = 0x58;
const VMCB_TLB_CONTROL: u64 = 0x5c;
const VMCB_NESTED: u64 = 0x90;
const VMCB_NESTED_ROOT: u64 = 0xb0;

/// What the plugin is told: `ram=FILE,below=BYTES,l1=…,l2=…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The file that is the machine's memory.
    pub ram: PathBuf,
    /// How much of it lies below 4 GiB, bytes; the rest begins there.
    pub below: u64,
    /// The TLBs.
    pub geometry: Geometry,
}

impl Options {
    /// Reads `NAME=VALUE` words.
    ///
    /// # Errors
    /// What is missing or cannot be read.
    pub fn parse<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Result<Self, String> {
        let value = |name: &str| {
            let pair = words.clone().filter_map(|w| w.split_once('='));
            let mut found = pair.filter(|(n, _)| *n == name).map(|(_, v)| v);
            found.next().ok_or_else(|| format!("{name}= is missing"))
        };
        let below = value("below")?;
        Ok(Options {
            ram: value("ram")?.into(),
            below: below
                .parse()
                .map_err(|_| format!("below={below} is no number of bytes"))?,
            geometry: Geometry::parse(value("l1")?, value("l2")?)?,
        })
    }

    /// The memory, which exists once the machine does.
    fn map(&self) -> Result<GuestMemoryMmap, String> {
        let said = |e: &dyn std::fmt::Display| format!("{}: {e}", self.ram.display());
        let open = File::options().read(true).write(true).open(&self.ram);
        let file = open.map_err(|e| said(&e))?;
        let second = file.try_clone().map_err(|e| said(&e))?;
        let len = file.metadata().map_err(|e| said(&e))?.len();
        let below = self.below.min(len);
        let mut ranges = vec![(
            GuestAddress(0),
            below as usize,
            Some(FileOffset::new(file, 0)),
        )];
        if len > below {
            let rest = Some(FileOffset::new(second, below));
            ranges.push((GuestAddress(FOUR_GIB), (len - below) as usize, rest));
        }
        GuestMemoryMmap::from_ranges_with_files(ranges).map_err(|e| said(&e))
    }
}

/// What can be asked of a processor at an instruction.
pub trait Registers {
    /// General register `number`, as [`crate::Operand`] numbers them.
    fn general(&self, number: usize) -> u64;
    /// CR3.
    fn cr3(&self) -> u64;
    /// CR4.
    fn cr4(&self) -> u64;
}

/// The machine.
pub struct Machine {
    options: Options,
    memory: Option<GuestMemoryMmap>,
    model: Model,
    counting: bool,
}

/// What is to be done about a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// From now on every access is to be told, or none any more.
    Change,
}

const RAX: usize = 0;
const RCX: usize = 1;
const RSI: usize = 6;
const RDI: usize = 7;

impl Machine {
    /// A machine whose accesses are not told yet.
    pub fn new(options: Options) -> Self {
        Machine {
            model: Model::new(options.geometry.clone()),
            options,
            memory: None,
            counting: false,
        }
    }

    /// Whether accesses count.
    pub fn counting(&self) -> bool {
        self.counting
    }

    /// `cpu` accessed memory; see [`Model::access`].
    pub fn access(
        &mut self,
        cpu: usize,
        kernel: bool,
        address: u64,
        len: u64,
        registers: &impl Registers,
    ) {
        if let (true, Some(memory)) = (self.counting, &self.memory) {
            let root = || registers.cr3();
            self.model.access(memory, cpu, kernel, address, len, root);
        }
    }

    /// `cpu`, in entering a guest, accessed this physical address.
    pub fn physical(&mut self, cpu: usize, address: u64) {
        self.model.physical(cpu, address);
    }

    /// `cpu` is back from its guest.
    pub fn leave(&mut self, cpu: usize) {
        self.model.leave(cpu);
    }

    /// `cpu` is about to execute an instruction that means something; `next` is the
    /// address of the one after it.
    ///
    /// # Errors
    /// Why a marker is not obeyed.
    pub fn execute(
        &mut self,
        cpu: usize,
        what: Special,
        next: u64,
        registers: &impl Registers,
    ) -> Result<Then, String> {
        match what {
            Special::Marker => return self.marker(cpu, registers),
            Special::Vmrun => {
                let vmcb = self.vmcb(registers.general(RAX))?;
                self.model.enter(cpu, vmcb);
            }
            Special::Invlpga => {
                let asid = Asid(registers.general(RCX) as u16);
                let address = registers.general(RAX);
                self.model.invalidate(cpu, address, Some(asid));
            }
            Special::Invlpg(operand) => {
                let address = operand.address(|r| registers.general(r), next);
                self.model.invalidate(cpu, address, None);
            }
            Special::Something => self.model.invalidate_something(cpu),
            Special::Control { register: 3, .. } => self.model.new_tables(cpu, false),
            Special::Control { register: 4, value } => {
                if (registers.cr4() ^ registers.general(value)) & CR4_PAGING != 0 {
                    self.model.new_tables(cpu, true);
                }
            }
            Special::Control { register: 0, .. } => self.model.new_tables(cpu, true),
            Special::Control { .. } | Special::Vmstate => {}
        }
        Ok(Then::Nothing)
    }

    fn memory(&mut self) -> Result<&GuestMemoryMmap, String> {
        match &mut self.memory {
            Some(memory) => Ok(memory),
            none => Ok(none.insert(self.options.map()?)),
        }
    }

    fn vmcb(&mut self, at: u64) -> Result<Vmcb, String> {
        let memory = self.memory()?;
        let word = |offset: u64| -> Result<u64, String> {
            let read = memory.read_obj(GuestAddress(at + offset));
            read.map_err(|e| format!("VMCB at {at:#x}: {e}"))
        };
        let paged = word(VMCB_NESTED)? & 1 != 0;
        Ok(Vmcb {
            asid: word(VMCB_ASID)? as u32,
            control: word(VMCB_TLB_CONTROL)? as u8,
            nested: paged.then_some(word(VMCB_NESTED_ROOT)?),
        })
    }

    /// A guest that knows the marker is none to be obeyed.
    fn marker(&mut self, cpu: usize, registers: &impl Registers) -> Result<Then, String> {
        if self.model.in_guest(cpu) {
            return Ok(Then::Nothing);
        }
        let (command, page) = (registers.general(RSI), registers.general(RDI));
        let words = match (command, self.counting) {
            (tlb::BEGIN, _) => vec![tlb::COUNTING],
            (tlb::END, true) => [vec![tlb::COUNTED], self.model.words()].concat(),
            _ => return Ok(Then::Nothing),
        };
        let memory = self.memory()?;
        let found = native(memory, registers.cr3(), page).walk;
        let to = found.ok_or_else(|| format!("the page at {page:#x} is not there"))?;
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let written = memory.write_slice(&bytes, GuestAddress(to.physical));
        written.map_err(|e| format!("the page at {page:#x}: {e}"))?;
        self.model.begin();
        // Whoever began before and never ended is forgotten.
        let before = std::mem::replace(&mut self.counting, command == tlb::BEGIN);
        Ok(match before == self.counting {
            true => Then::Nothing,
            false => Then::Change,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PageSize, paging::tests::Tables};
    use std::collections::BTreeMap;

    /// Numbered as general registers are; 103 and 104 are CR3 and CR4.
    struct Fixed(BTreeMap<usize, u64>);

    impl Registers for Fixed {
        fn general(&self, number: usize) -> u64 {
            self.0.get(&number).copied().unwrap_or(0)
        }

        fn cr3(&self) -> u64 {
            self.general(103)
        }

        fn cr4(&self) -> u64 {
            self.general(104)
        }
    }

    const PAGE: u64 = 0x7000_0000;

    /// A machine with one page, whose frame is the last.
    fn machine() -> (Machine, Fixed, u64) {
        let mut tables = Tables::new();
        let root = tables.frame();
        let frame = (16 << 20) - 4096;
        tables.map(root, PAGE, frame, PageSize::Base, 0);
        let words = ["ram=/nowhere", "below=1", "l1=4/4/4k", "l2=8/4/4k"];
        let mut machine = Machine::new(Options::parse(words.into_iter()).unwrap());
        machine.memory = Some(tables.memory);
        let registers = Fixed([(103, root), (RDI, PAGE)].into());
        (machine, registers, frame)
    }

    fn word(machine: &Machine, at: u64) -> u64 {
        let memory = machine.memory.as_ref().unwrap();
        memory.read_obj(GuestAddress(at)).unwrap()
    }

    #[test]
    fn markers_start_and_stop() {
        let (mut machine, mut registers, frame) = machine();
        machine.access(0, false, PAGE, 8, &registers);
        let mut mark = |machine: &mut Machine, command| {
            registers.0.insert(RSI, command);
            machine.execute(0, Special::Marker, 0, &registers).unwrap()
        };
        assert_eq!(mark(&mut machine, tlb::END), Then::Nothing);
        assert_eq!(word(&machine, frame), 0);
        assert_eq!(mark(&mut machine, 7), Then::Nothing);
        assert_eq!(mark(&mut machine, tlb::BEGIN), Then::Change);
        assert_eq!(word(&machine, frame), tlb::COUNTING);
        machine.access(0, false, PAGE, 8, &Fixed([(103, 0x1000)].into()));
        assert_eq!(mark(&mut machine, tlb::BEGIN), Then::Nothing);
        for _ in 0..3 {
            let cr3 = Fixed([(103, 0x1000)].into());
            machine.access(0, false, PAGE, 8, &cr3);
        }
        assert_eq!(mark(&mut machine, tlb::END), Then::Change);
        let words: Vec<_> = (0..tlb::WORDS as u64)
            .map(|i| word(&machine, frame + i * 8))
            .collect();
        assert_eq!(words[tlb::STATE], tlb::COUNTED);
        assert_eq!(
            words[tlb::FIRST..],
            [0, 0, 0, 0, 3, 1, 1, 4, 0, 0, 0, 0, 0, 0]
        );
        assert!(!machine.counting());
    }

    #[test]
    fn a_marker_is_not_obeyed_in_a_guest_or_without_its_page() {
        let (mut machine, mut registers, frame) = machine();
        registers.0.insert(RSI, tlb::BEGIN);
        // A VMCB of zeros.
        registers.0.insert(RAX, 8 << 20);
        machine.execute(0, Special::Vmrun, 0, &registers).unwrap();
        let then = machine.execute(0, Special::Marker, 0, &registers);
        assert_eq!(then, Ok(Then::Nothing));
        assert_eq!(word(&machine, frame), 0);
        machine.leave(0);
        registers.0.insert(RDI, PAGE + 4096);
        let error = machine
            .execute(0, Special::Marker, 0, &registers)
            .unwrap_err();
        assert!(error.contains("0x70001000 is not there"), "{error}");
        assert!(!machine.counting());
    }

    #[test]
    fn options_are_read_or_refused() {
        let check = |words: &[&str], expected: &str| {
            let error = Options::parse(words.iter().copied()).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(&[], "below= is missing");
        check(&["below=x", "ram=r"], "below=x is no number");
        check(&["below=1", "ram=r", "l1=4/4/4k"], "l2= is missing");
        check(&["below=1", "ram=r", "l1=4/4/4k", "l2=?"], "ENTRIES/WAYS");
    }
}
