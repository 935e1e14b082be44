// SPDX-License-Identifier: GPL-2.0-or-later
//! Page tables of long mode with four levels (AMD APM vol. 2, 5.3), walked where they
//! lie in the machine's memory: those of an address space, and the two-dimensional
//! ones of a guest under nested paging (15.25).

use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

/// How much one translation covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PageSize {
    /// 4 KiB.
    Base,
    /// 2 MiB.
    Large,
    /// 1 GiB.
    Giant,
}

impl PageSize {
    /// All, smallest first.
    pub const ALL: [PageSize; 3] = [PageSize::Base, PageSize::Large, PageSize::Giant];

    /// The number of address bits within a page.
    pub const fn bits(self) -> u32 {
        match self {
            PageSize::Base => 12,
            PageSize::Large => 21,
            PageSize::Giant => 30,
        }
    }

    const fn offset(self, address: u64) -> u64 {
        address & ((1 << self.bits()) - 1)
    }
}

/// Where an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The physical address.
    pub physical: u64,
    /// How much the translation covers: of two, the smaller.
    pub size: PageSize,
    /// Whether it survives a change of CR3.
    pub global: bool,
}

/// The end of a walk, and how many page-table entries were loaded on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walked {
    /// Loads.
    pub steps: u64,
    /// Nothing if an entry was not present, or lay outside memory.
    pub walk: Option<Walk>,
}

const PRESENT: u64 = 1;
const IS_PAGE: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
const FRAME: u64 = 0x000f_ffff_ffff_f000;

/// The translation of `address` by the tables below `root` (CR3 or nCR3).
pub fn native(memory: &GuestMemoryMmap, root: u64, address: u64) -> Walked {
    let mut steps = 0;
    let walk = walk(memory, root, address, &mut steps, &mut |table, _| {
        Some(table)
    });
    Walked { steps, walk }
}

/// The translation of `address` of a guest by its tables below `root`, every one of
/// which, and the page at the end, is found by the machine's tables below `nested`.
pub fn nested(memory: &GuestMemoryMmap, nested: u64, root: u64, address: u64) -> Walked {
    let mut steps = 0;
    let place = |physical: u64, steps: &mut u64| {
        let walked = native(memory, nested, physical);
        *steps += walked.steps;
        walked.walk
    };
    let guest = walk(memory, root, address, &mut steps, &mut |table, steps| {
        place(table, steps).map(|walk| walk.physical)
    });
    let walk = guest.and_then(|guest| {
        let host = place(guest.physical, &mut steps)?;
        Some(Walk {
            physical: host.physical,
            size: guest.size.min(host.size),
            global: guest.global,
        })
    });
    Walked { steps, walk }
}

