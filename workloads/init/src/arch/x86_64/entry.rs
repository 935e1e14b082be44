// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The process's first instructions.

// UNSAFETY: an entry point has no safe form.
#![expect(unsafe_code)]

use core::arch::naked_asm;

#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!(
        "mov rdi, rsp",
        "and rsp, -16",
        "call {main}",
        "ud2",
        main = sym crate::main
    )
}
