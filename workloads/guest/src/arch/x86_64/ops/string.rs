// SPDX-License-Identifier: Apache-2.0 OR MIT
//! String instructions on devices: one instruction, many accesses.

// UNSAFETY: see the parent module.
#![expect(unsafe_code)]

use crate::{
    asm,
    memory::Words,
    samples::{Answer, Room},
};
use abi::{Args, Digest, port, truncate, value};

/// # Safety
/// `batch` 32-bit values from `address` are mapped and ours to write.
pub(crate) unsafe fn fill(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(args.count)?;
    room.scratch(args.batch)?;
    for i in 0..args.count {
        let sent = value(args.seed, i) as u32;
        let before = asm::tsc();
        // SAFETY: by the contract above.
        unsafe { asm::fill(args.address, sent, args.batch) };
        samples.push(asm::tsc() - before);
    }
    let digest = Digest::of_values(args.seed, args.count, 4, args.batch);
    samples.reply(digest, [0; 4])
}

/// `instruction` brings `batch` values into `scratch`.
#[inline(always)]
fn bring(args: Args, room: Room, instruction: impl Fn(Words)) -> Answer {
    let scratch = room.scratch(args.batch)?;
    let mut samples = room.samples(args.count)?;
    let mut digest = Digest::new();
    for _ in 0..args.count {
        let before = asm::tsc();
        instruction(scratch);
        samples.push(asm::tsc() - before);
        (0..args.batch).for_each(|i| digest.push(scratch.half(i)));
    }
    samples.reply(digest.get(), [0; 4])
}

/// `instruction` takes `batch` values out of `scratch`.
#[inline(always)]
fn take(args: Args, room: Room, instruction: impl Fn(Words)) -> Answer {
    let scratch = room.scratch(args.batch)?;
    let mut samples = room.samples(args.count)?;
    let mut digest = Digest::new();
    for i in 0..args.count {
        for j in 0..args.batch {
            let sent = truncate(value(args.seed, i * args.batch + j), 4);
            scratch.set_half(j, sent);
            digest.push(sent);
        }
        let before = asm::tsc();
        instruction(scratch);
        samples.push(asm::tsc() - before);
    }
    samples.reply(digest.get(), [0; 4])
}

/// # Safety
/// `batch` 32-bit values from `address` are mapped and fit the scratch memory.
pub(crate) unsafe fn copy_in(args: Args, room: Room) -> Answer {
    // SAFETY: by the contract above.
    bring(args, room, |scratch| unsafe {
        asm::copy(scratch.address(), args.address, args.batch)
    })
}

/// # Safety
/// As [`copy_in`], and the values are ours to write.
pub(crate) unsafe fn copy_out(args: Args, room: Room) -> Answer {
    // SAFETY: by the contract above.
    take(args, room, |scratch| unsafe {
        asm::copy(args.address, scratch.address(), args.batch)
    })
}

/// # Safety
/// IOPL is 3, and `batch` 32-bit values fit the scratch memory.
pub(crate) unsafe fn port_in(args: Args, room: Room) -> Answer {
    // SAFETY: by the contract above.
    bring(args, room, |scratch| unsafe {
        asm::ins::<{ port::DATA }>(scratch.address(), args.batch)
    })
}

/// # Safety
/// As [`port_in`].
pub(crate) unsafe fn port_out(args: Args, room: Room) -> Answer {
    // SAFETY: by the contract above.
    take(args, room, |scratch| unsafe {
        asm::outs::<{ port::DATA }>(scratch.address(), args.batch)
    })
}
