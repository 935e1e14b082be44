// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The instructions that the workloads are about, spelled out, so that what is
//! measured does not depend on a compiler's choice.

// UNSAFETY: there is no safe form of these instructions.
#![expect(unsafe_code)]

use core::arch::asm;

/// The time-stamp counter, after everything before it and before everything
/// after it (LFENCE on both sides: Intel SDM vol. 2B and AMD APM vol. 3, RDTSC).
#[inline(always)]
pub fn tsc() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reads a counter; CR4.TSD is clear, so CPL3 may.
    unsafe {
        asm!("lfence", "rdtsc", "lfence", out("eax") low, out("edx") high, options(nostack, nomem));
    }
    u64::from(high) << 32 | u64::from(low)
}

/// `count` iterations of `dec; jnz`.
#[inline(always)]
pub fn spin(count: u64) {
    // SAFETY: touches one register and the flags.
    unsafe {
        asm!("2:", "dec {0}", "jnz 2b", inout(reg) count.max(1) => _, options(nostack, nomem));
    }
}

/// A 32-bit load from `address` by a plain `mov`.
///
/// # Safety
/// `address` is mapped in this address space.
#[inline(always)]
pub unsafe fn load_u32(address: u64) -> u32 {
    let value: u32;
    // SAFETY: mapped, by the contract above.
    unsafe {
        asm!("mov {0:e}, dword ptr [{1}]", out(reg) value, in(reg) address, options(nostack));
    }
    value
}

/// A 32-bit store to `address` by a plain `mov`.
///
/// # Safety
/// `address` is mapped in this address space, and holds nothing that this
/// program relies on.
#[inline(always)]
pub unsafe fn store_u32(address: u64, value: u32) {
    // SAFETY: mapped and ours to write, by the contract above.
    unsafe {
        asm!("mov dword ptr [{1}], {0:e}", in(reg) value, in(reg) address, options(nostack));
    }
}

/// A 32-bit read of port `PORT`.
///
/// # Safety
/// RFLAGS.IOPL is 3, else this is a fault.
#[inline(always)]
pub unsafe fn in_u32<const PORT: u8>() -> u32 {
    let value: u32;
    // SAFETY: allowed, by the contract above; it leaves memory alone.
    unsafe { asm!("in eax, {0}", const PORT, out("eax") value, options(nostack)) };
    value
}

/// A one-byte write of zero to port `PORT`.
///
/// # Safety
/// RFLAGS.IOPL is 3, else this is a fault.
#[inline(always)]
pub unsafe fn out_u8<const PORT: u8>() {
    // SAFETY: allowed, by the contract above. Not `nomem`: the host reads and
    // writes the command page while the guest waits in this instruction.
    unsafe { asm!("out {0}, al", const PORT, in("al") 0u8, options(nostack)) };
}
