// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A driver that behaves, and drivers that do not: the device must serve the one
//! and survive the others.

mod net;

use super::{
    Block, MmioDevice, RamDisk, Transport, exercise,
    exercise::{AVAILABLE, TABLE, bring_up, memory},
};
use crate::Memory;
use vm_memory::{Bytes, GuestAddress};

const MEMORY: usize = 1 << 20;
const HEADER: u64 = 0x4000;
const STATUS: u64 = 0x5000;
const DATA: u64 = 0x1_0000;

const NEXT: u16 = 1;
const WRITE: u16 = 2;
const INDIRECT: u16 = 4;

/// A device that is up, and its memory.
struct Driven {
    device: Transport<Block>,
    memory: Memory,
}

impl Driven {
    fn new() -> Self {
        let memory = memory(MEMORY).unwrap();
        let disk = (0..1 << 16).map(|i| i as u8).collect();
        let block = Block::new(Box::new(RamDisk::new(disk)));
        let mut device = Transport::new(block, memory.clone()).unwrap();
        bring_up(&mut device);
        Driven { device, memory }
    }

    fn register(&mut self, offset: u64) -> u32 {
        let mut word = [0; 4];
        self.device.read(offset, &mut word);
        u32::from_le_bytes(word)
    }

    fn descriptor(&self, index: u64, address: u64, len: u32, flags: u16, next: u16) {
        let at = TABLE + index * 16;
        self.put(at, address);
        self.put(
            at + 8,
            u64::from(len) | u64::from(flags) << 32 | u64::from(next) << 48,
        );
    }

    fn put(&self, at: u64, word: u64) {
        self.memory.write_obj(word, GuestAddress(at)).unwrap();
    }

    /// A read of `len` bytes from `sector` by descriptors 0, 1 and 2.
    fn ask(&self, kind: u32, sector: u64, len: u32) {
        self.put(HEADER, kind.into());
        self.put(HEADER + 8, sector);
        self.descriptor(0, HEADER, 16, NEXT, 1);
        self.descriptor(1, DATA, len, NEXT | WRITE, 2);
        self.descriptor(2, STATUS, 1, WRITE, 0);
        self.put(STATUS, 0xff);
    }

    /// Makes descriptor `head` available and notifies.
    fn submit(&mut self, head: u16) {
        self.memory
            .write_obj(head, GuestAddress(AVAILABLE + 4))
            .unwrap();
        self.memory
            .write_obj(1u16, GuestAddress(AVAILABLE + 2))
            .unwrap();
        self.device.write(0x050, &0u32.to_le_bytes());
    }

    fn status(&self) -> u8 {
        self.memory.read_obj(GuestAddress(STATUS)).unwrap()
    }
}

#[test]
fn a_read_arrives() {
    let mut driven = Driven::new();
    driven.ask(0, 2, 512);
    driven.submit(0);
    assert_eq!((driven.status(), driven.device.broken()), (0, None));
    let mut data = [0; 512];
    driven
        .memory
        .read_slice(&mut data, GuestAddress(DATA))
        .unwrap();
    let expected: Vec<u8> = (1024..1536).map(|i| i as u8).collect();
    assert_eq!(data[..], expected);
    assert_eq!(driven.device.device().requests(), 1);
    assert_eq!(driven.register(0x060), 1);
}

#[test]
fn requests_that_cannot_be_served_end_with_an_error() {
    let check = |kind, sector, len, expected| {
        let mut driven = Driven::new();
        driven.ask(kind, sector, len);
        driven.submit(0);
        let seen = (driven.status(), driven.device.broken());
        assert_eq!(seen, (expected, None), "{kind} {sector} {len}");
        assert_eq!(driven.device.device().requests(), 0);
    };
    check(0, 128, 512, 1); // behind the end
    check(0, 127, 1024, 1); // across it
    check(0, u64::MAX, 512, 1); // overflows
    check(0, 0, 100, 1); // not whole sectors
    check(0, 0, 0, 1); // nothing
    check(77, 0, 512, 2); // unknown
    check(4, 0, 512, 0); // flush carries no data, and takes no harm from some
}

/// A driver that breaks the rules stops the device; a reset brings it back.
#[test]
fn a_driver_that_breaks_the_rules_stops_the_device() {
    let check = |name: &str, ruin: fn(&mut Driven), expected: &str| {
        let mut driven = Driven::new();
        driven.ask(0, 0, 512);
        ruin(&mut driven);
        driven.submit(0);
        let why = driven.device.broken().expect(name).to_string();
        assert!(why.contains(expected), "{name}: {why}");
        assert_eq!(driven.register(0x070) & 64, 64, "{name}");
        driven.submit(0);
        driven.device.write(0x070, &0u32.to_le_bytes());
        assert_eq!((driven.register(0x070), driven.device.broken()), (0, None));
    };
    check(
        "a loop",
        |b| b.descriptor(2, STATUS, 1, WRITE | NEXT, 1),
        "does not end",
    );
    check(
        "itself",
        |b| b.descriptor(0, HEADER, 16, NEXT, 0),
        "does not end",
    );
    check(
        "beyond the table",
        |b| b.descriptor(2, STATUS, 1, WRITE | NEXT, 99),
        "does not end",
    );
    check(
        "beyond memory",
        |b| b.descriptor(1, 1 << 40, 512, NEXT | WRITE, 2),
        "a buffer of",
    );
    check(
        "across the end",
        |b| b.descriptor(1, (1 << 20) - 8, 512, NEXT | WRITE, 2),
        "a buffer of",
    );
    check(
        "an overflow",
        |b| b.descriptor(1, u64::MAX - 4, 512, NEXT | WRITE, 2),
        "a buffer of",
    );
    check(
        "huge",
        |b| b.descriptor(1, DATA, u32::MAX, NEXT | WRITE, 2),
        "does not end",
    );
    check(
        "no header",
        |b| b.descriptor(0, HEADER, 8, NEXT, 1),
        "shorter than its header",
    );
    check(
        "no status",
        |b| b.descriptor(0, HEADER, 16, 0, 0),
        "room for its status",
    );
    check(
        "out of order",
        |b| b.descriptor(2, STATUS, 1, 0, 0),
        "after a writable one",
    );
    check(
        "an index that jumps",
        |b| {
            b.memory
                .write_obj(999u16, GuestAddress(AVAILABLE + 2))
                .unwrap();
            b.device.write(0x050, &0u32.to_le_bytes());
        },
        "",
    );
    check(
        "indirect to nowhere",
        |b| b.descriptor(0, 1 << 40, 32, INDIRECT, 0),
        "",
    );
}

