// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which page frame lies behind an address of this process, from
//! /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst).

use super::attempt::PAGE;
use std::{fs::File, io::ErrorKind, os::unix::fs::FileExt};

const PAGEMAP: &str = "/proc/self/pagemap";

/// The number of the page frame behind `address`, or why it is not known.
pub(super) fn behind(address: usize) -> Result<u64, String> {
    let file = File::open(PAGEMAP).map_err(|e| match e.kind() {
        ErrorKind::NotFound => {
            format!("{PAGEMAP}: {e}; mount /proc, on a kernel with CONFIG_PROC_PAGE_MONITOR")
        }
        _ => format!("{PAGEMAP}: {e}; run as root"),
    })?;
    let mut entry = [0; 8];
    let at = address as u64 / PAGE as u64 * 8;
    file.read_exact_at(&mut entry, at)
        .map_err(|e| format!("{PAGEMAP}: read at {at:#x}: {e}"))?;
    frame(u64::from_le_bytes(entry))
}

/// The frame in a pagemap entry: bits 0 to 54 if bit 63 says that there is one.
/// Without CAP_SYS_ADMIN the kernel puts 0 there, which is no frame of ours.
fn frame(entry: u64) -> Result<u64, String> {
    const PRESENT: u64 = 1 << 63;
    const SWAPPED: u64 = 1 << 62;
    match entry & ((1 << 55) - 1) {
        _ if entry & SWAPPED != 0 => Err("the page is swapped out".into()),
        _ if entry & PRESENT == 0 => Err("the page is not resident".into()),
        0 => Err(format!(
            "{PAGEMAP} keeps page frames back: run as root (CAP_SYS_ADMIN)"
        )),
        frame => Ok(frame),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_a_frame_or_a_reason() {
        #[track_caller]
        fn check(entry: u64, expected: Result<u64, &str>) {
            match (frame(entry), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{found:?}, not {expected:?}"),
            }
        }
        check(1 << 63 | 0x1234, Ok(0x1234));
        // Soft-dirty, exclusive and file bits are none of the frame's.
        check(1 << 63 | 1 << 61 | 1 << 56 | 1 << 55 | 7, Ok(7));
        check(1 << 63 | ((1 << 55) - 1), Ok((1 << 55) - 1));
        check(1 << 63, Err("CAP_SYS_ADMIN"));
        check(0, Err("not resident"));
        check(0x1234, Err("not resident"));
        check(1 << 62 | 0x1234, Err("swapped"));
        check(u64::MAX, Err("swapped"));
    }
}
