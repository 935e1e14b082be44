// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The state in which a vCPU starts: 64-bit mode, paging on. The descriptor tables
//! are for interrupts, which load the segments that are there already.

use abi::layout;
use kvm_bindings::{kvm_dtable, kvm_regs, kvm_segment, kvm_sregs};
use vm_memory::{Bytes, GuestAddress};

use crate::{Error, Memory};

/// The privilege level of the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cpl {
    /// CPL3 with IOPL 3: native on hardware and on a software KVM.
    #[default]
    User,
    /// CPL0: on a software KVM every instruction is emulated. For tests of the
    /// calibration that refuses such a guest.
    Kernel,
}

// Bits of CR0, CR4 and EFER: Intel SDM vol. 3A ch. 2.5, AMD APM vol. 2 ch. 3.
const CR0: u64 = 1 << 31 | 1 << 18 | 1 << 16 | 1 << 5 | 1 << 4 | 1 << 1 | 1; // PG AM WP NE ET MP PE
const CR4: u64 = 1 << 5 | 1 << 9 | 1 << 10; // PAE, and SSE: OSFXSR OSXMMEXCPT
const EFER: u64 = 1 << 11 | 1 << 10 | 1 << 8 | 1; // NXE LMA LME SCE
const RFLAGS: u64 = 3 << 12 | 1 << 1; // IOPL 3, and the bit that is always set
const IF: u64 = 1 << 9;

/// The segments' selectors, which are also their places in the GDT.
const DATA: u16 = 0x28;
const CODE: u16 = 0x30;
/// Bytes of a 64-bit task state segment, and where in it the first stack of
/// interrupts stands (Intel SDM vol. 3A, figure 9-11).
const TSS_SIZE: u32 = 0x68;
const TSS_IST1: u64 = 0x24;

/// Writes the tables that interrupts need.
///
/// # Errors
/// [`Error::Load`] if the memory is smaller than the layout.
pub(crate) fn write_tables(memory: &Memory, cpl: Cpl) -> Result<(), Error> {
    let stack = layout::INTERRUPT_STACK + layout::PAGE;
    for (address, word) in [
        (layout::GDT + u64::from(DATA), cpl.descriptor(false)),
        (layout::GDT + u64::from(CODE), cpl.descriptor(true)),
        (layout::TSS + TSS_IST1, stack),
    ] {
        memory
            .write_obj(word, GuestAddress(address))
            .map_err(|e| Error::Load(format!("descriptor at {address:#x}: {e}")))?;
    }
    Ok(())
}

impl Cpl {
    /// A segment as the GDT has it: flat, 4 KiB granular, present, accessed, of this
    /// level (Intel SDM vol. 3A, figure 3-8).
    fn descriptor(self, code: bool) -> u64 {
        let (kind, flags) = if code {
            (0b1011, 0b1010)
        } else {
            (0b0011, 0b1100)
        };
        let access = 0b1001 << 4 | u64::from(self.level()) << 5 | kind;
        flags << 52 | 0xf << 48 | access << 40 | 0xffff
    }

    fn level(self) -> u8 {
        match self {
            Cpl::User => 3,
            Cpl::Kernel => 0,
        }
    }

    fn segment(self, selector: u16, code: bool) -> kvm_segment {
        kvm_segment {
            base: 0,
            limit: u32::MAX,
            selector: selector | u16::from(self.level()),
            type_: if code { 0b1011 } else { 0b0011 },
            present: 1,
            dpl: self.level(),
            db: u8::from(!code),
            s: 1,
            l: u8::from(code),
            g: 1,
            ..Default::default()
        }
    }

    /// Turns the reset state of a vCPU into the start state.
    pub(crate) fn special(self, mut sregs: kvm_sregs) -> kvm_sregs {
        let data = self.segment(DATA, false);
        sregs.cs = self.segment(CODE, true);
        (sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss) = (data, data, data, data, data);
        let table = |base, limit| kvm_dtable {
            base,
            limit,
            ..Default::default()
        };
        sregs.gdt = table(layout::GDT, CODE + 7);
        sregs.idt = table(layout::IDT, layout::PAGE as u16 - 1);
        sregs.tr.base = layout::TSS;
        sregs.tr.limit = TSS_SIZE - 1;
        sregs.cr0 = CR0;
        sregs.cr3 = layout::PAGE_TABLES;
        sregs.cr4 = CR4;
        sregs.efer = EFER;
        sregs
    }

    /// The general registers at `entry`, for vCPU `index`. Interrupts are enabled from
    /// the beginning where there are any, and come only when a device raises one: the
    /// guest's own STI needs more of a software KVM than it has.
    pub(crate) fn general(entry: u64, index: u64, interrupts: bool) -> kvm_regs {
        kvm_regs {
            rip: entry,
            rsp: layout::stack_top(index),
            rdi: index,
            rflags: RFLAGS | if interrupts { IF } else { 0 },
            ..Default::default()
        }
    }
}
