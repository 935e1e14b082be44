// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A driver of virtio-net (virtio 1.2, 5.1) whose frames come back to it: each chain
//! a header and a frame.

// UNSAFETY: see the parent module.
#![expect(unsafe_code)]

use super::{Completion, DEPTH_MAX, Data, HEADERS, Part, Queue, Registers, wait};
use crate::{
    asm,
    memory::Words,
    samples::{Answer, Room},
};
use abi::{Args, Status, pattern, truncate};

/// The queues (5.1.2).
const RECEIVE: u64 = 0;
const TRANSMIT: u64 = 1;

/// Bytes of a header (5.1.6).
const HEADER: u64 = 12;
/// Bytes from one to the next.
const APART: u64 = 16;

/// The second word of a frame, behind 12 bytes of addresses that are all zero: the
/// type for local experiments (IEEE 802-2014, 9.2.4), big-endian, and two zeroes.
const TYPE: u64 = 0x88b5_u64.swap_bytes() >> 48 << 32;

/// # Safety
/// A virtio-net device has its registers at `address`, and the arena and the memory
/// from `place` on are ours.
pub(crate) unsafe fn drive(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(args.count)?;
    if args.batch > DEPTH_MAX {
        return Err(Status::BadArgs);
    }
    // SAFETY: by the contract above.
    let (registers, mut receive, mut transmit) = unsafe {
        (
            Registers::new(args.address),
            Queue::new(args.place, RECEIVE),
            Queue::new(args.place, TRANSMIT),
        )
    };
    // One that runs already goes on where it was.
    if !registers.running() {
        receive.clear();
        transmit.clear();
        if let Err(step) = registers.bring_up(1, &[&receive, &transmit]) {
            return samples.reply(0, [0, 0, registers.status(), step]);
        }
    }
    // SAFETY: by the contract above.
    let completion = unsafe { Completion::by(args.vector) };
    receive.interrupt(completion.by_interrupt());
    // Nobody waits for a frame to have been sent.
    transmit.interrupt(false);
    let (mut bad_len, mut bad_words) = (0, 0);
    for round in 0..args.count {
        for j in 0..args.batch {
            // SAFETY: by the contract above.
            let (sent, got) = unsafe { (Data::at(args, j), Data::at(args, DEPTH_MAX + j)) };
            for i in 0..sent.own.len() {
                let word = content(args, round * args.batch + j, i);
                sent.own.set(i, word);
                got.own.set(i, !word);
                got.shared.set(i, !word);
            }
        }
        let seen = completion.interrupts();
        let before = asm::tsc();
        for j in 0..args.batch {
            // SAFETY: by the contract above.
            unsafe { publish(args, j, &mut receive, &mut transmit) };
        }
        if receive.announce() {
            registers.notify(RECEIVE);
        }
        if transmit.announce() {
            registers.notify(TRANSMIT);
        }
        let waited = completion.wait(&registers, seen, || receive.complete());
        // A frame that has come back has been sent; that is seen at once.
        let waited = waited.and_then(|()| wait::patiently(&registers, || transmit.complete()));
        for j in 0..args.batch {
            // SAFETY: by the contract above.
            unsafe { Data::at(args, DEPTH_MAX + j) }.pull();
        }
        samples.push(asm::tsc() - before);
        if let Err(step) = waited {
            return samples.reply(0, [bad_len, bad_words, registers.status(), step]);
        }
        for j in 0..args.batch {
            // SAFETY: by the contract above.
            let got = unsafe { Data::at(args, DEPTH_MAX + j) };
            let len = receive.written((args.batch - 1 - j) as u16);
            bad_len += u64::from(len != HEADER + args.stride);
            bad_words += wrong(args, round * args.batch + j, &got.own);
        }
    }
    let out = [bad_len, bad_words, registers.status(), 0];
    samples.reply(completion.interrupts(), out)
}

/// Word `i` of frame number `number`: addresses, type, then the pattern, of which the
/// last word may be cut.
fn content(args: Args, number: u64, i: u64) -> u64 {
    let words = args.stride.div_ceil(8);
    let word = match i {
        0 => 0,
        1 => TYPE,
        _ => pattern(args.seed, number * words + i),
    };
    match args.stride % 8 {
        rest if rest > 0 && i + 1 == words => truncate(word, rest),
        _ => word,
    }
}

/// How many words of a frame are not what was sent. Of a last word that was cut, the
/// bytes beyond the frame are nobody's.
fn wrong(args: Args, number: u64, frame: &Words) -> u64 {
    let mut wrong = 0;
    for i in 0..frame.len() {
        let bytes = (args.stride - i * 8).min(8);
        let found = truncate(frame.get(i), bytes);
        wrong += u64::from(found != content(args, number, i));
    }
    wrong
}

/// Publishes a buffer to receive a frame, and a frame to send.
///
/// # Safety
/// As [`drive`].
#[inline(always)]
unsafe fn publish(args: Args, j: u64, receive: &mut Queue, transmit: &mut Queue) {
    // SAFETY: by the contract above.
    let (sent, got, headers) = unsafe {
        (
            Data::at(args, j),
            Data::at(args, DEPTH_MAX + j),
            Words::new(args.place + HEADERS, 2 * DEPTH_MAX * APART / 8),
        )
    };
    let header = |number: u64| headers.address() + number * APART;
    // Nothing is asked of the device but to send the frame as it is.
    headers.set(j * APART / 8, 0);
    headers.set(j * APART / 8 + 1, 0);
    sent.push();
    let (mine, theirs) = (header(j), header(DEPTH_MAX + j));
    let len = args.stride;
    receive.publish(
        2 * j,
        [
            Part::from_device(theirs, HEADER),
            Part::from_device(got.shared.address(), len),
        ],
    );
    transmit.publish(
        2 * j,
        [
            Part::to_device(mine, HEADER),
            Part::to_device(sent.shared.address(), len),
        ],
    );
}
