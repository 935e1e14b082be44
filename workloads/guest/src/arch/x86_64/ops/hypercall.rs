// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Hypercalls.

// UNSAFETY: there is no safe form of these instructions.
#![expect(unsafe_code)]

use crate::{
    asm,
    samples::{Answer, Room},
};
use abi::{Args, Digest};
use core::arch::asm;

pub(crate) fn vmcall(args: Args, room: Room) -> Answer {
    // One loop an instruction, so that no branch lies between two readings of the TSC.
    match args.width {
        1 => calls(args, room, || {
            let answer: u64;
            // SAFETY: KVM writes RAX alone, and no memory for a caller at CPL3.
            unsafe { asm!("vmmcall", inout("rax") args.seed => answer, options(nostack)) };
            answer
        }),
        _ => calls(args, room, || {
            let answer: u64;
            // SAFETY: as above.
            unsafe { asm!("vmcall", inout("rax") args.seed => answer, options(nostack)) };
            answer
        }),
    }
}

#[inline(always)]
fn calls(args: Args, room: Room, call: impl Fn() -> u64) -> Answer {
    let mut samples = room.samples(args.count)?;
    let mut digest = Digest::new();
    for _ in 0..args.count {
        let before = asm::tsc();
        let answer = call();
        let after = asm::tsc();
        samples.push(after - before);
        digest.push(answer);
    }
    samples.reply(digest.get(), [0; 4])
}
