// SPDX-License-Identifier: GPL-2.0-or-later
//! One level of TLB: arrays of sets, each in the order in which it was last used.

use crate::{Array, PageSize, Walk};

/// The tag of an address space: 0 is the machine's own, a guest's is in its VMCB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asid(pub u16);

/// Bits of an entry, from the lowest: whether it is global, its size (2), its address
/// space (16), the number of its page (36 at most). What is all ones is empty: no size
/// is 3.
const EMPTY: u64 = u64::MAX;
const GLOBAL: u64 = 1;
const SIZE: u32 = 1;
const SPACE: u32 = 3;
const PAGE: u32 = 19;
const ADDRESS: u64 = (1 << 48) - 1;

fn entry(size: PageSize, space: Asid, address: u64) -> u64 {
    let page = (address & ADDRESS) >> size.bits();
    (size as u64) << SIZE | u64::from(space.0) << SPACE | page << PAGE
}

fn space(entry: u64) -> Asid {
    Asid((entry >> SPACE) as u16)
}

/// Entries that are searched together.
#[derive(Clone, Debug)]
struct Sets {
    shape: Array,
    /// Set after set; within one the entry that was used last comes first.
    entries: Vec<u64>,
}

impl Sets {
    fn set(&mut self, size: PageSize, address: u64) -> &mut [u64] {
        let number = (address & ADDRESS) >> size.bits();
        let at = number as usize & (self.shape.sets() - 1);
        let ways = self.shape.ways;
        &mut self.entries[at * ways..][..ways]
    }

    fn hit(&mut self, address: u64, asid: Asid) -> bool {
        if self.shape.sets() == 1 {
            return self.hit_any_size(address, asid);
        }
        for i in 0..self.shape.sizes.len() {
            let size = self.shape.sizes[i];
            let wanted = entry(size, asid, address);
            let set = self.set(size, address);
            if let Some(at) = set.iter().position(|e| e & !GLOBAL == wanted) {
                set[..=at].rotate_right(1);
                return true;
            }
        }
        false
    }

    /// The same where all sizes share the one set: most accesses find their entry among
    /// the first few, in one search.
    fn hit_any_size(&mut self, address: u64, asid: Asid) -> bool {
        let mut wanted = [0; 4];
        for size in PageSize::ALL {
            wanted[size as usize] = entry(size, asid, address);
        }
        // An empty entry has size 3, for which 0 is wanted, which it is not.
        let is_wanted = |e: &u64| e & !GLOBAL == wanted[(e >> SIZE & 3) as usize];
        let found = self.entries.iter().position(is_wanted);
        if let Some(at) = found {
            self.entries[..=at].rotate_right(1);
        }
        found.is_some()
    }

    fn retain(&mut self, keep: impl Fn(u64) -> bool) {
        for set in self.entries.chunks_exact_mut(self.shape.ways) {
            let mut kept = 0;
            for at in 0..set.len() {
                if set[at] != EMPTY && keep(set[at]) {
                    set[kept] = set[at];
                    kept += 1;
                }
            }
            set[kept..].fill(EMPTY);
        }
    }
}

/// A level.
#[derive(Clone, Debug)]
pub struct Level {
    arrays: Vec<Sets>,
}

impl Level {
    /// An empty one.
    pub fn new(arrays: &[Array]) -> Self {
        let sets = |shape: &Array| Sets {
            entries: vec![EMPTY; shape.entries],
            shape: shape.clone(),
        };
        Level {
            arrays: arrays.iter().map(sets).collect(),
        }
    }

    /// Whether `address` of a space is in it; then it is what was used last.
    pub fn hit(&mut self, address: u64, asid: Asid) -> bool {
        self.arrays.iter_mut().any(|array| array.hit(address, asid))
    }

    /// Enters what a walk found, in the place of what was used longest ago. A page of
    /// a size that the level does not keep is entered as the part of it that it does.
    pub fn enter(&mut self, address: u64, asid: Asid, walk: Walk) {
        let kept = |size: &PageSize| self.arrays.iter().any(|a| a.shape.sizes.contains(size));
        let sizes = PageSize::ALL.into_iter().rev();
        let Some(size) = sizes.filter(|s| *s <= walk.size).find(kept) else {
            return;
        };
        let arrays = &mut self.arrays;
        if let Some(array) = arrays.iter_mut().find(|a| a.shape.sizes.contains(&size)) {
            let new = entry(size, asid, address) | u64::from(walk.global);
            let set = array.set(size, address);
            set.rotate_right(1);
            set[0] = new;
        }
    }

    /// Forgets everything.
    pub fn flush(&mut self) {
        self.retain(|_| false);
    }

