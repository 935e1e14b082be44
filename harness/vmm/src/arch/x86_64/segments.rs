// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Flat segments, as a GDT has them and as a vCPU does.

use kvm_bindings::kvm_segment;

/// What a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// 64-bit code.
    Code,
    /// Data and stack.
    Data,
}

impl Segment {
    /// Executable and readable, or writable; accessed (Intel SDM vol. 3A, table 3-1).
    fn kind(self) -> u8 {
        match self {
            Segment::Code => 0b1011,
            Segment::Data => 0b0011,
        }
    }

    /// As a GDT has it: flat, 4 KiB granular, present, of privilege `level` (Intel SDM
    /// vol. 3A, figure 3-8).
    pub(super) fn descriptor(self, level: u8) -> u64 {
        let flags = match self {
            Segment::Code => 0b1010,
            Segment::Data => 0b1100,
        };
        let access = 0b1001 << 4 | u64::from(level) << 5 | u64::from(self.kind());
        flags << 52 | 0xf << 48 | access << 40 | 0xffff
    }

    /// As a vCPU has it that loaded `selector`.
    pub(super) fn loaded(self, selector: u16, level: u8) -> kvm_segment {
        let code = self == Segment::Code;
        kvm_segment {
            base: 0,
            limit: u32::MAX,
            selector: selector | u16::from(level),
            type_: self.kind(),
            present: 1,
            dpl: level,
            db: u8::from(!code),
            s: 1,
            l: u8::from(code),
            g: 1,
            ..Default::default()
        }
    }
}
