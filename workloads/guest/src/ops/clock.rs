// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Clocks: read ones, and structures that KVM rewrites.

// UNSAFETY: see the parent module.
#![expect(unsafe_code)]

use crate::{
    asm,
    memory::Words,
    pvclock::{self, Snapshot},
    samples::{Answer, Room},
};
use abi::{Args, Digest, port};

pub(super) fn tsc(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(args.count)?;
    let (mut last, mut backwards) = (0, 0);
    for _ in 0..args.count {
        let before = asm::tsc();
        for _ in 0..args.batch {
            let now = asm::tsc();
            backwards += u64::from(now < last);
            last = now;
        }
        samples.push(asm::tsc() - before);
    }
    samples.reply(0, [backwards, 0, 0, 0])
}

/// # Safety
/// A pvclock structure is mapped at `args.address`.
pub(super) unsafe fn pvclock(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(args.count)?;
    // SAFETY: by the contract above; only read.
    let page = unsafe { Words::new(args.address, pvclock::WORDS) };
    let read = || Snapshot::read(&page).at(asm::tsc());
    let first = read();
    let (mut last, mut backwards) = (first, 0);
    for _ in 0..args.count {
        let before = asm::tsc();
        for _ in 0..args.batch {
            let now = read();
            backwards += u64::from(now < last);
            last = now;
        }
        samples.push(asm::tsc() - before);
    }
    let version = Snapshot::read(&page).version().into();
    samples.reply(0, [first, last, backwards, version])
}

/// # Safety
/// A pvclock structure is mapped at `args.address`, and IOPL is 3.
pub(super) unsafe fn pvclock_update(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(args.count)?;
    // SAFETY: by the contract above; only read.
    let page = unsafe { Words::new(args.address, pvclock::WORDS) };
    let mut digest = Digest::new();
    let mut version = Snapshot::read(&page).version();
    let first = Snapshot::read(&page).at(asm::tsc());
    let (mut last, mut missed) = (first, 0);
    for _ in 0..args.count {
        let before = asm::tsc();
        // SAFETY: by the contract above.
        let seen = unsafe { asm::in_u32::<{ port::DATA as u8 }>() };
        let clock = Snapshot::read(&page);
        let now = clock.at(asm::tsc());
        samples.push(asm::tsc() - before);
        digest.push(seen.into());
        // A clock that went backwards is as bad as one that was not rewritten.
        missed += u64::from(clock.version() == version || now < last);
        (version, last) = (clock.version(), now);
    }
    samples.reply(digest.get(), [first, last, missed, version.into()])
}

/// # Safety
/// A 32-bit version field is mapped at `args.address`, a multiple of 8, and IOPL
/// is 3.
pub(super) unsafe fn rewrite(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(args.count)?;
    // SAFETY: by the contract above; only read.
    let field = unsafe { Words::new(args.address, 1) };
    let mut digest = Digest::new();
    let mut version = field.get(0) as u32;
    let mut missed = 0;
    for _ in 0..args.count {
        let before = asm::tsc();
        // SAFETY: by the contract above.
        let seen = unsafe { asm::in_u32::<{ port::DATA as u8 }>() };
        let now = field.get(0) as u32;
        samples.push(asm::tsc() - before);
        digest.push(seen.into());
        missed += u64::from(now == version || now & 1 == 1);
        version = now;
    }
    samples.reply(digest.get(), [missed, version.into(), 0, 0])
}

/// # Safety
/// IOPL is 3.
pub(super) unsafe fn timer(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(args.count)?;
    // SAFETY: by the contract above.
    let read = || u64::from(unsafe { asm::in_u32::<{ port::TIMER as u8 }>() });
    let first = read();
    let (mut last, mut backwards) = (first, 0);
    for _ in 0..args.count {
        let before = asm::tsc();
        let now = read();
        samples.push(asm::tsc() - before);
        backwards += u64::from(now < last);
        last = now;
    }
    samples.reply(0, [first, last, backwards, 0])
}
