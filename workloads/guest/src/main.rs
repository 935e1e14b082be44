// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The payload's entry point, request loop and panic handler.
#![no_std]
#![no_main]
// UNSAFETY: memory is mapped and ports are allowed by a contract with the VMM.
#![expect(unsafe_code)]

use abi::{PanicReport, layout, port};
use payload::{asm::out_u8, memory::Words, ops};

#[cfg_attr(target_arch = "x86_64", path = "arch/x86_64/entry.rs")]
mod entry;
#[cfg_attr(target_arch = "x86_64", path = "arch/x86_64/runtime.rs")]
mod runtime;

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
    let (file, line) = info.location().map_or(("", 0), |l| (l.file(), l.line()));
    let report = PanicReport::new(file, line, &mut |w| {
        let _ = write!(w, "{}", info.message());
    });
    // SAFETY: the VMM maps the layout before it starts a vCPU.
    let page = unsafe {
        Words::new(
            layout::command(layout::vcpu_of_stack(runtime::stack_pointer())),
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
