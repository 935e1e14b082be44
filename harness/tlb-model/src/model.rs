// SPDX-License-Identifier: GPL-2.0-or-later
//! The processors' TLBs, and what became of each access.

use crate::{Asid, Geometry, Level, Walked, native, nested};
use abi::tlb;
use std::collections::BTreeSet;
use vm_memory::GuestMemoryMmap;

/// The machine's own.
const HOST: Asid = Asid(0);

/// Who accesses memory; the order is that of [`tlb::SPACES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// The machine's kernel: code in the upper half, whatever it accesses.
    Kernel,
    /// A process of the machine.
    User,
    /// A guest of the machine, its kernel and processes.
    Guest,
}

/// What is counted, in the order of [`tlb::COUNTS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    accesses: u64,
    l1_misses: u64,
    l2_misses: u64,
    walk_steps: u64,
}

/// A guest that runs.
#[derive(Clone, Copy, Debug)]
struct Guest {
    asid: Asid,
    /// The tables that map its memory; nothing without nested paging.
    nested: Option<u64>,
}

/// What of a VMCB concerns TLBs (AMD APM vol. 2, appendix B).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vmcb {
    pub(crate) asid: u32,
    pub(crate) control: u8,
    pub(crate) nested: Option<u64>,
}

#[derive(Clone, Debug)]
struct Cpu {
    l1: Level,
    l2: Level,
    guest: Option<Guest>,
    /// CR3 as it was read last; nothing if it may be another.
    root: Option<u64>,
    /// The pages that entering and leaving guests accesses by physical address.
    physical: BTreeSet<u64>,
}

/// Every processor's TLBs.
#[derive(Clone, Debug)]
pub struct Model {
    geometry: Geometry,
    cpus: Vec<Cpu>,
    counts: [Count; 3],
    unresolved: u64,
    flushed_all: u64,
}

impl Model {
    /// With empty TLBs.
    pub fn new(geometry: Geometry) -> Self {
        Model {
            geometry,
            cpus: Vec::new(),
            counts: [Count::default(); 3],
            unresolved: 0,
            flushed_all: 0,
        }
    }

    fn cpu(&mut self, number: usize) -> &mut Cpu {
        while self.cpus.len() <= number {
            self.cpus.push(Cpu {
                l1: Level::new(&self.geometry.l1),
                l2: Level::new(&self.geometry.l2),
                guest: None,
                root: None,
                physical: BTreeSet::new(),
            });
        }
        &mut self.cpus[number]
    }

    /// Empties all TLBs and begins to count from nothing.
    pub fn begin(&mut self) {
        for cpu in &mut self.cpus {
            cpu.l1.flush();
            cpu.l2.flush();
            cpu.root = None;
        }
        self.counts = Default::default();
        (self.unresolved, self.flushed_all) = (0, 0);
    }

    /// The counts, from [`tlb::FIRST`] on.
    pub fn words(&self) -> Vec<u64> {
        let words = |c: &Count| [c.accesses, c.l1_misses, c.l2_misses, c.walk_steps];
        let counts = self.counts.iter().flat_map(words);
        counts.chain([self.unresolved, self.flushed_all]).collect()
    }

    /// `cpu` accessed `len` bytes at `address`; `kernel` says where its code was, which
    /// matters outside a guest. `root` reads CR3.
    pub fn access(
        &mut self,
        memory: &GuestMemoryMmap,
        cpu: usize,
        kernel: bool,
        address: u64,
        len: u64,
        root: impl Fn() -> u64,
    ) {
        let space = match (self.cpu(cpu).guest, kernel) {
            (Some(_), _) => Space::Guest,
            (None, true) => Space::Kernel,
            (None, false) => Space::User,
        };
        self.look_up(memory, cpu, space, address, &root);
        let last = address.wrapping_add(len.saturating_sub(1));
        if last >> 12 != address >> 12 {
            // Its other half: a second look-up, but the same access.
            self.look_up(memory, cpu, space, last, &root);
            self.counts[space as usize].accesses -= 1;
        }
    }

