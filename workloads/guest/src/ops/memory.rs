// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Touching pages.

// UNSAFETY: see the parent module.
#![expect(unsafe_code)]

use crate::{
    asm,
    memory::Words,
    samples::{Answer, Room},
};
use abi::{Args, Digest, Order, value};

/// # Safety
/// The pages are mapped and ours to write.
pub(super) unsafe fn touch(args: Args, room: Room) -> Answer {
    let every = args.batch.max(1);
    let mut samples = room.samples(args.count.div_ceil(every))?;
    let order = Order::new(args.shuffle, args.count);
    let begin = asm::tsc();
    for i in 0..args.count {
        let at = order.at(i);
        let content = value(args.seed, at);
        // SAFETY: by the contract above.
        let page = unsafe { Words::new(args.address + at * args.stride, 1) };
        if i % every == 0 {
            let before = asm::tsc();
            page.set(0, content);
            samples.push(asm::tsc() - before);
        } else {
            page.set(0, content);
        }
    }
    let total = asm::tsc() - begin;
    samples.reply(0, [total, 0, 0, 0])
}

/// # Safety
/// The pages are mapped.
pub(super) unsafe fn sum(args: Args, room: Room) -> Answer {
    let mut digest = Digest::new();
    for i in 0..args.count {
        // SAFETY: by the contract above; only read.
        digest.push(unsafe { Words::new(args.address + i * args.stride, 1) }.get(0));
    }
    room.samples(0)?.reply(digest.get(), [0; 4])
}
