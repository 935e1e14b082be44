// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The one interrupt handler of the payload.
//!
//! The payload has no interrupts but those of a virtio device, and the VMM has enabled
//! them. The gate leads to a segment of the same privilege and takes a stack of its own
//! (IST 1), so that the interrupted code may be anywhere.

// UNSAFETY: a handler that the processor enters has no safe form.
#![expect(unsafe_code)]

use crate::memory::Words;
use abi::layout;
use core::arch::naked_asm;

/// A 64-bit interrupt gate of DPL 3, present, IST 1 (Intel SDM vol. 3A, 7.14.1).
const GATE: u64 = 0b1110_1110 << 40 | 1 << 32;
/// The code segment that runs already, with RPL 3.
const CODE: u64 = 0x33;
/// The end-of-interrupt register of the local APIC.
const EOI: u64 = 0xb0;

/// Makes interrupt `vector` count in the word at [`layout::INTERRUPTS`].
///
/// # Safety
/// The areas of [`layout`] are mapped.
pub unsafe fn install(vector: u64) {
    // SAFETY: by the contract above.
    let gates = unsafe { Words::new(layout::IDT, layout::PAGE / 8) };
    let at = (count as *const ()).expose_provenance() as u64;
    let low = at & 0xffff | CODE << 16 | GATE | (at >> 16 & 0xffff) << 48;
    gates.set(2 * (vector & 0xff), low);
    gates.set(2 * (vector & 0xff) + 1, at >> 32);
}

/// Counts, tells the local APIC that the interrupt is over, and returns.
#[unsafe(naked)]
unsafe extern "C" fn count() {
    naked_asm!(
        "push rax",
        "mov eax, {counter}",
        "inc qword ptr [rax]",
        "mov eax, {eoi}",
        "mov dword ptr [rax], 0",
        "pop rax",
        "iretq",
        counter = const layout::INTERRUPTS,
        eoi = const layout::LAPIC + EOI,
    )
}
