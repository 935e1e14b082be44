// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The program's stack pointer, and the memory functions that the compiler calls. The
//! functions are loops in assembly, so that the compiler cannot turn them into calls of
//! themselves.

// UNSAFETY: the memory functions have no safe form.
#![expect(unsafe_code)]

use core::arch::asm;

/// The stack pointer.
pub(crate) fn stack_pointer() -> u64 {
    let stack: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mov {0}, rsp", out(reg) stack, options(nostack, nomem)) };
    stack
}

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
        // SAFETY: by the contract above. Volatile, so that this loop does not become
        // a call of memcmp.
        let (x, y) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
    }
    0
}
