// SPDX-License-Identifier: Apache-2.0 OR MIT
//! x86-64: the entry point, system calls, ports, and an instruction that ends the
//! process.

// UNSAFETY: system calls and ports have no safe form.
#![expect(unsafe_code)]

mod entry;

use core::arch::asm;

// Numbers of system calls: arch/x86/entry/syscalls/syscall_64.tbl.
pub(crate) const READ: usize = 0;
pub(crate) const WRITE: usize = 1;
pub(crate) const OPEN: usize = 2;
pub(crate) const MMAP: usize = 9;
pub(crate) const SYSINFO: usize = 99;
pub(crate) const SYNC: usize = 162;
pub(crate) const MOUNT: usize = 165;
pub(crate) const REBOOT: usize = 169;
const IOPERM: usize = 173;
pub(crate) const SCHED_GETAFFINITY: usize = 204;

/// Asks for the use of `count` ports from `first`; whether it was granted.
pub(crate) fn allow_ports(first: u16, count: u64) -> bool {
    call(IOPERM, [first.into(), count as usize, 1, 0, 0, 0]) == 0
}

/// Writes `value` to `port`.
///
/// # Safety
/// [`allow_ports`] has granted the port, and a write to it touches no memory.
pub(crate) unsafe fn write_port(port: u16, value: u32) {
    // SAFETY: by the contract above.
    unsafe { asm!("out dx, eax", in("dx") port, in("eax") value, options(nomem, nostack)) };
}

/// Stores `value` by an instruction that KVM decodes.
///
/// # Safety
/// `at` is mapped and writable.
pub(crate) unsafe fn store(at: *mut u32, value: u32) {
    // SAFETY: by the contract above.
    unsafe {
        asm!("mov dword ptr [{0}], {1:e}", in(reg) at, in(reg) value, options(nostack));
    }
}

/// Ends the process by an exception. It is the first one, so that the kernel panics, and
/// the VMM sees that.
pub(crate) fn die() -> ! {
    // SAFETY: control does not come back.
    unsafe { asm!("ud2", options(noreturn)) }
}

/// System call `number`; its result, or an error as a small negative number.
pub(crate) fn call(number: usize, args: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = args;
    let result: isize;
    // SAFETY: every caller hands over numbers, C strings, and buffers of its own
    // that are as long as it says; the kernel keeps none of them.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
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
