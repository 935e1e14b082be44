// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The kernel's direct map, as the kernel itself accounts for it.

use crate::memory::meminfo;
use results::counter;
use std::{collections::BTreeMap, fs};

/// The lines of /proc/meminfo about it, one for each size of page.
pub(crate) const FIELDS: [&str; 3] = ["DirectMap4k", "DirectMap2M", "DirectMap1G"];

/// What the direct map consists of, KiB by page size, and what has happened to
/// it since boot, as far as this kernel counts it.
pub fn counters() -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for field in FIELDS {
        if let Some(bytes) = meminfo(field) {
            all.insert(format!("{field}_kib"), bytes.0 >> 10);
        }
    }
    let vmstat = fs::read_to_string("/proc/vmstat").unwrap_or_default();
    for (name, n) in vmstat.lines().filter_map(|l| l.split_once(' ')) {
        if name.starts_with(counter::DIRECT_MAP)
            && let Ok(n) = n.trim().parse()
        {
            all.insert(name.to_string(), n);
        }
    }
    all
}
