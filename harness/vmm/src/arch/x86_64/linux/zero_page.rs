// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `struct boot_params`: what a boot loader tells the kernel
//! (Documentation/arch/x86/zero-page.rst).

use super::layout::{CMDLINE, HIGH, LOW_END, MP_TABLE};
use linux_loader::loader::bootparam::{boot_e820_entry, boot_params, setup_header};
use std::ops::Range;

/// Memory that the kernel may use.
const RAM: u32 = 1;
/// Memory that it may not.
const RESERVED: u32 = 2;
/// A boot loader without a number of its own.
const UNKNOWN_LOADER: u8 = 0xff;

/// What is known only once kernel and initrd have their places.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// Bytes of memory.
    pub(super) memory: u64,
    /// Where the initrd lies.
    pub(super) initrd: Range<u64>,
    /// Bytes of the command line.
    pub(super) cmdline: u32,
}

/// The parameters; `header` is what a bzImage says of itself, an ELF says nothing.
pub(super) fn build(header: Option<setup_header>, places: &Places) -> boot_params {
    let mut hdr = header.unwrap_or(setup_header {
        boot_flag: 0xaa55,
        header: u32::from_le_bytes(*b"HdrS"),
        kernel_alignment: 0x20_0000,
        ..Default::default()
    });
    hdr.type_of_loader = UNKNOWN_LOADER;
    hdr.cmd_line_ptr = CMDLINE as u32;
    hdr.cmdline_size = places.cmdline;
    hdr.ramdisk_image = places.initrd.start as u32;
    hdr.ramdisk_size = (places.initrd.end - places.initrd.start) as u32;
    let mut params = boot_params {
        hdr,
        ..Default::default()
    };
    let map = e820(places.memory);
    params.e820_table[..map.len()].copy_from_slice(&map);
    params.e820_entries = map.len() as u8;
    params
}

/// The map of memory: a gap for what a PC has between 640 KiB and 1 MiB.
fn e820(memory: u64) -> [boot_e820_entry; 3] {
    [
        (0..MP_TABLE, RAM),
        (MP_TABLE..LOW_END, RESERVED),
        (HIGH..memory, RAM),
    ]
    .map(|(range, kind)| boot_e820_entry {
        addr: range.start,
        size: range.end - range.start,
        r#type: kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: Places = Places {
        memory: 128 << 20,
        initrd: 0x7ff_0000..0x7ff_1234,
        cmdline: 77,
    };

    #[test]
    fn the_map_is_in_order_and_ends_with_the_memory() {
        for mib in [64_u64, 128, 3072] {
            let map = e820(mib << 20);
            let mut end = 0;
            for entry in map {
                let (addr, size) = (entry.addr, entry.size);
                assert!(addr >= end && size > 0);
                end = addr + size;
            }
            assert_eq!(end, mib << 20);
        }
    }

    #[test]
    fn an_elf_gets_a_header_and_a_bzimage_keeps_its_own() {
        let params = build(None, &PLACES);
        let hdr = params.hdr;
        assert_eq!({ hdr.header }, 0x5372_6448);
        assert_eq!({ hdr.ramdisk_size }, 0x1234);
        assert_eq!({ hdr.cmd_line_ptr }, CMDLINE as u32);
        assert_eq!(params.e820_entries, 3);
        let own = setup_header {
            version: 0x20f,
            setup_sects: 27,
            ..Default::default()
        };
        let hdr = build(Some(own), &PLACES).hdr;
        assert_eq!(({ hdr.version }, hdr.setup_sects), (0x20f, 27));
        assert_eq!(hdr.type_of_loader, UNKNOWN_LOADER);
    }
}
