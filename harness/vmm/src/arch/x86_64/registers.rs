// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where a guest was when it went wrong, for a person to read.

use kvm_bindings::{kvm_regs, kvm_sregs};
use kvm_ioctls::VcpuFd;
use std::fmt;

/// A copy of a vCPU's registers.
#[derive(Debug, Default)]
pub struct Registers {
    general: kvm_regs,
    special: kvm_sregs,
}

impl Registers {
    /// Reads them. A vCPU that cannot even tell its registers has none.
    pub(crate) fn of(vcpu: &VcpuFd) -> Box<Self> {
        Box::new(Registers {
            general: vcpu.get_regs().unwrap_or_default(),
            special: vcpu.get_sregs().unwrap_or_default(),
        })
    }
}

impl fmt::Display for Registers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (g, s) = (&self.general, &self.special);
        writeln!(
            f,
            "rip {:016x} rsp {:016x} rflags {:08x}",
            g.rip, g.rsp, g.rflags
        )?;
        writeln!(
            f,
            "rax {:016x} rbx {:016x} rcx {:016x} rdx {:016x}",
            g.rax, g.rbx, g.rcx, g.rdx
        )?;
        writeln!(
            f,
            "rsi {:016x} rdi {:016x} rbp {:016x} r8  {:016x}",
            g.rsi, g.rdi, g.rbp, g.r8
        )?;
        writeln!(
            f,
            "r9  {:016x} r10 {:016x} r11 {:016x} r12 {:016x}",
            g.r9, g.r10, g.r11, g.r12
        )?;
        writeln!(
            f,
            "r13 {:016x} r14 {:016x} r15 {:016x}",
            g.r13, g.r14, g.r15
        )?;
        write!(
            f,
            "cr0 {:x} cr2 {:x} cr3 {:x} cr4 {:x} efer {:x} cs {:x} cpl {}",
            s.cr0, s.cr2, s.cr3, s.cr4, s.efer, s.cs.selector, s.ss.dpl
        )
    }
}