/// Walks; `find` says where an entry of a table really lies, and counts its own loads.
fn walk(
    memory: &GuestMemoryMmap,
    root: u64,
    address: u64,
    steps: &mut u64,
    find: &mut impl FnMut(u64, &mut u64) -> Option<u64>,
) -> Option<Walk> {
    let mut table = root & FRAME;
    for (shift, size) in [
        (39, None),
        (30, Some(PageSize::Giant)),
        (21, Some(PageSize::Large)),
        (12, Some(PageSize::Base)),
    ] {
        let at = find(table + (address >> shift & 0x1ff) * 8, steps)?;
        let entry: u64 = memory.read_obj(GuestAddress(at)).ok()?;
        *steps += 1;
        if entry & PRESENT == 0 {
            return None;
        }
        let last = size.filter(|s| *s == PageSize::Base || entry & IS_PAGE != 0);
        if let Some(size) = last {
            return Some(Walk {
                // A large page's entry has a flag in the bits below its frame.
                physical: (entry & FRAME) & !((1 << size.bits()) - 1) | size.offset(address),
                size,
                global: entry & GLOBAL != 0,
            });
        }
        table = entry & FRAME;
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Memory with page tables in it, whose frames are taken from the front.
    pub(crate) struct Tables {
        pub(crate) memory: GuestMemoryMmap,
        free: u64,
    }

    impl Tables {
        pub(crate) fn new() -> Self {
            let ranges = [(GuestAddress(0), 16 << 20)];
            Tables {
                memory: GuestMemoryMmap::from_ranges(&ranges).unwrap(),
                free: 0x1000,
            }
        }

        /// A page for a table, empty.
        pub(crate) fn frame(&mut self) -> u64 {
            self.free += 0x1000;
            self.free - 0x1000
        }

        /// Maps the page of `address` to `frame` below `root`; `flags` go into the
        /// last entry, and `place` says where a table lies in `memory`.
        pub(crate) fn map(
            &mut self,
            root: u64,
            address: u64,
            frame: u64,
            size: PageSize,
            flags: u64,
        ) {
            let mut table = root;
            for shift in [39, 30, 21, 12] {
                let at = GuestAddress(table + (address >> shift & 0x1ff) * 8);
                if shift == size.bits() {
                    let page = match size {
                        PageSize::Base => 0,
                        _ => IS_PAGE,
                    };
                    let entry = frame | PRESENT | page | flags;
                    return self.memory.write_obj(entry, at).unwrap();
                }
                let entry: u64 = self.memory.read_obj(at).unwrap();
                table = match entry & PRESENT {
                    0 => {
                        let below = self.frame();
                        self.memory.write_obj(below | PRESENT, at).unwrap();
                        below
                    }
                    _ => entry & FRAME,
                };
            }
        }
    }

    /// The highest half, so that sign extension is in play.
    const KERNEL: u64 = 0xffff_8880_0000_0000;

    #[test]
    fn steps_and_size_are_those_of_the_tables() {
        let mut tables = Tables::new();
        let root = tables.frame();
        let mut check = |address: u64, frame: u64, size: PageSize, steps: u64| {
            tables.map(root, address, frame, size, GLOBAL);
            let walked = native(&tables.memory, root, address + 0xabc);
            let walk = walked.walk.unwrap();
            assert_eq!((walked.steps, walk.size), (steps, size));
            assert_eq!(walk.physical, frame + 0xabc);
            assert!(walk.global);
        };
        check(0x7000_1000, 0x5000, PageSize::Base, 4);
        check(0x4000_0000_0000, 0x20_0000, PageSize::Large, 3);
        check(KERNEL, 0x4000_0000, PageSize::Giant, 2);
        let lost = native(&tables.memory, root, 0x7000_2000);
        assert_eq!((lost.steps, lost.walk), (4, None));
        let outside = native(&tables.memory, 1 << 40, 0);
        assert_eq!((outside.steps, outside.walk), (0, None));
    }

    #[test]
    fn a_guest_is_walked_in_two_dimensions() {
        // The guest's memory begins at 8 MiB; its tables lie at its own 0x1000 on.
        const BASE: u64 = 8 << 20;
        let check = |guest: PageSize, host: PageSize, steps: u64| {
            let mut inner = Tables::new();
            let root = inner.frame();
            inner.map(
                root,
                0x1234_5000 & !((1 << guest.bits()) - 1),
                0x20_0000,
                guest,
                0,
            );
            let mut tables = Tables::new();
            let nested_root = tables.frame();
            match host {
                PageSize::Base => {
                    for page in (0..4 << 20).step_by(4096) {
                        tables.map(nested_root, page, BASE + page, host, 0);
                    }
                }
                _ => {
                    for page in (0..4 << 20).step_by(2 << 20) {
                        tables.map(nested_root, page, BASE + page, host, 0);
                    }
                }
            }
            let mut content = vec![0; 2 << 20];
            inner
                .memory
                .read_slice(&mut content, GuestAddress(0))
                .unwrap();
            tables
                .memory
                .write_slice(&content, GuestAddress(BASE))
                .unwrap();
            let walked = nested(&tables.memory, nested_root, root, 0x1234_5678);
            let walk = walked.walk.unwrap();
            assert_eq!((walked.steps, walk.size), (steps, guest.min(host)));
            assert_eq!(walk.physical, BASE + 0x20_0000 + guest.offset(0x1234_5678));
        };
        // n tables of the guest, each behind h of the host, then the page itself:
        // n (h + 1) + h loads.
        check(PageSize::Base, PageSize::Base, 24);
        check(PageSize::Large, PageSize::Base, 19);
        check(PageSize::Base, PageSize::Large, 19);
        check(PageSize::Large, PageSize::Large, 15);
    }
}
