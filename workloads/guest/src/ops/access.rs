// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Accesses that leave the guest, one by one.

// UNSAFETY: see the parent module.
#![expect(unsafe_code)]

use crate::{
    asm, decode,
    memory::Words,
    page_table,
    samples::{Answer, Room},
};
use abi::{Args, Digest, layout, port, truncate, value};

/// `count` timed calls of `access`, each handed the next value of the sequence;
/// the digest is over what each returned.
#[inline(always)]
fn exchange(args: Args, room: Room, access: impl Fn(u64) -> u64) -> Answer {
    let mut samples = room.samples(args.count)?;
    let mut digest = Digest::new();
    for i in 0..args.count {
        let sent = value(args.seed, i);
        let before = asm::tsc();
        let seen = access(sent);
        let after = asm::tsc();
        samples.push(after - before);
        digest.push(seen);
    }
    samples.reply(digest.get(), [0; 4])
}

/// # Safety
/// `address` is mapped.
pub(super) unsafe fn read(args: Args, room: Room) -> Answer {
    // One loop a width, so that no branch lies between two readings of the TSC.
    // SAFETY: by the contract above.
    unsafe {
        match args.width {
            1 => exchange(args, room, |_| asm::load(args.address, 1)),
            2 => exchange(args, room, |_| asm::load(args.address, 2)),
            4 => exchange(args, room, |_| asm::load(args.address, 4)),
            _ => exchange(args, room, |_| asm::load(args.address, 8)),
        }
    }
}

/// # Safety
/// `address` is mapped and ours to write.
pub(super) unsafe fn write(args: Args, room: Room) -> Answer {
    #[inline(always)]
    unsafe fn of<const WIDTH: u64>(args: Args, room: Room) -> Answer {
        exchange(args, room, |v| {
            // SAFETY: by the contract of the outer function.
            unsafe { asm::store(args.address, v, WIDTH) };
            truncate(v, WIDTH)
        })
    }
    // SAFETY: by the contract above.
    unsafe {
        match args.width {
            1 => of::<1>(args, room),
            2 => of::<2>(args, room),
            4 => of::<4>(args, room),
            _ => of::<8>(args, room),
        }
    }
}

/// # Safety
/// `address` is mapped.
pub(super) unsafe fn read_across(args: Args, room: Room) -> Answer {
    // SAFETY: by the contract above.
    exchange(args, room, |_| unsafe { asm::load_across(args.address) })
}

/// # Safety
/// `address` is mapped and ours to write.
pub(super) unsafe fn notify(args: Args, room: Room) -> Answer {
    exchange(args, room, |_| {
        // SAFETY: by the contract above.
        unsafe { asm::store(args.address, args.seed, 4) };
        0
    })
}

/// # Safety
/// IOPL is 3.
pub(super) unsafe fn port_read(args: Args, room: Room) -> Answer {
    // SAFETY: by the contract above.
    exchange(args, room, |_| unsafe {
        asm::in_u32::<{ port::DATA as u8 }>().into()
    })
}

/// Decodes the load that stands at [`asm::load_site`] each time, as a guest must
/// that is told nothing but where it was, and asks the host for its value.
///
/// # Safety
/// IOPL is 3.
pub(super) unsafe fn ask(args: Args, room: Room) -> Answer {
    // SAFETY: eight bytes of our own code, read only.
    let code = unsafe { Words::new(asm::load_site(), 1) };
    let mut registers = [0; 16];
    registers[usize::from(decode::RDI)] = args.address;
    exchange(args, room, |_| match decode::load(code.get(0)) {
        // SAFETY: by the contract above.
        Some(load) => unsafe { asm::ask::<{ port::ASK as u8 }>(registers[usize::from(load.base)]) },
        None => panic!("this is not the load that stands there"),
    })
}

/// Reads at virtual pages that nobody has been to: each entry is made right
/// before, so that no translation of it can be left anywhere. `out[0]`: entries
/// that nobody walked over.
///
/// # Safety
/// `address` and the `count` pages from it belong to this vCPU's aliases.
#[inline(always)]
unsafe fn cold(args: Args, room: Room, read: impl Fn(u64) -> u64) -> Answer {
    let mut samples = room.samples(args.count)?;
    let mut digest = Digest::new();
    let mut missed = 0;
    for i in 0..args.count {
        let at = args.address + i * layout::PAGE;
        let page = value(args.seed, i) % layout::MMIO_PAGES;
        // SAFETY: the table of the aliases, by the contract above.
        let entry = unsafe { Words::new(layout::alias_entry(at), 1) };
        entry.set(0, page_table::entry(layout::MMIO + page * layout::PAGE));
        let before = asm::tsc();
        let seen = read(at);
        let after = asm::tsc();
        samples.push(after - before);
        digest.push(seen);
        missed += u64::from(!page_table::was_walked(entry.get(0)));
    }
    samples.reply(digest.get(), [missed, 0, 0, 0])
}

/// # Safety
/// As [`cold`].
pub(super) unsafe fn read_cold(args: Args, room: Room) -> Answer {
    // SAFETY: by the contract above; the page is mapped by the time of the read.
    unsafe { cold(args, room, |at| asm::load(at, 4)) }
}

/// # Safety
/// As [`cold`].
pub(super) unsafe fn copy_cold(args: Args, room: Room) -> Answer {
    let scratch = room.scratch(1)?;
    // SAFETY: as above, and the scratch memory is ours.
    unsafe {
        cold(args, room, |at| {
            asm::copy_one(scratch.address(), at);
            truncate(scratch.get(0), 4)
        })
    }
}
