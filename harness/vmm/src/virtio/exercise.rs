// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A driver made of bytes: what a fuzzer, or a test with a generator, drives the
//! device model with.

use super::{Block, MmioDevice, Net, RamDisk, Transport, VirtioDevice};
use crate::{Error, Memory, memory};
use std::sync::Arc;
use vm_memory::{Bytes, GuestAddress};

/// Guest memory of the exercise: small, so that addresses hit it often.
const MEMORY: usize = 0x1_0000;
/// The disk's size.
const DISK: usize = 0x8000;
/// Steps at most, so that every input ends soon.
const STEPS: usize = 512;

/// Where the descriptor table of a driver that behaves is, and its rings; those of a
/// second queue are [`SECOND`] further on.
pub(super) const TABLE: u64 = 0x1000;
pub(super) const AVAILABLE: u64 = 0x2000;
const USED: u64 = 0x3000;
pub(super) const SECOND: u64 = 0x8000;

/// Drives a device as `input` says: the first byte chooses which, and each step is a
/// byte that chooses and the bytes it needs. Returns how many requests the device
/// completed.
///
/// # Panics
/// If the device does what no driver may make it do: complete more requests than it
/// was notified for, move bytes without a request, or be broken without saying so.
pub fn exercise(input: &[u8]) -> u64 {
    let mut bytes = Input(input);
    match bytes.byte().unwrap_or(0) % 2 {
        0 => {
            let block = Block::new(Box::new(RamDisk::new(vec![7; DISK])));
            drive(block, bytes, |block: &Block| {
                assert_eq!(block.disk().len(), DISK as u64);
                (block.requests(), block.moved())
            })
        }
        _ => drive(Net::default(), bytes, |net: &Net| {
            (net.frames(), net.moved())
        }),
    }
}

/// Drives one device, of which `count` says how many requests it completed and how many
/// bytes they moved.
fn drive<W: VirtioDevice>(work: W, mut bytes: Input<'_>, count: impl Fn(&W) -> (u64, u64)) -> u64 {
    let Ok(memory) = memory(MEMORY) else {
        return 0;
    };
    let Ok(mut device) = Transport::new(work, memory.clone()) else {
        return 0;
    };
    for _ in 0..STEPS {
        let Some(step) = bytes.byte() else {
            break;
        };
        // Which queue a step is about.
        let queue = u64::from(step >> 7);
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
                let at = TABLE + queue * SECOND + u64::from(bytes.byte().unwrap_or(0) % 8) * 16;
                let address = u64::from(bytes.word()) % (MEMORY as u64 + 64);
                let rest = [bytes.word() % 0x2000, bytes.word()];
                let _ = memory.write_obj(address, GuestAddress(at));
                let _ = memory.write_obj(rest[0], GuestAddress(at + 8));
                let _ = memory.write_obj(rest[1] & 0x0007_0007, GuestAddress(at + 12));
            }
            6 => {
                let head = u16::from(bytes.byte().unwrap_or(0));
                let index = u16::from(bytes.byte().unwrap_or(0));
                let available = AVAILABLE + queue * SECOND;
                let ring = GuestAddress(available + 4 + u64::from(index % 8) * 2);
                let _ = memory.write_obj(head, ring);
                let _ = memory.write_obj(index, GuestAddress(available + 2));
                device.write(0x050, &(queue as u32).to_le_bytes());
            }
            _ => {
                let sector = u64::from(bytes.byte().unwrap_or(0));
                let at = u64::from(bytes.word()) % MEMORY as u64;
                let kind = u32::from(bytes.byte().unwrap_or(0) % 12);
                let _ = memory.write_obj(kind, GuestAddress(at));
                let _ = memory.write_obj(sector, GuestAddress(at + 8));
            }
        }
        check(&mut device, &count);
    }
    count(device.device()).0
}

/// What must hold after every step.
fn check<W: VirtioDevice>(device: &mut Transport<W>, count: impl Fn(&W) -> (u64, u64)) {
    let mut status = [0; 4];
    device.read(0x070, &mut status);
    let needs_reset = u32::from_le_bytes(status) & 64 != 0;
    if device.broken().is_some() {
        assert!(needs_reset, "it stopped without asking for a reset");
    }
    let (requests, moved) = count(device.device());
    assert!(
        requests <= device.notified() * 256,
        "more than it was asked for"
    );
    assert!(requests > 0 || moved == 0, "bytes without a request");
}

/// As a driver that behaves would.
pub(super) fn bring_up<W: VirtioDevice>(device: &mut Transport<W>) {
    let mut write = |offset, value: u32| device.write(offset, &value.to_le_bytes());
    for (offset, value) in [(0x070, 0), (0x070, 3), (0x024, 1), (0x020, 1), (0x070, 11)] {
        write(offset, value);
    }
    // A device with one queue takes no notice of the second.
    for queue in 0..2u32 {
        let base = queue * SECOND as u32;
        for (offset, value) in [
            (0x030, queue),
            (0x038, 8),
            (0x080, TABLE as u32 + base),
            (0x084, 0),
            (0x090, AVAILABLE as u32 + base),
            (0x094, 0),
            (0x0a0, USED as u32 + base),
            (0x0a4, 0),
            (0x044, 1),
        ] {
            write(offset, value);
        }
    }
    write(0x030, 0);
    write(0x070, 15);
}

/// Guest memory of `len` bytes from address 0 on, without a guest.
pub(super) fn memory(len: usize) -> Result<Memory, Error> {
    let ram = strategies::shared(len as u64).map_err(Error::Memory)?;
    memory::view([(0, Arc::new(ram))])
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
