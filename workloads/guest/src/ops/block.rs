// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A driver of virtio-blk over MMIO (virtio 1.2, 4.2 and 5.2) that polls: one
//! split virtqueue, each request a header, a data buffer and a status.

// UNSAFETY: see the parent module.
#![expect(unsafe_code)]

use super::Answer;
use crate::{asm, memory::Words, samples::Samples};
use abi::{Args, layout, pattern};

/// Descriptors of the queue: three for each of 32 requests, and a power of two.
const QUEUE: u64 = 128;

/// The most requests at once.
pub(super) const DEPTH_MAX: u64 = 32;

// Where the queue and its requests lie.
const DESCRIPTORS: u64 = layout::ARENA;
const AVAILABLE: u64 = layout::ARENA + 0x1000;
const USED: u64 = layout::ARENA + 0x2000;
const HEADERS: u64 = layout::ARENA + 0x3000;
const STATUSES: u64 = layout::ARENA + 0x4000;

const SECTOR: u64 = 512;

/// The register of the device's status, and what it is while requests are served:
/// ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK (virtio 1.2, 2.1).
const STATUS: u64 = 0x070;
const RUNNING: u64 = 1 | 2 | 8 | 4;
const NEXT: u64 = 1;
const WRITE: u64 = 2;

/// The device's registers, 32 bits each.
struct Registers(u64);

impl Registers {
    /// # Safety
    /// The registers are mapped at the address in `self`.
    unsafe fn get(&self, offset: u64) -> u64 {
        // SAFETY: by the contract above.
        unsafe { asm::load(self.0 + offset, 4) }
    }

    /// # Safety
    /// As [`Registers::get`].
    unsafe fn set(&self, offset: u64, value: u64) {
        // SAFETY: by the contract above.
        unsafe { asm::store(self.0 + offset, value, 4) }
    }

    /// Brings the device up as 3.1.1 says; the number of the step that failed.
    ///
    /// # Safety
    /// As [`Registers::get`].
    unsafe fn bring_up(&self) -> Result<(), u64> {
        let step = |n: u64, ok: bool| if ok { Ok(()) } else { Err(n) };
        // SAFETY: by the contract above.
        unsafe {
            let magic = u64::from(u32::from_le_bytes(*b"virt"));
            step(1, self.get(0x000) == magic && self.get(0x004) == 2)?;
            step(2, self.get(0x008) == 2)?;
            self.set(STATUS, 0);
            step(3, self.get(STATUS) == 0)?;
            self.set(STATUS, 1);
            self.set(STATUS, 1 | 2);
            // VIRTIO_F_VERSION_1 and nothing else.
            self.set(0x014, 1);
            step(4, self.get(0x010) & 1 == 1)?;
            self.set(0x024, 0);
            self.set(0x020, 0);
            self.set(0x024, 1);
            self.set(0x020, 1);
            self.set(STATUS, 1 | 2 | 8);
            step(5, self.get(STATUS) & 8 != 0)?;
            self.set(0x030, 0);
            step(6, self.get(0x034) >= QUEUE && self.get(0x044) == 0)?;
            self.set(0x038, QUEUE);
            for (register, address) in [(0x080, DESCRIPTORS), (0x090, AVAILABLE), (0x0a0, USED)] {
                self.set(register, address & 0xffff_ffff);
                self.set(register + 4, address >> 32);
            }
            self.set(0x044, 1);
            step(7, self.get(0x044) == 1)?;
            self.set(STATUS, RUNNING);
            step(8, self.get(STATUS) == RUNNING)
        }
    }
}

/// The memory of one request.
struct Slot {
    header: Words,
    status: Words,
    data: Words,
}

