// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A loop of known length.

use crate::{
    asm,
    samples::{Answer, Room},
};
use abi::Args;

pub(super) fn spin(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(1)?;
    let before = asm::tsc();
    asm::spin(args.count);
    samples.push(asm::tsc() - before);
    samples.reply(0, [0; 4])
}
