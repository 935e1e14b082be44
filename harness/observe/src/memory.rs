// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Memory: the machine's, and how mappings of this process are backed.

use results::unit::Bytes;
use std::fs;

/// Memory that a new process could use without swapping.
pub fn available() -> Option<Bytes> {
    meminfo("MemAvailable")
}

/// How a mapping of this process is backed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backing {
    /// Bytes that have a page.
    pub resident: Bytes,
    /// Bytes of them that are mapped by huge pages.
    pub huge: Bytes,
}

/// The backing of the mapping at `address` of this process. `None` if there is
/// no such mapping.
pub fn backing(address: usize) -> Option<Backing> {
    backing_in(&fs::read_to_string("/proc/self/smaps").ok()?, address)
}

fn backing_in(smaps: &str, address: usize) -> Option<Backing> {
    let mut inside = false;
    let (mut resident, mut huge, mut reserved) = (None, 0, 0);
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next()?;
        if let Some((start, end)) = first.split_once('-') {
            let hex = |s| usize::from_str_radix(s, 16).ok();
            inside = hex(start)? <= address && address < hex(end)?;
        } else if inside {
            let bytes = words
                .next()
                .and_then(|n| n.parse::<u64>().ok())
                .map(|kib| kib * 1024);
            match first {
                "Rss:" => resident = bytes,
                "AnonHugePages:" | "ShmemPmdMapped:" | "FilePmdMapped:" => huge += bytes?,
                // In no other line, Rss least of all.
                "Shared_Hugetlb:" | "Private_Hugetlb:" => reserved += bytes?,
                _ => {}
            }
        }
    }
    Some(Backing {
        resident: Bytes(resident? + reserved),
        huge: Bytes(huge + reserved),
    })
}

/// An amount of memory in /proc/meminfo.
pub(crate) fn meminfo(field: &str) -> Option<Bytes> {
    meminfo_number(field).map(|kib| Bytes(kib * 1024))
}

fn meminfo_number(field: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let value = |l: &str| {
        let rest = l.strip_prefix(field)?.strip_prefix(':')?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    };
    text.lines().find_map(value)
}

/// `bytes` in whole MiB.
pub(crate) fn mib(bytes: Bytes) -> String {
    format!("{} MiB", bytes.0 >> 20)
}

/// Huge pages reserved and free, and their size; `None` without hugetlbfs.
pub(crate) fn hugetlb() -> Option<String> {
    let size = meminfo("Hugepagesize").map(mib)?;
    let count = |field| meminfo_number(field).map_or("?".to_string(), |n| n.to_string());
    let [total, free] = ["HugePages_Total", "HugePages_Free"].map(count);
    Some(format!("{total} reserved, {free} free, of {size}"))
}

/// RLIMIT_MEMLOCK, soft and hard, with their unit.
pub(crate) fn memlock() -> Option<String> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find(|l| l.starts_with("Max locked memory"))?;
    Some(
        line.split_whitespace()
            .skip(3)
            .collect::<Vec<_>>()
            .join(" "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backing_is_that_of_the_right_mapping() {
        let smaps = "1000-3000 rw-s 00000000 00:01 5 /memfd:x (deleted)\n\
                     Size: 8 kB\nRss: 8192 kB\nAnonHugePages: 2048 kB\nShmemPmdMapped: 4096 kB\n\
                     Shared_Hugetlb: 2048 kB\nPrivate_Hugetlb: 0 kB\n\
                     3000-4000 rw-p 00000000 00:00 0\nRss: 4 kB\nAnonHugePages: 0 kB\nVmFlags: rd wr\n";
        let check = |address, expected: Option<(u64, u64)>| {
            let expected = expected.map(|(resident, huge)| Backing {
                resident: Bytes(resident),
                huge: Bytes(huge),
            });
            assert_eq!(backing_in(smaps, address), expected);
        };
        check(0x2fff, Some((10 << 20, 8 << 20)));
        check(0x3000, Some((4096, 0)));
        check(0x4000, None);
    }
}
