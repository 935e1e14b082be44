// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the kernel has done for this process, and between CPUs.

use results::counter::{self, ipi};
use std::{collections::BTreeMap, fs};

/// What has been done for this process, and between CPUs, so far: `minor_faults` of
/// this process, the machine's interrupts from one CPU to another, by kind, and its
/// TLB flushes where it counts them.
pub fn so_far() -> BTreeMap<String, u64> {
    let mut all = interrupts_in(&fs::read_to_string("/proc/interrupts").unwrap_or_default());
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold anything; minflt is the eighth field after it.
    let faults = stat.rsplit(')').next().and_then(|rest| {
        let field = rest.split_whitespace().nth(7)?;
        field.parse().ok()
    });
    all.extend(faults.map(|n| (counter::MINOR_FAULTS.key.to_string(), n)));
    all.extend(flushes());
    all
}

/// What [`so_far`] has grown by since it was `before`.
pub fn since(before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut now = so_far();
    for (name, n) in &mut now {
        *n = n.saturating_sub(before.get(name).copied().unwrap_or(0));
    }
    now
}

/// TLB flushes of the whole machine, as a kernel counts them that was built with
/// CONFIG_DEBUG_TLBFLUSH; nothing from others.
fn flushes() -> Vec<(String, u64)> {
    let vmstat = fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let count = |line: &str| {
        let (name, n) = line.split_once(' ')?;
        let name = name.strip_prefix("nr_tlb_")?;
        Some((counter::tlb::ORIGIN.key(name), n.trim().parse().ok()?))
    };
    vmstat.lines().filter_map(count).collect()
}

fn interrupts_in(text: &str) -> BTreeMap<String, u64> {
    let kinds = [
        ("RES:", ipi::RESCHEDULE.key),
        ("CAL:", ipi::CALL.key),
        ("TLB:", ipi::TLB.key),
    ];
    let of = |(label, name): (&str, &str)| {
        let mut lines = text.lines().map(str::trim_start);
        let counts = lines.find_map(|line| line.strip_prefix(label))?;
        let numbers = counts
            .split_whitespace()
            .map_while(|w| w.parse::<u64>().ok());
        Some((name.to_string(), numbers.sum()))
    };
    kinds.into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupts_are_added_up_over_cpus() {
        let text = "           CPU0       CPU1\n  4:  7  0  IO-APIC  4-edge  ttyS0\n\
                    RES:        10          2   Rescheduling interrupts\n\
                    TLB:         3          4   TLB shootdowns\n";
        let found: Vec<_> = interrupts_in(text).into_iter().collect();
        let expected = [
            ("ipi.reschedule".to_string(), 12),
            ("ipi.tlb".to_string(), 7),
        ];
        assert_eq!(found, expected);
        assert!(so_far()["minor_faults"] > 0);
    }
}