    fn look_up(
        &mut self,
        memory: &GuestMemoryMmap,
        number: usize,
        space: Space,
        address: u64,
        root: &impl Fn() -> u64,
    ) {
        let count = &mut self.counts[space as usize];
        count.accesses += 1;
        let cpu = &mut self.cpus[number];
        let guest = cpu.guest;
        let asid = guest.map_or(HOST, |guest| guest.asid);
        if cpu.l1.hit(address, asid) {
            return;
        }
        if guest.is_some() && cpu.physical.contains(&(address >> 12)) {
            // The guest was left by this instruction: QEMU saves its state, and tells
            // physical addresses as if they were virtual ones.
            count.accesses -= 1;
            return;
        }
        count.l1_misses += 1;
        let second = cpu.l2.hit(address, asid);
        if !second {
            count.l2_misses += 1;
        }
        let root = *cpu.root.get_or_insert_with(root);
        let Walked { steps, walk } = match guest.and_then(|guest| guest.nested) {
            None => native(memory, root, address),
            Some(tables) => nested(memory, tables, root, address),
        };
        if !second {
            count.walk_steps += steps;
        }
        match walk {
            None => self.unresolved += 1,
            Some(walk) => {
                cpu.l1.enter(address, asid, walk);
                if !second {
                    cpu.l2.enter(address, asid, walk);
                }
            }
        }
    }

    /// `cpu` enters a guest.
    pub(crate) fn enter(&mut self, cpu: usize, vmcb: Vmcb) {
        let asid = Asid(vmcb.asid as u16);
        let cpu = self.cpu(cpu);
        cpu.guest = Some(Guest {
            asid,
            nested: vmcb.nested,
        });
        cpu.root = None;
        // TLB_CONTROL: everything, this guest's, this guest's but for global pages.
        match vmcb.control {
            0 => {}
            3 => cpu.flush_space(asid, true),
            7 => cpu.flush_space(asid, false),
            _ => cpu.flush(),
        }
    }

    /// `cpu`, in entering a guest, accessed this physical address.
    pub(crate) fn physical(&mut self, cpu: usize, address: u64) {
        self.cpu(cpu).physical.insert(address >> 12);
    }

    /// `cpu` is back from a guest.
    pub(crate) fn leave(&mut self, cpu: usize) {
        let cpu = self.cpu(cpu);
        (cpu.guest, cpu.root) = (None, None);
    }

    /// Whether `cpu` is in a guest.
    pub(crate) fn in_guest(&mut self, cpu: usize) -> bool {
        self.cpu(cpu).guest.is_some()
    }

    /// A write to CR3 leaves global pages only; one to another control register that
    /// changes what a translation means leaves none.
    pub(crate) fn new_tables(&mut self, cpu: usize, globals: bool) {
        let cpu = self.cpu(cpu);
        cpu.root = None;
        cpu.flush_space(cpu.asid(), globals);
    }

    /// `address` of the space that `cpu` is in, or of another, is invalidated.
    pub(crate) fn invalidate(&mut self, cpu: usize, address: u64, asid: Option<Asid>) {
        let cpu = self.cpu(cpu);
        let asid = asid.unwrap_or(cpu.asid());
        cpu.l1.flush_page(address, asid);
        cpu.l2.flush_page(address, asid);
    }

    /// Something is invalidated, and nothing says what.
    pub(crate) fn invalidate_something(&mut self, cpu: usize) {
        self.cpu(cpu).flush();
        self.flushed_all += 1;
    }
}

impl Cpu {
    fn asid(&self) -> Asid {
        self.guest.map_or(HOST, |guest| guest.asid)
    }

    fn flush(&mut self) {
        self.l1.flush();
        self.l2.flush();
    }

    fn flush_space(&mut self, asid: Asid, globals: bool) {
        self.l1.flush_space(asid, globals);
        self.l2.flush_space(asid, globals);
    }
}

