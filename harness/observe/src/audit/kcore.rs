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
use elf::{ElfStream, abi::PT_LOAD, endian::LittleEndian, segment::ProgramHeader};
use std::{
    fs::File,
    io::{ErrorKind, Read, Seek},
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

/// The loadable segments of the core file.
fn segments(file: impl Read + Seek) -> Result<Vec<ProgramHeader>, String> {
    let file = ElfStream::<LittleEndian, _>::open_stream(file);
    let file = file.map_err(|e| format!("{KCORE}: program headers: {e}"))?;
    let mut all = file.segments().clone();
    all.retain(|header| header.p_type == PT_LOAD);
    Ok(all)
}

/// Where the file has page frame `frame` as the direct map has it.
fn offset(segments: &[ProgramHeader], frame: u64) -> Option<u64> {
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
        .filter(|s| (KERNEL..IMAGE).contains(&s.p_vaddr) && s.p_paddr != NONE);
    let mut holding = direct.filter_map(|s| {
        let from = phys.checked_sub(s.p_paddr)?;
        (from.checked_add(page)? <= s.p_filesz).then(|| s.p_offset.checked_add(from))?
    });
    holding.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// Bytes of an ELF header, and of a program header.
    const HEADER: usize = 64;
    const ENTRY: usize = 56;
    const DIRECT: u64 = 0xffff_8880_0000_0000;

    /// An ELF file with these program headers: kind, offset, virt, phys, len.
    fn elf(entries: &[(u32, [u64; 4])]) -> Vec<u8> {
        let mut file = vec![0; HEADER];
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        file[20] = 1;
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
        let segments = segments(Cursor::new(file)).unwrap();
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
        let segments = segments(Cursor::new(file)).unwrap();
        assert_eq!(offset(&segments, 1), None);
    }

    #[test]
    fn what_is_no_core_file_says_so() {
        #[track_caller]
        fn check(file: Vec<u8>, expected: &str) {
            let error = segments(Cursor::new(file)).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        check(vec![], "program headers");
        check(vec![0; 200], "Magic");
        let mut big = elf(&[]);
        big[5] = 2;
        check(big, "Endian");
        let mut entries = elf(&[(1, [0; 4])]);
        entries[54] = 32;
        check(entries, "program headers");
        let mut cut = elf(&[(1, [0; 4])]);
        cut.pop();
        check(cut, "program headers");
        let mut far = elf(&[(1, [0; 4])]);
        far[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
        check(far, "program headers");
    }
}
