// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The kernel's direct map through /proc/kcore: an ELF64 core file whose program
//! headers give the physical address of every piece of RAM.
//!
//! Only segments of the direct map itself count. The kernel's own image is a
//! second mapping of the same memory, and freed parts of it (`__init`) go to the
//! page allocator while that mapping of them is gone: read there, an ordinary
//! page would seem to be hidden.

use super::{
    attempt::{Attempt, PAGE, SECRET},
    frame,
};
use std::{
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
};

const KCORE: &str = "/proc/kcore";

/// The page may move between the question where it is and the read.
const TRIES: usize = 4;

/// What the direct map has where the page at `address` lies.
pub(super) fn read(address: usize) -> Attempt {
    match try_read(address) {
        Ok(attempt) => attempt,
        Err(reason) => Attempt::Unable(reason),
    }
}

fn try_read(address: usize) -> Result<Attempt, String> {
    let file = File::open(KCORE).map_err(|e| match e.kind() {
        ErrorKind::NotFound => {
            format!("{KCORE}: {e}; mount /proc, on a kernel with CONFIG_PROC_KCORE")
        }
        _ => format!("{KCORE}: {e}; run as root (CAP_SYS_RAWIO) on a kernel without lockdown"),
    })?;
    let segments = segments(&file)?;
    let mut before = frame::behind(address)?;
    for _ in 0..TRIES {
        let at = offset(&segments, before).ok_or_else(|| {
            format!("{KCORE}: no segment of the direct map has frame {before:#x}")
        })?;
        let mut bytes = [0; SECRET];
        let read = file.read_exact_at(&mut bytes, at);
        let after = frame::behind(address)?;
        if before != after {
            before = after;
            continue;
        }
        return match read {
            Ok(()) => Ok(Attempt::Bytes(bytes)),
            Err(e) if e.raw_os_error() == Some(libc::EFAULT) => {
                Ok(Attempt::Refused(format!("{KCORE}: {e}")))
            }
            Err(e) => Err(format!("{KCORE}: read at {at:#x}: {e}")),
        };
    }
    Err(format!("the page moved {TRIES} times while it was read"))
}

/// A loadable piece of the core file.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Segment {
    offset: u64,
    virt: u64,
    phys: u64,
    len: u64,
}

const HEADER: usize = 64;
const ENTRY: usize = 56;

fn segments(file: &impl ReadAt) -> Result<Vec<Segment>, String> {
    let said = |e: io::Error| format!("{KCORE}: program headers: {e}");
    let mut header = [0; HEADER];
    file.read_at_exactly(&mut header, 0).map_err(said)?;
    let (at, count) = table(&header)?;
    let mut entries = vec![0; count * ENTRY];
    file.read_at_exactly(&mut entries, at).map_err(said)?;
    Ok(entries.chunks_exact(ENTRY).filter_map(segment).collect())
}

/// Where the program headers are and how many, from the ELF header.
fn table(header: &[u8; HEADER]) -> Result<(u64, usize), String> {
    // Magic, 64 bits, little-endian, version 1.
    if !header.starts_with(b"\x7fELF\x02\x01\x01") {
        return Err(format!("{KCORE} is not a little-endian ELF64 file"));
    }
    let (Some(at), Some(size), Some(count)) =
        (u64_at(header, 32), u16_at(header, 54), u16_at(header, 56))
    else {
        return Err(format!("{KCORE}: the ELF header is cut off"));
    };
    match usize::from(size) {
        ENTRY => Ok((at, count.into())),
        _ => Err(format!(
            "{KCORE}: program headers of {size} bytes, not {ENTRY}"
        )),
    }
}

/// A program header, if it is of a loadable segment (PT_LOAD).
fn segment(entry: &[u8]) -> Option<Segment> {
    let kind = u32::from_le_bytes(entry.get(..4)?.try_into().ok()?);
    (kind == 1).then_some(Segment {
        offset: u64_at(entry, 8)?,
        virt: u64_at(entry, 16)?,
        phys: u64_at(entry, 24)?,
        len: u64_at(entry, 32)?,
    })
}