#[test]
fn registers_take_what_they_must_and_nothing_else() {
    let mut driven = Driven::new();
    // A queue that is ready does not move; other queues do not exist.
    driven.device.write(0x038, &1024u32.to_le_bytes());
    driven.device.write(0x030, &7u32.to_le_bytes());
    assert_eq!((driven.register(0x034), driven.register(0x044)), (0, 0));
    driven.device.write(0x030, &0u32.to_le_bytes());
    assert_eq!(driven.register(0x044), 1);
    // Registers are 32 bits wide; the configuration is bytes, and ends.
    let mut byte = [9];
    driven.device.read(0, &mut byte);
    assert_eq!(byte, [0]);
    let mut capacity = [0; 8];
    driven.device.read(0x100, &mut capacity);
    assert_eq!(u64::from_le_bytes(capacity), 128);
    driven.device.read(u64::MAX, &mut capacity);
    assert_eq!(capacity, [0; 8]);
    driven.device.write(0x050, &[1, 2, 3]);
    // A feature that was not offered is not agreed to.
    driven.device.write(0x070, &0u32.to_le_bytes());
    driven.device.write(0x024, &0u32.to_le_bytes());
    driven.device.write(0x020, &1u32.to_le_bytes());
    driven.device.write(0x070, &11u32.to_le_bytes());
    assert_eq!(driven.register(0x070), 3);
}

/// Drivers made of random bytes, the same ones every time; most begin by bringing the
/// device up and building a request, or nothing would ever be served.
#[test]
fn drivers_made_of_bytes_do_no_harm() {
    let mut served = [0; 2];
    for seed in 0..20_000u64 {
        let mut input: Vec<u8> = (0..64)
            .flat_map(|i| abi::value(seed, i).to_le_bytes())
            .collect();
        let device = seed as usize % 2;
        let begin = match (seed % 4, device) {
            (0 | 1, _) => Vec::new(),
            (_, 0) => request(seed),
            _ => frame(seed),
        };
        input.splice(0..0, [device as u8].into_iter().chain(begin));
        served[device] += exercise(&input);
    }
    assert!(
        served.iter().all(|n| *n > 1000),
        "only {served:?} requests were served: the test tests nothing"
    );
}

/// What a fuzzer kept because it reached something new, and what it ever found.
#[test]
fn a_fuzzers_inputs_do_no_harm() {
    let mut replayed = 0;
    for dir in ["fuzz/corpus/device", "fuzz/findings"] {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
        for entry in std::fs::read_dir(dir).unwrap() {
            exercise(&std::fs::read(entry.unwrap().path()).unwrap());
            replayed += 1;
        }
    }
    assert!(replayed >= 50, "only {replayed} inputs");
}

/// The steps of a driver that reads or writes one sector.
fn request(seed: u64) -> Vec<u8> {
    let mut steps = vec![3u8];
    steps.extend([7, (seed / 2 % 64) as u8]);
    steps.extend(0x4000u32.to_le_bytes());
    steps.push((seed / 2 % 2) as u8);
    let write = if (seed / 2).is_multiple_of(2) { 2 } else { 0 };
    steps.extend(chain(
        0,
        &[(0x4000, 16, 0), (0x6000, 512, write), (0x5000, 1, 2)],
    ));
    steps.extend([6, 0, 1]);
    steps
}

/// The steps of a driver that receives the frame that it sends.
fn frame(seed: u64) -> Vec<u8> {
    let len = 64 + (seed % 1400) as u32;
    let mut steps = vec![3u8];
    steps.extend(chain(0, &[(0x4000, 12, 2), (0x6000, len, 2)]));
    steps.extend([6, 0, 1]);
    steps.extend(chain(0x80, &[(0x5000, 12, 0), (0x7000, len, 0)]));
    steps.extend([0x86, 0, 1]);
    steps
}

/// The steps that make a chain of these addresses, lengths and flags, from descriptor 0
/// of a queue on.
fn chain(queue: u8, parts: &[(u32, u32, u32)]) -> Vec<u8> {
    let mut steps = Vec::new();
    for (i, (address, len, flags)) in (0..).zip(parts) {
        let next = if i + 1 < parts.len() {
            1 | (i as u32 + 1) << 16
        } else {
            0
        };
        steps.extend([queue | 5, i as u8]);
        for word in [*address, *len, flags | next] {
            steps.extend(word.to_le_bytes());
        }
    }
    steps
}
