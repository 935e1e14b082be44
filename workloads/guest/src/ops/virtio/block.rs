// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A driver of virtio-blk (virtio 1.2, 5.2): each request a header, a data buffer and
//! a status.

// UNSAFETY: see the parent module.
#![expect(unsafe_code)]

use super::{Completion, DEPTH_MAX, Data, HEADERS, Part, Queue, Registers, STATUSES};
use crate::{
    asm,
    memory::Words,
    samples::{Answer, Room},
};
use abi::{Args, Status, layout, pattern};

const SECTOR: u64 = 512;
const WRITE: u64 = 1;

/// The memory of one request.
#[derive(Clone, Copy)]
struct Slot {
    header: Words,
    status: Words,
    data: Data,
}

/// # Safety
/// A virtio-blk device has its registers at `address`, and the arena and the memory
/// from `place` on are ours.
pub(crate) unsafe fn drive(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(args.count)?;
    if args.batch > DEPTH_MAX {
        return Err(Status::BadArgs);
    }
    // SAFETY: by the contract above.
    let (registers, mut queue) =
        unsafe { (Registers::new(args.address), Queue::new(args.place, 0)) };
    // One that runs already goes on where it was.
    if !registers.running() {
        queue.clear();
        if let Err(step) = registers.bring_up(2, &[&queue]) {
            return samples.reply(0, [0, 0, registers.status(), step]);
        }
    }
    // SAFETY: by the contract above.
    let completion = unsafe { Completion::by(args.vector) };
    queue.interrupt(completion.by_interrupt());
    let (mut bad_status, mut bad_words) = (0, 0);
    for round in 0..args.count {
        for j in 0..args.batch {
            // SAFETY: by the contract above.
            prepare(args, &unsafe { slot(args, j) }, first_word(args, round, j));
        }
        let seen = completion.interrupts();
        let before = asm::tsc();
        for j in 0..args.batch {
            // SAFETY: by the contract above.
            let slot = unsafe { slot(args, j) };
            publish(args, j, &slot, first_word(args, round, j), &mut queue);
        }
        if queue.announce() {
            registers.notify(0);
        }
        let waited = completion.wait(&registers, seen, || queue.complete());
        if args.width != WRITE {
            for j in 0..args.batch {
                // SAFETY: by the contract above.
                unsafe { Data::at(args, j) }.pull();
            }
        }
        samples.push(asm::tsc() - before);
        if let Err(step) = waited {
            return samples.reply(0, [bad_status, bad_words, registers.status(), step]);
        }
        for j in 0..args.batch {
            // SAFETY: by the contract above.
            let slot = unsafe { slot(args, j) };
            bad_status += u64::from(slot.status.get(0) & 0xff != 0);
            if args.width != WRITE {
                bad_words += wrong(args, &slot, first_word(args, round, j));
            }
        }
    }
    let out = [bad_status, bad_words, registers.status(), 0];
    samples.reply(completion.interrupts(), out)
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
            header: Words::new(args.place + HEADERS + j * 16, 2),
            status: Words::new(args.place + STATUSES + j * 8, 1),
            data: Data::at(args, j),
        }
    }
}

/// Fills what is written, or makes sure that what is read was not there before.
fn prepare(args: Args, slot: &Slot, first: u64) {
    slot.status.set(0, 0xff);
    for i in 0..slot.data.own.len() {
        let word = pattern(args.seed, first + i);
        let word = if args.width == WRITE { word } else { !word };
        slot.data.own.set(i, word);
        if args.width != WRITE {
            slot.data.shared.set(i, word);
        }
    }
}

/// How many words are not what the disk holds.
fn wrong(args: Args, slot: &Slot, first: u64) -> u64 {
    let differs = |i: &u64| slot.data.own.get(*i) != pattern(args.seed, first + i);
    (0..slot.data.own.len()).filter(differs).count() as u64
}

/// Publishes request `j`.
#[inline(always)]
fn publish(args: Args, j: u64, slot: &Slot, first: u64, queue: &mut Queue) {
    slot.header.set(0, args.width);
    slot.header.set(1, first * 8 / SECTOR);
    let at = slot.data.shared.address();
    let data = match args.width {
        WRITE => {
            slot.data.push();
            Part::to_device(at, args.stride)
        }
        _ => Part::from_device(at, args.stride),
    };
    let header = Part::to_device(slot.header.address(), 16);
    let status = Part::from_device(slot.status.address(), 1);
    queue.publish(3 * j, [header, data, status]);
}
