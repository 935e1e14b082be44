// SPDX-License-Identifier: GPL-2.0-or-later
//! Which instructions mean something to a TLB, by their bytes (AMD APM vol. 3).

use abi::tlb;

/// An instruction that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// The marker of [`abi::tlb`].
    Marker,
    /// A guest is entered, whose VMCB is at RAX.
    Vmrun,
    /// VMLOAD and VMSAVE: what they access, they access by its physical address.
    Vmstate,
    /// RAX and ECX name an address and its space.
    Invlpga,
    /// An address is invalidated.
    Invlpg(Operand),
    /// Something is invalidated, and the bytes do not say what: INVPCID, and INVLPG of
    /// an address that is found by a segment or in 32 bits.
    Something,
    /// A control register gets the value of a general one.
    Control {
        /// Which control register.
        register: usize,
        /// Which general one, as [`Operand`] numbers them.
        value: usize,
    },
}

/// The address of an operand in memory. Registers are numbered as instructions do:
/// RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operand {
    base: Option<usize>,
    index: Option<(usize, u32)>,
    displacement: i64,
    from_next: bool,
}

impl Operand {
    /// The address, by the registers and the address of the next instruction.
    pub fn address(&self, register: impl Fn(usize) -> u64, next: u64) -> u64 {
        let base = self.base.map_or(0, &register);
        let index = self.index.map_or(0, |(r, scale)| register(r) << scale);
        let next = if self.from_next { next } else { 0 };
        let sum = base.wrapping_add(index).wrapping_add(next);
        sum.wrapping_add_signed(self.displacement)
    }
}

/// What `bytes`, one whole instruction of 64-bit mode, means; nothing if nothing.
pub fn special(bytes: &[u8]) -> Option<Special> {
    if bytes == tlb::MARKER {
        return Some(Special::Marker);
    }
    let (mut strange, mut rex, mut at) = (false, 0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            0x66 | 0xf2 | 0xf3 | 0x2e | 0x36 | 0x3e | 0x26 => rex = 0,
            0x64 | 0x65 | 0x67 => strange = true,
            0x40..=0x4f => rex = *byte,
            _ => break,
        }
        at += 1;
    }
    match bytes.get(at..)? {
        [0x0f, 0x01, 0xd8, ..] => Some(Special::Vmrun),
        [0x0f, 0x01, 0xda | 0xdb, ..] => Some(Special::Vmstate),
        [0x0f, 0x01, 0xdf, ..] => Some(Special::Invlpga),
        [0x0f, 0x01, rest @ ..] => {
            let modrm = *rest.first()?;
            if modrm >> 6 == 3 || modrm >> 3 & 7 != 7 {
                return None;
            }
            let operand = operand(rest, rex).filter(|_| !strange);
            Some(operand.map_or(Special::Something, Special::Invlpg))
        }
        [0x0f, 0x22, modrm, ..] => Some(Special::Control {
            register: extended(modrm >> 3, rex, 2),
            value: extended(*modrm, rex, 0),
        }),
        [0x0f, 0x38, 0x82, ..] if bytes[..at].contains(&0x66) => Some(Special::Something),
        _ => None,
    }
}

/// A register's number: three bits, and one of REX.
fn extended(low: u8, rex: u8, bit: u32) -> usize {
    usize::from(low & 7 | (rex >> bit & 1) << 3)
}

/// The operand in memory of ModRM and what follows.
fn operand(rest: &[u8], rex: u8) -> Option<Operand> {
    let modrm = *rest.first()?;
    let mut operand = Operand::default();
    let mut at = 1;
    let mut displacement = match modrm >> 6 {
        0 => 0,
        1 => 1,
        _ => 4,
    };
    match modrm & 7 {
        4 => {
            let sib = *rest.get(1)?;
            at = 2;
            // RSP stands for no index; RBP, without a displacement, for no base.
            let index = extended(sib >> 3, rex, 1);
            operand.index = (index != 4).then_some((index, u32::from(sib >> 6)));
            match sib & 7 == 5 && displacement == 0 {
                true => displacement = 4,
                false => operand.base = Some(extended(sib, rex, 0)),
            }
        }
        5 if displacement == 0 => (operand.from_next, displacement) = (true, 4),
        _ => operand.base = Some(extended(modrm, rex, 0)),
    }
    let bytes = rest.get(at..at + displacement)?;
    operand.displacement = match *bytes {
        [byte] => i64::from(byte as i8),
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => 0,
    };
    Some(operand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_told_from_what_does_not() {
        #[track_caller]
        fn check(bytes: &[u8], expected: Option<Special>) {
            assert_eq!(special(bytes), expected, "{bytes:02x?}");
        }
        check(&tlb::MARKER, Some(Special::Marker));
        check(b"\x0f\x1f\x84\x00\0\0\0\0", None);
        check(b"\x0f\x01\xd8", Some(Special::Vmrun));
        check(b"\x0f\x01\xda", Some(Special::Vmstate));
        check(b"\x0f\x01\xdb", Some(Special::Vmstate));
        check(b"\x0f\x01\xdf", Some(Special::Invlpga));
        check(b"\x66\x0f\x38\x82\x06", Some(Special::Something));
        check(b"\x0f\x38\x82\x06", None);
        // swapgs and lgdt [rax]
        check(b"\x0f\x01\xf8", None);
        check(b"\x0f\x01\x10", None);
        let control = |register, value| Some(Special::Control { register, value });
        check(b"\x0f\x22\xd8", control(3, 0));
        check(b"\x41\x0f\x22\xe4", control(4, 12));
        check(b"\x44\x0f\x22\xc7", control(8, 7));
        check(b"\x0f\x20\xd8", None);
        check(b"\x48\x8b\x07", None);
        check(b"", None);
        // By a segment: what it invalidates is not known.
        check(b"\x65\x0f\x01\x38", Some(Special::Something));
    }

    #[test]
    fn operands_lead_where_they_do() {
        #[track_caller]
        fn check(bytes: &[u8], expected: u64) {
            let Some(Special::Invlpg(operand)) = special(bytes) else {
                panic!("{bytes:02x?}");
            };
            let register = |r: usize| 0x1000 * (r as u64 + 1);
            assert_eq!(
                operand.address(register, 0x50_0000),
                expected,
                "{bytes:02x?}"
            );
        }
        check(b"\x0f\x01\x38", 0x1000); // [rax]
        check(b"\x41\x0f\x01\x3f", 0x10000); // [r15]
        check(b"\x0f\x01\x7f\xf8", 0x7ff8); // [rdi-8]
        check(b"\x0f\x01\xbe\x00\x01\x00\x00", 0x7100); // [rsi+0x100]
        check(b"\x0f\x01\x3d\x10\x00\x00\x00", 0x50_0010); // [rip+0x10]
        check(b"\x0f\x01\x3c\x24", 0x5000); // [rsp]
        check(b"\x0f\x01\x3c\x88", 0x1000 + 4 * 0x2000); // [rax+rcx*4]
        check(b"\x42\x0f\x01\x3c\xe0", 0x1000 + 8 * 0xd000); // [rax+r12*8]
        check(b"\x0f\x01\x3c\x25\x00\x00\x60\xff", 0xffff_ffff_ff60_0000); // [-0xa00000]
    }

    #[test]
    fn half_an_instruction_is_none() {
        for bytes in [&b"\x0f\x01"[..], b"\x0f", b"\x0f\x22", b"\x66"] {
            assert_eq!(special(bytes), None, "{bytes:02x?}");
        }
        assert_eq!(special(b"\x0f\x01\x3c"), Some(Special::Something));
    }
}