/// # Safety
/// A virtio-blk device has its registers at `address`, and the arena is ours.
pub(super) unsafe fn drive(args: Args, samples: &mut Samples) -> Answer {
    let registers = Registers(args.address);
    // SAFETY: all of it lies in the arena or the window, by the contract above.
    unsafe {
        let (available, used) = (Words::new(AVAILABLE, QUEUE), Words::new(USED, QUEUE * 2));
        // One that runs already goes on where it was.
        if registers.get(STATUS) != RUNNING {
            available.set(0, 0);
            used.set(0, 0);
            if let Err(step) = registers.bring_up() {
                return (0, [0, 0, registers.get(STATUS), step]);
            }
        }
        let (mut bad_status, mut bad_words, mut done) = (0, 0, used.quarter(1));
        for round in 0..args.count {
            for j in 0..args.batch {
                prepare(args, j, first_word(args, round, j));
            }
            let before = asm::tsc();
            for j in 0..args.batch {
                publish(args, j, first_word(args, round, j), done, &available);
                done = done.wrapping_add(1);
            }
            // The index is the second 16-bit word, after all entries.
            available.set_quarter(1, done);
            registers.set(0x050, 0);
            while used.quarter(1) != done {
                core::hint::spin_loop();
                if gave_up(&registers, &used, done) {
                    return (0, [bad_status, bad_words, registers.get(STATUS), 9]);
                }
            }
            samples.push(asm::tsc() - before);
            for j in 0..args.batch {
                let slot = slot(args, j);
                bad_status += u64::from(slot.status.get(0) & 0xff != 0);
                if args.width == 0 {
                    bad_words += wrong(args, &slot, first_word(args, round, j));
                }
            }
        }
        (0, [bad_status, bad_words, registers.get(STATUS), 0])
    }
}

/// How long to poll before asking the device whether it is still there: asking is
/// an exit.
const PATIENCE: u64 = 20_000_000;

/// Whether the device asked to be reset, or took longer than it may.
///
/// # Safety
/// As [`drive`].
unsafe fn gave_up(registers: &Registers, used: &Words, done: u16) -> bool {
    for _ in 0..PATIENCE {
        if used.quarter(1) == done {
            return false;
        }
        core::hint::spin_loop();
    }
    // SAFETY: by the contract above. DEVICE_NEEDS_RESET is 64.
    unsafe { registers.get(STATUS) & 64 != 0 }
}

/// The first 64-bit word on the disk of request `j` of `round`.
fn first_word(args: Args, round: u64, j: u64) -> u64 {
    (round * args.batch + j) * args.stride % layout::DISK / 8
}

/// # Safety
/// As [`drive`].
unsafe fn slot(args: Args, j: u64) -> Slot {
    // SAFETY: by the contract above.
    unsafe {
        Slot {
            header: Words::new(HEADERS + j * 16, 2),
            status: Words::new(STATUSES + j * 8, 1),
            data: Words::new(layout::BUFFERS + j * args.stride, args.stride / 8),
        }
    }
}

/// Fills what is written, or makes sure that what is read was not there before.
///
/// # Safety
/// As [`drive`].
unsafe fn prepare(args: Args, j: u64, first: u64) {
    // SAFETY: by the contract above.
    let slot = unsafe { slot(args, j) };
    slot.status.set(0, 0xff);
    for i in 0..slot.data.len() {
        let word = pattern(args.seed, first + i);
        slot.data.set(i, if args.width == 0 { !word } else { word });
    }
}

/// How many words are not what the disk holds.
fn wrong(args: Args, slot: &Slot, first: u64) -> u64 {
    let differs = |i: &u64| slot.data.get(*i) != pattern(args.seed, first + i);
    (0..slot.data.len()).filter(differs).count() as u64
}

/// Makes request `j` available as number `number`.
///
/// # Safety
/// As [`drive`].
#[inline(always)]
unsafe fn publish(args: Args, j: u64, first: u64, number: u16, available: &Words) {
    // SAFETY: by the contract above.
    let (slot, table) = unsafe { (slot(args, j), Words::new(DESCRIPTORS, QUEUE * 2)) };
    slot.header.set(0, args.width);
    slot.header.set(1, first * 8 / SECTOR);
    let head = 3 * j;
    let to_device = if args.width == 0 { WRITE } else { 0 };
    let parts = [
        (slot.header.address(), 16, NEXT),
        (slot.data.address(), args.stride, NEXT | to_device),
        (slot.status.address(), 1, WRITE),
    ];
    for (i, (address, len, flags)) in (head..).zip(parts) {
        let next = if flags & NEXT != 0 { i + 1 } else { 0 };
        table.set(2 * i, address);
        table.set(2 * i + 1, len | flags << 32 | next << 48);
    }
    let entry = 2 + u64::from(number) % QUEUE;
    available.set_quarter(entry, head as u16);
}