/// The places of the counts are those of the words.
const _: () = assert!(tlb::SPACES.len() == 3 && tlb::COUNTS.len() == 4);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PageSize, paging::tests::Tables};

    const PAGES: u64 = 100;

    /// Pages of two guests and of the machine, 4 KiB each, from the same address on.
    fn tables() -> (Tables, u64) {
        let mut tables = Tables::new();
        let root = tables.frame();
        for page in 0..PAGES {
            tables.map(root, page << 12, page << 12, PageSize::Base, 0);
        }
        (tables, root)
    }

    fn model() -> Model {
        Model::new(Geometry::parse("64/64/4k+2m", "128/8/4k+2m").unwrap())
    }

    fn count(model: &Model, space: Space) -> [u64; 4] {
        let at = space as usize * 4;
        model.words()[at..at + 4].try_into().unwrap()
    }

    /// Rounds over so many pages.
    fn rounds(model: &mut Model, tables: &Tables, root: u64, pages: u64, rounds: u64) {
        for page in (0..rounds).flat_map(|_| 0..pages) {
            model.access(&tables.memory, 0, false, page << 12, 8, || root);
        }
    }

    #[test]
    fn a_circle_misses_as_the_geometry_says() {
        let (tables, root) = tables();
        let check = |pages: u64, expected: [u64; 4]| {
            let mut model = model();
            rounds(&mut model, &tables, root, pages, 10);
            assert_eq!(count(&model, Space::User), expected, "{pages} pages");
            assert_eq!(model.unresolved, 0);
        };
        // Within the first level: each page once, by a walk of four.
        check(64, [640, 64, 64, 256]);
        // Beyond it, within the second: every access misses the first.
        check(65, [650, 650, 65, 260]);
        check(100, [1000, 1000, 100, 400]);
    }

    #[test]
    fn spaces_are_told_apart() {
        let (tables, root) = tables();
        let mut model = model();
        let memory = &tables.memory;
        model.access(memory, 0, true, 0x1000, 8, || root);
        model.access(memory, 0, false, 0x1000, 8, || root);
        let vmcb = Vmcb {
            asid: 1,
            control: 0,
            nested: Some(root),
        };
        model.enter(0, vmcb);
        // The same tables for both dimensions, as the mapping is the identity.
        model.access(memory, 0, true, 0x1000, 8, || root);
        model.leave(0);
        model.access(memory, 0, true, 0x1000, 8, || root);
        assert_eq!(count(&model, Space::Kernel), [2, 1, 1, 4]);
        assert_eq!(count(&model, Space::User), [1, 0, 0, 0]);
        assert_eq!(count(&model, Space::Guest), [1, 1, 1, 24]);
        // Another processor has TLBs of its own.
        model.access(memory, 1, false, 0x1000, 8, || root);
        assert_eq!(count(&model, Space::User), [2, 1, 1, 4]);
    }

    #[test]
    fn an_access_across_pages_is_one_with_two_look_ups() {
        let (tables, root) = tables();
        let mut model = model();
        model.access(&tables.memory, 0, false, 0x1ffc, 8, || root);
        assert_eq!(count(&model, Space::User), [1, 2, 2, 8]);
        model.access(&tables.memory, 0, false, 0x1ff8, 8, || root);
        assert_eq!(count(&model, Space::User), [2, 2, 2, 8]);
    }

    #[test]
    fn invalidations_cost_their_walks() {
        let (tables, root) = tables();
        let check = |change: &dyn Fn(&mut Model), walks: u64| {
            let mut model = model();
            rounds(&mut model, &tables, root, 8, 1);
            change(&mut model);
            rounds(&mut model, &tables, root, 8, 1);
            assert_eq!(count(&model, Space::User)[2], 8 + walks);
        };
        let enter = |model: &mut Model, control| {
            let vmcb = Vmcb {
                asid: 1,
                control,
                nested: None,
            };
            model.enter(0, vmcb);
            model.leave(0);
        };
        check(&|_| {}, 0);
        check(&|m| m.new_tables(0, false), 8);
        check(&|m| m.new_tables(1, true), 0);
        check(&|m| m.invalidate(0, 0x3000, None), 1);
        check(&|m| m.invalidate(0, 0x3000, Some(Asid(1))), 0);
        check(&|m| m.invalidate_something(0), 8);
        check(&|m| enter(m, 0), 0);
        check(&|m| enter(m, 1), 8);
        check(&|m| enter(m, 3), 0);
    }

    #[test]
    fn what_goes_by_physical_address_is_no_access_of_the_guest() {
        let (tables, root) = tables();
        let mut model = model();
        let vmcb = Vmcb {
            asid: 1,
            control: 0,
            nested: Some(root),
        };
        model.physical(0, 0x1_0033_5400);
        model.enter(0, vmcb);
        model.access(&tables.memory, 0, true, 0x1_0033_5608, 8, || root);
        assert_eq!(count(&model, Space::Guest), [0; 4]);
        assert_eq!(model.unresolved, 0);
    }

    #[test]
    fn a_page_that_is_not_there_is_counted_apart() {
        let (tables, root) = tables();
        let mut model = model();
        model.access(&tables.memory, 0, false, PAGES << 12, 8, || root);
        assert_eq!(count(&model, Space::User), [1, 1, 1, 4]);
        assert_eq!(model.unresolved, 1);
        model.begin();
        assert_eq!(model.words(), [0; 14]);
    }
}
