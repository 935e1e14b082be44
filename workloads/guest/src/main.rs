// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The payload's entry point, request loop and panic handler.
#![no_std]
#![no_main]
// UNSAFETY: an entry point, a panic handler and the memory functions that the
// compiler calls have no safe form.
#![expect(unsafe_code)]

use abi::{PanicReport, layout, port};
use core::arch::{asm, naked_asm};
use payload::{asm::out_u8, memory::Words, ops};

/// The VMM sets RIP here, RDI to the vCPU's index and RSP to the top of its
/// stack. The first instruction tells the VMM that there was one.
#[unsafe(naked)]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.start")]
unsafe extern "C" fn _start() -> ! {
    naked_asm!(
        "out {start}, al",
        "call {main}",
        start = const port::START,
        main = sym main,
    )
}

extern "C" fn main(vcpu: u64) -> ! {
    // SAFETY: the VMM maps the layout before it starts a vCPU.
    let page = unsafe { Words::new(layout::command(vcpu), abi::WORDS as u64) };
    page.set(abi::word::MAGIC as u64, abi::MAGIC);
    page.set(abi::word::VERSION as u64, abi::VERSION);
    loop {
        // SAFETY: the VMM starts the payload with IOPL 3.
        unsafe { out_u8::<{ port::DONE as u8 }>() };
        // SAFETY: the layout is mapped, and the VMM asks for addresses that are.
        unsafe { ops::serve(vcpu) };
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let stack: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mov {0}, rsp", out(reg) stack, options(nostack, nomem)) };
    let (file, line) = info.location().map_or(("", 0), |l| (l.file(), l.line()));
    let report = PanicReport::new(file, line, &mut |w| {
        let _ = write!(w, "{}", info.message());
    });
    // SAFETY: the VMM maps the layout before it starts a vCPU.
    let page = unsafe {
        Words::new(
            layout::command(layout::vcpu_of_stack(stack)),
            abi::WORDS as u64,
        )
    };
    for (i, word) in (abi::word::PANIC_LINE as u64..).zip(report.to_words()) {
        page.set(i, word);
    }
    loop {
        // SAFETY: the VMM starts the payload with IOPL 3.
        unsafe { out_u8::<{ port::PANIC as u8 }>() };
    }
}

// What the compiler may call for copies and comparisons. Loops in assembly, so
// that it cannot turn them into calls of themselves.

/// # Safety
/// As C's `memcpy`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    // SAFETY: by the contract above; the direction flag is clear by the ABI.
    unsafe {
        asm!("rep movsb", inout("rcx") n => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack));
    }
    to
}

/// # Safety
/// As C's `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, n: usize) -> *mut u8 {
    // SAFETY: by the contract above; the direction flag is clear by the ABI.
    unsafe {
        asm!("rep stosb", inout("rcx") n => _, inout("rdi") to => _, in("al") byte as u8, options(nostack));
    }
    to
}

/// # Safety
/// As C's `memmove`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    if to.addr().wrapping_sub(from.addr()) >= n {
        // SAFETY: `to` does not lie within the bytes read.
        return unsafe { memcpy(to, from, n) };
    }
    // SAFETY: by the contract above, last byte first; the flag is put back.
    unsafe {
        asm!(
            "std", "rep movsb", "cld",
            inout("rcx") n => _,
            inout("rdi") to.wrapping_add(n).wrapping_sub(1) => _,
            inout("rsi") from.wrapping_add(n).wrapping_sub(1) => _,
            options(nostack)
        );
    }
    to
}

/// # Safety
/// As C's `memcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    for i in 0..n {
        // SAFETY: by the contract above. Volatile, lest this loop become a call
        // of memcmp.
        let (x, y) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
    }
    0
}
