// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What kind of kernel a file is, and of an ELF that part which a machine loads.

use crate::Error;
use elf::{
    abi::{EI_NIDENT, EM_X86_64},
    endian::LittleEndian,
    file::{Class, FileHeader, parse_ident},
    parse::ParseAt,
    segment::{ProgramHeader, SegmentTable},
};

/// A kernel, told by its first bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    kind: Kind,
    bytes: Vec<u8>,
}

/// How a kernel is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ELF executable, as `make vmlinux` makes it.
    Elf,
    /// A bzImage with a 64-bit entry, which unpacks itself.
    BzImage,
}

// Offsets in an ELF64 header (System V ABI, gABI ch. 4).
const E_SHOFF: usize = 40;
const E_SHNUM: usize = 60;

// The setup header of a bzImage (Documentation/arch/x86/boot.rst).
const MAGIC: std::ops::Range<usize> = 0x202..0x206;
const LOADFLAGS: usize = 0x211;
const XLOADFLAGS: usize = 0x236;

impl Image {
    /// Looks at a kernel. Of an ELF, what lies after the last segment (symbols,
    /// debug information: most of the file) is dropped, as no machine loads it.
    ///
    /// # Errors
    /// What it is instead, one line.
    pub fn new(mut bytes: Vec<u8>) -> Result<Self, String> {
        if bytes.starts_with(b"\x7fELF") {
            let end = elf_end(&bytes)?;
            bytes.truncate(end);
            // Sections are gone.
            bytes[E_SHOFF..E_SHOFF + 8].fill(0);
            bytes[E_SHNUM..E_SHNUM + 4].fill(0);
            return Ok(Image {
                kind: Kind::Elf,
                bytes,
            });
        }
        if bytes.get(MAGIC) != Some(b"HdrS") {
            return Err("neither an ELF file nor a bzImage".into());
        }
        // Bit 0 of each: loaded high, and a 64-bit entry.
        if bytes[LOADFLAGS] & 1 == 0 {
            return Err("a zImage, not a bzImage".into());
        }
        if bytes.get(XLOADFLAGS).is_none_or(|flags| flags & 1 == 0) {
            return Err("a 32-bit kernel".into());
        }
        Ok(Image {
            kind: Kind::BzImage,
            bytes,
        })
    }

    /// How it is packed.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The file, without what no machine loads.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, by value.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Where the last segment of an ELF executable for x86-64 ends in the file.
fn elf_end(bytes: &[u8]) -> Result<usize, String> {
    let cut = || "an ELF file that was cut off".to_string();
    let other = |_| "an ELF file, but none for x86-64".to_string();
    let (ident, rest) = bytes.split_at_checked(EI_NIDENT).ok_or_else(cut)?;
    let ident = parse_ident::<LittleEndian>(ident).map_err(other)?;
    let header = FileHeader::parse_tail(ident, rest).map_err(|_| cut())?;
    if (header.class, header.e_machine) != (Class::ELF64, EM_X86_64) {
        return Err("an ELF file, but none for x86-64".into());
    }
    let entry = ProgramHeader::validate_entsize(Class::ELF64, header.e_phentsize.into());
    let size = u64::from(header.e_phnum) * entry.map_err(|_| cut())? as u64;
    let table_end = header.e_phoff.checked_add(size).ok_or_else(cut)?;
    let table = header.e_phoff as usize..usize::try_from(table_end).map_err(|_| cut())?;
    let table = bytes.get(table).ok_or_else(cut)?;
    let segments = SegmentTable::new(LittleEndian, Class::ELF64, table);
    let mut end = table_end;
    for segment in segments.iter() {
        let segment_end = segment.p_offset.checked_add(segment.p_filesz);
        end = end.max(segment_end.ok_or_else(cut)?);
    }
    match usize::try_from(end) {
        Ok(end) if header.e_phnum > 0 && end <= bytes.len() => Ok(end),
        Ok(_) if header.e_phnum == 0 => Err("an ELF file without a segment to load".into()),
        _ => Err(cut()),
    }
}

impl Kind {
    /// What a record calls it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Elf => "ELF",
            Kind::BzImage => "bzImage",
        }
    }
}

impl From<linux_loader::loader::Error> for Error {
    fn from(error: linux_loader::loader::Error) -> Self {
        Error::Kernel(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const E_MACHINE: usize = 18;
    const E_PHOFF: usize = 32;
    const E_PHENTSIZE: usize = 54;
    const E_PHNUM: usize = 56;
    const P_OFFSET: usize = 8;
    const P_FILESZ: usize = 32;

    fn elf(edit: impl FnOnce(&mut Vec<u8>)) -> Result<Image, String> {
        let mut bytes = vec![0; 0x400];
        // 64 bits, little-endian, version 1.
        bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        bytes[E_MACHINE] = 62;
        bytes[E_PHOFF] = 64;
        bytes[E_SHOFF] = 200;
        bytes[E_PHENTSIZE] = 56;
        bytes[E_PHNUM] = 1;
        bytes[E_SHNUM] = 9;
        bytes[64 + P_OFFSET + 1] = 1; // 0x100
        bytes[64 + P_FILESZ] = 0x80;
        edit(&mut bytes);
        Image::new(bytes)
    }

    #[test]
    fn an_elf_ends_with_its_last_segment() {
        let image = elf(|_| {}).unwrap();
        assert_eq!(image.kind(), Kind::Elf);
        assert_eq!(image.bytes().len(), 0x180);
        assert_eq!((image.bytes()[E_SHOFF], image.bytes()[E_SHNUM]), (0, 0));
        let again = Image::new(image.bytes().to_vec()).unwrap();
        assert_eq!(again, image);
    }

    #[test]
    fn what_is_no_kernel_is_said() {
        let check = |edit: fn(&mut Vec<u8>), expected: &str| {
            let error = elf(edit).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(|b| b[0] = 0, "neither an ELF file nor a bzImage");
        check(|b| b[4] = 1, "none for x86-64");
        check(|b| b[5] = 2, "none for x86-64");
        check(|b| b.truncate(10), "cut off");
        check(|b| b.truncate(40), "cut off");
        check(|b| b[E_MACHINE] = 183, "none for x86-64");
        check(|b| b.truncate(0x170), "cut off");
        check(|b| b.truncate(70), "cut off");
        check(|b| b[E_PHOFF..E_PHOFF + 8].fill(0xff), "cut off");
        check(
            |b| b[64 + P_OFFSET..64 + P_OFFSET + 8].fill(0xff),
            "cut off",
        );
        check(|b| b[E_PHENTSIZE] = 0, "cut off");
        check(|b| b[E_PHNUM] = 0, "without a segment");
        check(|b| b.clear(), "neither");
        for (flags, expected) in [((0, 1), "zImage"), ((1, 0), "32-bit")] {
            let mut bytes = vec![0; 0x400];
            bytes[MAGIC].copy_from_slice(b"HdrS");
            (bytes[LOADFLAGS], bytes[XLOADFLAGS]) = flags;
            assert!(Image::new(bytes).unwrap_err().contains(expected));
        }
    }
}
