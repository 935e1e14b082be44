// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a guest must not do, so that the VMM can be tested.

use crate::samples::{Answer, Room};
use abi::Args;

pub(super) fn hang(_: Args, _: Room) -> Answer {
    loop {
        core::hint::spin_loop();
    }
}

pub(super) fn panic(args: Args, _: Room) -> Answer {
    panic!("asked to, with seed {}", args.seed)
}