    /// Forgets what belongs to a space, global entries only if asked to.
    pub fn flush_space(&mut self, asid: Asid, globals: bool) {
        self.retain(|e| space(e) != asid || !globals && e & GLOBAL != 0);
    }

    /// Forgets the page of `address` of a space, global or not, whatever its size.
    pub fn flush_page(&mut self, address: u64, asid: Asid) {
        let gone = PageSize::ALL.map(|size| entry(size, asid, address));
        self.retain(|e| !gone.contains(&(e & !GLOBAL)));
    }

    fn retain(&mut self, keep: impl Fn(u64) -> bool) {
        for array in &mut self.arrays {
            array.retain(&keep);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Geometry;

    const HOST: Asid = Asid(0);
    const GUEST: Asid = Asid(7);

    fn level(text: &str) -> Level {
        Level::new(&Geometry::parse(text, text).unwrap().l1)
    }

    fn found(size: PageSize, global: bool) -> Walk {
        Walk {
            physical: 0,
            size,
            global,
        }
    }

    /// How often a round over `pages` misses, once everything was touched.
    fn misses(level: &mut Level, pages: u64) -> u64 {
        let mut misses = 0;
        for round in 0..3 {
            misses = 0;
            for page in 0..pages {
                if !level.hit(page << 12, HOST) {
                    level.enter(page << 12, HOST, found(PageSize::Base, false));
                    misses += 1;
                }
            }
            assert!(round > 0 || misses == pages);
        }
        misses
    }

    #[test]
    fn pages_against_entries() {
        let check = |text: &str, pages: u64, expected: u64| {
            assert_eq!(
                misses(&mut level(text), pages),
                expected,
                "{text}, {pages} pages"
            );
        };
        // Fully associative: all or nothing, as LRU has it of a circle.
        check("64/64/4k", 64, 0);
        check("64/64/4k", 65, 65);
        // 16 sets of 4: what lies beyond 64 costs its own set only.
        check("64/4/4k", 64, 0);
        check("64/4/4k", 65, 5);
        check("64/4/4k", 70, 30);
        check("64/4/4k", 80, 80);
        check("2048/16/4k+2m+1g", 2048, 0);
        check("2048/16/4k+2m+1g", 3072, 3072);
    }

    #[test]
    fn a_large_page_is_one_entry_and_a_size_that_is_not_kept_is_split() {
        let mut both = level("8/8/4k+2m");
        both.enter(0x20_0000, HOST, found(PageSize::Large, false));
        assert!(both.hit(0x3f_f000, HOST));
        assert!(!both.hit(0x40_0000, HOST));
        let mut base = level("8/8/4k");
        base.enter(0x20_3000, HOST, found(PageSize::Large, false));
        assert!(base.hit(0x20_3fff, HOST) && !base.hit(0x20_2000, HOST));
        let mut large = level("8/8/4k+2m");
        large.enter(0x4000_0000, HOST, found(PageSize::Giant, false));
        assert!(large.hit(0x401f_ffff, HOST) && !large.hit(0x4020_0000, HOST));
    }

    #[test]
    fn each_invalidation_forgets_its_own() {
        let filled = || {
            let mut level = level("16/4/4k+2m");
            for asid in [HOST, GUEST] {
                level.enter(0x1000, asid, found(PageSize::Base, false));
                level.enter(0x2000, asid, found(PageSize::Base, true));
                level.enter(0x40_0000, asid, found(PageSize::Large, true));
            }
            level
        };
        let check = |level: Level, host: [bool; 3], guest: [bool; 3]| {
            for (asid, expected) in [(HOST, host), (GUEST, guest)] {
                let here = [0x1000, 0x2000, 0x40_1000].map(|a| level.clone().hit(a, asid));
                assert_eq!(here, expected, "{asid:?}");
            }
        };
        let after = |change: fn(&mut Level)| {
            let mut level = filled();
            change(&mut level);
            level
        };
        let all = [true; 3];
        check(filled(), all, all);
        check(after(Level::flush), [false; 3], [false; 3]);
        let cr3 = after(|l| l.flush_space(HOST, false));
        check(cr3, [false, true, true], all);
        check(after(|l| l.flush_space(GUEST, true)), all, [false; 3]);
        let page = after(|l| l.flush_page(0x5f_f000, HOST));
        check(page, [true, true, false], all);
    }

    #[test]
    fn both_halves_of_the_address_space_are_told_apart() {
        let mut level = level("64/4/4k");
        level.enter(0xffff_8000_0000_1000, HOST, found(PageSize::Base, true));
        assert!(level.hit(0xffff_8000_0000_1000, HOST));
        assert!(!level.hit(0x1000, HOST));
    }
}
