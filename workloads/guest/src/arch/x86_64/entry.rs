// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The program's first instructions.

// UNSAFETY: an entry point has no safe form.
#![expect(unsafe_code)]

use abi::port;
use core::arch::naked_asm;

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
        main = sym crate::main,
    )
}