/// Where the file has page frame `frame` as the direct map has it.
fn offset(segments: &[Segment], frame: u64) -> Option<u64> {
    /// Kernel addresses begin here.
    const KERNEL: u64 = 1 << 63;
    /// The kernel's image begins here, above any direct map.
    const IMAGE: u64 = 0xffff_ffff_8000_0000;
    /// What /proc/kcore writes where it names no physical address.
    const NONE: u64 = u64::MAX;
    let page = PAGE as u64;
    let phys = frame.checked_mul(page)?;
    let direct = segments
        .iter()
        .filter(|s| (KERNEL..IMAGE).contains(&s.virt) && s.phys != NONE);
    let mut holding = direct.filter_map(|s| {
        let from = phys.checked_sub(s.phys)?;
        (from.checked_add(page)? <= s.len).then(|| s.offset.checked_add(from))?
    });
    holding.next()
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// A file, or bytes that a test made.
trait ReadAt {
    fn read_at_exactly(&self, into: &mut [u8], at: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn read_at_exactly(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        self.read_exact_at(into, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl ReadAt for Vec<u8> {
        fn read_at_exactly(&self, into: &mut [u8], at: u64) -> io::Result<()> {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            let end = at.saturating_add(into.len());
            let bytes = self.get(at..end).ok_or(ErrorKind::UnexpectedEof)?;
            into.copy_from_slice(bytes);
            Ok(())
        }
    }

    const DIRECT: u64 = 0xffff_8880_0000_0000;

    /// An ELF file with these program headers: kind, offset, virt, phys, len.
    fn elf(entries: &[(u32, [u64; 4])]) -> Vec<u8> {
        let mut file = vec![0; HEADER];
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        file[32..40].copy_from_slice(&(HEADER as u64).to_le_bytes());
        file[54..56].copy_from_slice(&(ENTRY as u16).to_le_bytes());
        file[56..58].copy_from_slice(&(entries.len() as u16).to_le_bytes());
        for (kind, [offset, virt, phys, len]) in entries {
            file.extend(kind.to_le_bytes());
            file.extend([0; 4]);
            for word in [*offset, *virt, *phys, *len, *len, 4096] {
                file.extend(word.to_le_bytes());
            }
        }
        file
    }

    #[test]
    fn a_frame_is_found_in_the_direct_map_alone() {
        let file = elf(&[
            (4, [0, 0, 0, 0]),
            // The kernel's image over frames 16 to 31, vmalloc without a
            // physical address, then RAM below and above a hole.
            (1, [0x9_0000, 0xffff_ffff_8100_0000, 0x1_0000, 0x1_0000]),
            (1, [0xa_0000, 0xffff_c900_0000_0000, u64::MAX, 0x10_0000]),
            (1, [0x1000, DIRECT, 0, 0x2_0000]),
            (1, [0x10_0000, DIRECT + 0x10_0000, 0x10_0000, 0x1800]),
        ]);
        let segments = segments(&file).unwrap();
        assert_eq!(segments.len(), 4);
        let check = |frame, expected| assert_eq!(offset(&segments, frame), expected, "{frame:#x}");
        check(0, Some(0x1000));
        check(16, Some(0x1_1000));
        check(31, Some(0x2_0000));
        check(32, None);
        check(0x100, Some(0x10_0000));
        // Half a page is no page.
        check(0x101, None);
        check(u64::MAX, None);
        check(u64::MAX / 4096, None);
    }

    #[test]
    fn segments_that_would_overflow_hold_nothing() {
        let file = elf(&[(1, [u64::MAX, DIRECT, 0, u64::MAX])]);
        let segments = segments(&file).unwrap();
        assert_eq!(offset(&segments, 1), None);
    }

    #[test]
    fn what_is_no_core_file_says_so() {
        #[track_caller]
        fn check(file: Vec<u8>, expected: &str) {
            let error = segments(&file).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        check(vec![], "program headers");
        check(vec![0; 200], "not a little-endian ELF64 file");
        let mut narrow = elf(&[]);
        narrow[4] = 1;
        check(narrow, "not a little-endian ELF64 file");
        let mut entries = elf(&[]);
        entries[54] = 32;
        check(entries, "of 32 bytes");
        let mut cut = elf(&[(1, [0; 4])]);
        cut.pop();
        check(cut, "program headers");
        let mut far = elf(&[(1, [0; 4])]);
        far[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
        check(far, "program headers");
    }
}
