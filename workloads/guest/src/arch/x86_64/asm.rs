// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The instructions that the workloads are about, spelled out, so that what is
//! measured does not depend on a compiler's choice.

// UNSAFETY: there is no safe form of these instructions.
#![expect(unsafe_code)]

use core::arch::{asm, global_asm};

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

/// A load of `width` bytes (1, 2, 4, else 8) from `address` by a plain `mov`.
///
/// The registers are named, because KVM's decoder takes longer for some than for others: a
/// compiler's choice would be part of what is measured.
///
/// # Safety
/// `address` is mapped in this address space.
#[inline(always)]
pub unsafe fn load(address: u64, width: u64) -> u64 {
    let value: u64;
    // SAFETY: mapped, by the contract above.
    unsafe {
        match width {
            1 => {
                asm!("movzx r15d, byte ptr [r14]", out("r15") value, in("r14") address, options(nostack))
            }
            2 => {
                asm!("movzx r15d, word ptr [r14]", out("r15") value, in("r14") address, options(nostack))
            }
            4 => {
                asm!("mov r15d, dword ptr [r14]", out("r15") value, in("r14") address, options(nostack))
            }
            _ => {
                asm!("mov r15, qword ptr [r14]", out("r15") value, in("r14") address, options(nostack))
            }
        }
    }
    value
}

/// A store of the low `width` bytes (1, 2, 4, else 8) of `value` to `address` by a
/// plain `mov`, from and to registers that are named as for [`load`].
///
/// # Safety
/// `address` is mapped in this address space, and holds nothing that this
/// program relies on.
#[inline(always)]
pub unsafe fn store(address: u64, value: u64, width: u64) {
    // SAFETY: mapped and ours to write, by the contract above.
    unsafe {
        match width {
            1 => {
                asm!("mov byte ptr [r10], cl", in("rcx") value, in("r10") address, options(nostack))
            }
            2 => {
                asm!("mov word ptr [r10], cx", in("rcx") value, in("r10") address, options(nostack))
            }
            4 => {
                asm!("mov dword ptr [r10], ecx", in("rcx") value, in("r10") address, options(nostack))
            }
            _ => {
                asm!("mov qword ptr [r10], rcx", in("rcx") value, in("r10") address, options(nostack))
            }
        }
    }
}

/// `rep stos` of `count` times `value`, 32 bits each, from `to` on.
///
/// # Safety
/// As [`store`], for all of them; the direction flag is clear by the ABI.
#[inline(always)]
pub unsafe fn fill(to: u64, value: u32, count: u64) {
    // SAFETY: by the contract above.
    unsafe {
        asm!("rep stosd", inout("rcx") count => _, inout("rdi") to => _, in("eax") value, options(nostack));
    }
}

/// `rep movs` of `count` 32-bit values.
///
/// # Safety
/// As [`load`] for `from` and [`store`] for `to`.
#[inline(always)]
pub unsafe fn copy(to: u64, from: u64, count: u64) {
    // SAFETY: by the contract above.
    unsafe {
        asm!("rep movsd", inout("rcx") count => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack));
    }
}

/// One `movs` of 32 bits, without a prefix.
///
/// # Safety
/// As [`copy`].
#[inline(always)]
pub unsafe fn copy_one(to: u64, from: u64) {
    // SAFETY: by the contract above.
    unsafe {
        asm!("movsd", inout("rdi") to => _, inout("rsi") from => _, options(nostack));
    }
}

/// Follows `steps` pointers from `at`, eight at least and a multiple of eight; where
/// that leads.
///
/// # Safety
/// Each address on the way is mapped and holds the next.
#[inline(always)]
pub unsafe fn follow(at: u64, steps: u64) -> u64 {
    let mut to = at;
    // SAFETY: by the contract above; only read.
    unsafe {
        asm!(
            "2:",
            ".rept 8",
            "mov {0}, [{0}]",
            ".endr",
            "dec {1}",
            "jnz 2b",
            inout(reg) to,
            inout(reg) (steps / 8).max(1) => _,
            options(nostack)
        );
    }
    to
}

// A load that begins on the last byte of a page.
global_asm!(
    ".pushsection .text.across, \"ax\", @progbits",
    ".balign 4096",
    ".skip 4095, 0xcc",
    ".globl unmapbench_load_across",
    "unmapbench_load_across:",
    "mov eax, dword ptr [rdi]",
    "ret",
    ".popsection",
);

unsafe extern "C" {
    fn unmapbench_load_across(address: u64) -> u32;
}

/// A 32-bit load from `address` by an instruction that begins on one page and
/// ends on the next.
///
/// # Safety
/// As [`load`].
#[inline(always)]
pub unsafe fn load_across(address: u64) -> u64 {
    // SAFETY: by the contract above; the function above follows the C ABI.
    unsafe { unmapbench_load_across(address).into() }
}

// A load that is never executed: what an enlightened guest decodes.
global_asm!(
    ".pushsection .text.site, \"ax\", @progbits",
    ".balign 8",
    ".globl unmapbench_load_site",
    "unmapbench_load_site:",
    "mov eax, dword ptr [rdi]",
    "ret",
    ".balign 8",
    ".popsection",
);

unsafe extern "C" {
    static unmapbench_load_site: [u8; 8];
}

/// Where the instruction `mov eax, [rdi]` stands; eight bytes may be read.
pub fn load_site() -> u64 {
    (&raw const unmapbench_load_site).expose_provenance() as u64
}

/// Asks the host to do the 32-bit load at `address`: one exit, all in registers.
///
/// # Safety
/// RFLAGS.IOPL is 3, else this is a fault.
#[inline(always)]
pub unsafe fn ask<const PORT: u8>(address: u64) -> u64 {
    let value: u64;
    // SAFETY: allowed, by the contract above; the host changes RAX only.
    unsafe {
        asm!("out {0}, eax", const PORT, in("rdi") address, inout("rax") 0u64 => value, options(nostack));
    }
    value
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

/// `rep ins` of `count` 32-bit values from port `PORT` to `to`.
///
/// # Safety
/// RFLAGS.IOPL is 3, and as [`fill`].
#[inline(always)]
pub unsafe fn ins<const PORT: u16>(to: u64, count: u64) {
    // SAFETY: by the contract above.
    unsafe {
        asm!("rep insd", inout("rcx") count => _, inout("rdi") to => _, in("dx") PORT, options(nostack));
    }
}

/// `rep outs` of `count` 32-bit values from `from` to port `PORT`.
///
/// # Safety
/// RFLAGS.IOPL is 3, and `from` is mapped for all of them.
#[inline(always)]
pub unsafe fn outs<const PORT: u16>(from: u64, count: u64) {
    // SAFETY: by the contract above.
    unsafe {
        asm!("rep outsd", inout("rcx") count => _, inout("rsi") from => _, in("dx") PORT, options(nostack));
    }
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
