// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The tables by which a machine without ACPI tells its processors, its IOAPIC and
//! the routes of its interrupts (Intel MultiProcessor Specification 1.4, chapter 4).

use abi::layout::{IOAPIC, LAPIC};

/// Interrupts of a PC that come from its ISA bus.
const ISA_INTERRUPTS: u8 = 16;
const PROCESSOR: u8 = 0;
const BUS: u8 = 1;
const IO_APIC: u8 = 2;
const IO_INTERRUPT: u8 = 3;
const LOCAL_INTERRUPT: u8 = 4;
/// What delivers an interrupt: its vector, the NMI, the 8259.
const INT: u8 = 0;
const NMI: u8 = 1;
const EXTINT: u8 = 3;
const ISA: u8 = 0;
/// Of the local and the I/O APIC that KVM emulates.
const APIC_VERSION: u8 = 0x14;

/// The tables for `cpus` processors, to lie at guest-physical `address`.
pub(super) fn build(cpus: u8, address: u32) -> Vec<u8> {
    let mut table = floating_pointer(address + 16);
    table.extend(configuration(cpus));
    table
}

fn floating_pointer(table: u32) -> Vec<u8> {
    let mut bytes = b"_MP_".to_vec();
    bytes.extend(table.to_le_bytes());
    // One paragraph, revision 1.4, a place for the sum, no default configuration.
    bytes.extend([1, 4, 0, 0, 0, 0, 0, 0]);
    bytes[10] = checksum(&bytes);
    bytes
}

fn configuration(cpus: u8) -> Vec<u8> {
    // Identifiers of local APICs are those of the processors.
    let io_apic = cpus;
    let mut entries: Vec<Vec<u8>> = Vec::new();
    for cpu in 0..cpus {
        // Usable, and the first one boots.
        let flags = 1 | u8::from(cpu == 0) << 1;
        let mut entry = vec![PROCESSOR, cpu, APIC_VERSION, flags];
        // Family 6, an FPU and an APIC: a kernel believes CPUID instead.
        entry.extend(0x600_u32.to_le_bytes());
        entry.extend(0x201_u32.to_le_bytes());
        entry.extend([0; 8]);
        entries.push(entry);
    }
    entries.push([&[BUS, ISA][..], b"ISA   "].concat());
    let mut entry = vec![IO_APIC, io_apic, APIC_VERSION, 1];
    entry.extend((IOAPIC as u32).to_le_bytes());
    entries.push(entry);
    for interrupt in 0..ISA_INTERRUPTS {
        // KVM's timer comes in at input 2, and nothing else does.
        let input = match interrupt {
            0 => 2,
            2 => continue,
            other => other,
        };
        entries.push(vec![
            IO_INTERRUPT,
            INT,
            0,
            0,
            ISA,
            interrupt,
            io_apic,
            input,
        ]);
    }
    for (kind, input) in [(EXTINT, 0), (NMI, 1)] {
        entries.push(vec![LOCAL_INTERRUPT, kind, 0, 0, ISA, 0, 0xff, input]);
    }

    let len: usize = 44 + entries.iter().map(Vec::len).sum::<usize>();
    let mut bytes = b"PCMP".to_vec();
    bytes.extend((len as u16).to_le_bytes());
    bytes.extend([4, 0]); // revision 1.4, a place for the sum
    bytes.extend(*b"UNMAPBCH");
    bytes.extend(*b"BENCH       ");
    bytes.extend([0; 6]); // no table of an OEM
    bytes.extend((entries.len() as u16).to_le_bytes());
    bytes.extend((LAPIC as u32).to_le_bytes());
    bytes.extend([0; 4]); // no extended table
    bytes.extend(entries.concat());
    bytes[7] = checksum(&bytes);
    bytes
}

/// The byte that makes the sum of all 0.
fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0_u8, |sum, b| sum.wrapping_sub(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(bytes: &[u8]) -> u8 {
        bytes.iter().fold(0, |sum, b| sum.wrapping_add(*b))
    }

    #[test]
    fn sums_lengths_and_counts_are_right() {
        for cpus in [1, 2, 8] {
            let all = build(cpus, 0x9_fc00);
            let (pointer, table) = all.split_at(16);
            assert_eq!(&pointer[4..8], 0x9_fc10_u32.to_le_bytes());
            assert_eq!((sum(pointer), sum(table)), (0, 0));
            assert_eq!(
                usize::from(table[4]) | usize::from(table[5]) << 8,
                table.len()
            );
            assert!(all.len() <= 1024, "{} bytes", all.len());
            // Walk over the entries by their lengths.
            let (mut at, mut found, mut processors) = (44, 0, 0);
            while at < table.len() {
                processors += u8::from(table[at] == PROCESSOR);
                at += if table[at] == PROCESSOR { 20 } else { 8 };
                found += 1;
            }
            assert_eq!((at, processors), (table.len(), cpus));
            assert_eq!(found, table[34], "{cpus} CPUs");
        }
    }
}
