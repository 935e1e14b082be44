// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The state in which a vCPU starts: 64-bit mode, paging on, no descriptor
//! table in memory because no segment is ever loaded.

use abi::layout;
use kvm_bindings::{kvm_regs, kvm_segment, kvm_sregs};

/// The privilege level of the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ring {
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

impl Ring {
    fn level(self) -> u8 {
        match self {
            Ring::User => 3,
            Ring::Kernel => 0,
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
        let data = self.segment(0x28, false);
        sregs.cs = self.segment(0x30, true);
        (sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss) = (data, data, data, data, data);
        sregs.cr0 = CR0;
        sregs.cr3 = layout::PAGE_TABLES;
        sregs.cr4 = CR4;
        sregs.efer = EFER;
        sregs
    }

    /// The general registers at `entry`, for vCPU `index`.
    pub(crate) fn general(entry: u64, index: u64) -> kvm_regs {
        kvm_regs {
            rip: entry,
            rsp: layout::stack_top(index),
            rdi: index,
            rflags: RFLAGS,
            ..Default::default()
        }
    }
}
