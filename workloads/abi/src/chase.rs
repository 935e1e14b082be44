// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where a pointer chase leads, known to both sides.

use crate::{Args, Order, layout::PAGE, value};

/// Bytes of a cache line.
const LINE: u64 = 64;

/// Where place `number` is. Places a page apart lie on different lines of their pages,
/// or they would share few sets of a cache.
pub const fn place(args: &Args, number: u64) -> u64 {
    let at = args.address + number * args.stride;
    if args.stride < PAGE {
        return at;
    }
    at + value(args.shuffle, number) % (PAGE / LINE) * LINE
}

/// Where the chase is after `steps` steps from the first place of the order.
pub const fn after(args: &Args, steps: u64) -> u64 {
    let order = Order::new(args.shuffle, args.width);
    place(args, order.at(steps % args.width))
}
