// SPDX-License-Identifier: Apache-2.0 OR MIT
//! As much of an instruction decoder as an enlightened guest needs that knows its
//! own device accesses: a load from the address in a register, without
//! displacement (Intel SDM vol. 2A, 2.1 and MOV).

/// The number of RDI in an instruction.
pub const RDI: u8 = 7;

/// A decoded load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// The register that holds the address.
    pub base: u8,
    /// The register that receives the value.
    pub to: u8,
    /// Bytes loaded.
    pub width: u8,
    /// Bytes of the instruction.
    pub length: u8,
}

/// Decodes `mov r32, [base]` or, with REX.W, `mov r64, [base]` from the eight
/// bytes of `code`, first byte lowest; `None` if it is anything else.
#[inline]
pub fn load(code: u64) -> Option<Load> {
    let [first, second, third, ..] = code.to_le_bytes();
    let (rex, opcode, modrm, length) = match first {
        0x40..=0x4f => (first, second, third, 3),
        _ => (0, first, second, 2),
    };
    let (mode, to, base) = (modrm >> 6, modrm >> 3 & 7, modrm & 7);
    // Without displacement, 4 asks for a further byte and 5 for one of RIP.
    if opcode != 0x8b || mode != 0 || base == 4 || base == 5 {
        return None;
    }
    Some(Load {
        base: base | (rex & 1) << 3,
        to: to | (rex & 4) << 1,
        width: if rex & 8 != 0 { 8 } else { 4 },
        length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_decoded_and_others_are_not() {
        let check = |bytes: &[u8], expected: Option<(u8, u8, u8, u8)>| {
            let mut code = [0xcc; 8];
            code[..bytes.len()].copy_from_slice(bytes);
            let expected = expected.map(|(base, to, width, length)| Load {
                base,
                to,
                width,
                length,
            });
            assert_eq!(load(u64::from_le_bytes(code)), expected, "{bytes:x?}");
        };
        check(&[0x8b, 0x07], Some((7, 0, 4, 2))); // mov eax, [rdi]
        check(&[0x48, 0x8b, 0x0b], Some((3, 1, 8, 3))); // mov rcx, [rbx]
        check(&[0x45, 0x8b, 0x02], Some((10, 8, 4, 3))); // mov r8d, [r10]
        check(&[0x8b, 0x04, 0x24], None); // mov eax, [rsp]
        check(&[0x8b, 0x05], None); // mov eax, [rip+...]
        check(&[0x8b, 0x47, 0x08], None); // mov eax, [rdi+8]
        check(&[0x89, 0x07], None); // mov [rdi], eax
    }
}
