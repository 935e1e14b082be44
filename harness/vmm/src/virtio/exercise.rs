// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A driver made of bytes: what a fuzzer, or a test with a generator, drives the
//! device model with.

use super::{Block, RamDisk, Registers, Transport};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

/// Guest memory of the exercise: small, so that addresses hit it often.
const MEMORY: usize = 0x1_0000;
/// The disk's size.
const DISK: usize = 0x8000;
/// Steps at most, so that every input ends soon.
const STEPS: usize = 512;

/// Where the descriptor table of a driver that behaves is, and its rings.
pub(super) const TABLE: u64 = 0x1000;
pub(super) const AVAILABLE: u64 = 0x2000;
const USED: u64 = 0x3000;

/// Drives a block device as `input` says: each step is a byte that chooses, and the
/// bytes it needs. Returns how many requests the device completed.
///
/// # Panics
/// If the device does what no driver may make it do: complete more requests than it
/// was notified for, move bytes without a request, or be broken without saying so.
pub fn exercise(input: &[u8]) -> u64 {
    let memory = GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), MEMORY)]);
    let Ok(memory) = memory else {
        return 0;
    };
    let block = Block::new(Box::new(RamDisk::new(vec![7; DISK])));
    let Ok(mut device) = Transport::new(block, memory.clone()) else {
        return 0;
    };
    let mut bytes = Input(input);
    for _ in 0..STEPS {
        let Some(step) = bytes.byte() else {
            break;
        };
        match step % 8 {
            0 => device.write(bytes.offset(), &bytes.word().to_le_bytes()),
            1 => device.read(bytes.offset(), &mut [0; 4]),
            2 => device.read(bytes.word().into(), &mut [0; 8]),
            3 => bring_up(&mut device),
            4 => {
                let at = u64::from(bytes.word()) % MEMORY as u64;
                let _ = memory.write_slice(&bytes.word().to_le_bytes(), GuestAddress(at));
            }
            5 => {
                // A whole descriptor, in the table's first entries.
                let at = TABLE + u64::from(bytes.byte().unwrap_or(0) % 8) * 16;
                let address = u64::from(bytes.word()) % (MEMORY as u64 + 64);
                let rest = [bytes.word() % 0x2000, bytes.word()];
                let _ = memory.write_obj(address, GuestAddress(at));
                let _ = memory.write_obj(rest[0], GuestAddress(at + 8));
                let _ = memory.write_obj(rest[1] & 0x0007_0007, GuestAddress(at + 12));
            }
            6 => {
                let head = u16::from(bytes.byte().unwrap_or(0));
                let index = u16::from(bytes.byte().unwrap_or(0));
                let ring = GuestAddress(AVAILABLE + 4 + u64::from(index % 8) * 2);
                let _ = memory.write_obj(head, ring);
                let _ = memory.write_obj(index, GuestAddress(AVAILABLE + 2));
                device.write(0x050, &0u32.to_le_bytes());
            }
            _ => {
                let sector = u64::from(bytes.byte().unwrap_or(0));
                let at = u64::from(bytes.word()) % MEMORY as u64;
                let kind = u32::from(bytes.byte().unwrap_or(0) % 12);
                let _ = memory.write_obj(kind, GuestAddress(at));
                let _ = memory.write_obj(sector, GuestAddress(at + 8));
            }
        }
        check(&mut device);
    }
    device.work().requests()
}

/// What must hold after every step.
fn check(device: &mut Transport<Block>) {
    let mut status = [0; 4];
    device.read(0x070, &mut status);
    let needs_reset = u32::from_le_bytes(status) & 64 != 0;
    if device.broken().is_some() {
        assert!(needs_reset, "it stopped without asking for a reset");
    }
    let block = device.work();
    assert!(
        block.requests() <= device.notified() * 256,
        "more than it was asked for"
    );
    assert!(
        block.requests() > 0 || block.moved() == 0,
        "bytes without a request"
    );
    assert_eq!(block.disk().len(), DISK as u64);
}

/// As a driver that behaves would.
pub(super) fn bring_up(device: &mut Transport<Block>) {
    for (offset, value) in [
        (0x070, 0),
        (0x070, 3),
        (0x024, 1),
        (0x020, 1),
        (0x070, 11),
        (0x030, 0),
        (0x038, 8),
        (0x080, TABLE as u32),
        (0x084, 0),
        (0x090, AVAILABLE as u32),
        (0x094, 0),
        (0x0a0, USED as u32),
        (0x0a4, 0),
        (0x044, 1),
        (0x070, 15),
    ] {
        device.write(offset, &u32::to_le_bytes(value));
    }
}

/// What is left of the input; zeroes when nothing is.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|_| self.byte().unwrap_or(0)))
    }

    /// An offset of a register or of the configuration.
    fn offset(&mut self) -> u64 {
        u64::from(self.byte().unwrap_or(0)) * 2
    }
}
