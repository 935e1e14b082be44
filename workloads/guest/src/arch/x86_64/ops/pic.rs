// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The interrupt mask register of the first PIC, behind a port that KVM answers itself.

// UNSAFETY: ports have no safe form.
#![expect(unsafe_code)]

use crate::{
    asm,
    samples::{Answer, Room},
};
use abi::{Args, Digest, value};
use core::arch::asm;

/// The port of the mask register (8259A data sheet, OCW1).
const MASK: u8 = 0x21;

/// # Safety
/// IOPL is 3, and no interrupt of the PIC is wanted.
pub(crate) unsafe fn mask(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(args.count)?;
    let mut digest = Digest::new();
    for i in 0..args.count {
        // SAFETY: by the contract above.
        unsafe {
            asm!("out {}, al", const MASK, in("al") value(args.seed, i) as u8, options(nostack))
        };
        let found: u8;
        let before = asm::tsc();
        // SAFETY: by the contract above.
        unsafe { asm!("in al, {}", const MASK, out("al") found, options(nostack)) };
        let after = asm::tsc();
        samples.push(after - before);
        digest.push(found.into());
    }
    samples.reply(digest.get(), [0; 4])
}
