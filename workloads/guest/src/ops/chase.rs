// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A chase: each load gives the address of the next, so that none begins before the
//! one before it has ended.

// UNSAFETY: see the parent module.
#![expect(unsafe_code)]

use crate::{
    asm,
    memory::Words,
    samples::{Answer, Room},
};
use abi::{Args, Order, Status, chase};

/// # Safety
/// The places are mapped and ours to write.
pub(super) unsafe fn chase(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(args.count)?;
    if args.width == 0 {
        return Err(Status::BadArgs);
    }
    let order = Order::new(args.shuffle, args.width);
    let place = |i: u64| chase::place(&args, order.at(i % args.width));
    for i in 0..args.width {
        // SAFETY: by the contract above.
        unsafe { Words::new(place(i), 1) }.set(0, place(i + 1));
    }
    // One round by which every place is passed, and all that can be near is.
    let first = place(0);
    let (mut at, mut passed) = (first, 0);
    while passed < args.width {
        // SAFETY: a place, by the loop above.
        at = unsafe { Words::new(at, 1) }.get(0);
        passed += 1;
        if at == first {
            break;
        }
    }
    for _ in 0..args.count {
        let before = asm::tsc();
        // SAFETY: places lead to places.
        at = unsafe { asm::follow(at, args.batch) };
        samples.push(asm::tsc() - before);
    }
    samples.reply(0, [passed, at, 0, 0])
}
