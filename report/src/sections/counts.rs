// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How often KVM and the host did what the strategies differ in, per operation; where the
//! record does not say how many there were, the whole cell is one.
//!
//! Two tables a family: what KVM and the VMM did per operation, and what became of the host
//! in the whole cell: its direct map, interrupts between its CPUs, faults. Arms of a group
//! with equal counts share a row, so that what they differ in stands out.

use crate::{
    counters::{OPERATIONS, medians},
    document::{self, Field},
    model::Family,
    number,
};
use results::{
    Cell,
    compare::Table,
    counter::{KVM_DIRECT_MAP, host, ipi, kvm, tlb, vmm},
};
use std::collections::{BTreeMap, BTreeSet};

/// Counters that are shown per operation, by prefix of their name.
const PER_OPERATION: [&str; 9] = [
    ipi::CALL.key,
    ipi::TLB.key,
    KVM_DIRECT_MAP,
    kvm::EXITS.key,
    kvm::GUEST_MEM_READS.key,
    kvm::GUEST_MEM_WRITES.key,
    kvm::MMIO_EXITS.key,
    tlb::ORIGIN.prefix,
    vmm::EXITS.key,
];

/// Counters of the host, shown for the whole cell.
const IN_TOTAL: [&str; 1] = [host::ORIGIN.prefix];

/// What KVM and the VMM did per operation.
pub(super) fn per_operation(family: &Family<'_>) -> Option<document::Table> {
    let title = format!("Counters per operation: {}", family.name);
    shown(family, title, &PER_OPERATION, true)
}

/// What became of the host in each cell.
pub(super) fn in_total(family: &Family<'_>) -> Option<document::Table> {
    let title = format!("What each cell did to the host: {}", family.name);
    shown(family, title, &IN_TOTAL, false)
}

fn shown(
    family: &Family<'_>,
    title: String,
    prefixes: &[&str],
    per_operation: bool,
) -> Option<document::Table> {
    let names = Names {
        shown: &|name| prefixes.iter().any(|p| name.starts_with(p)),
        short: &str::to_string,
    };
    table(tables(family), title, names, per_operation)
}

fn tables<'t, 'a>(family: &'t Family<'a>) -> impl Iterator<Item = &'t Table<'a>> {
    family.workloads.iter().flat_map(|w| &w.tables)
}

/// One arm's counters.
struct Counted<'a> {
    group: String,
    arm: Field,
    counts: BTreeMap<&'a str, f64>,
}

/// Which counters are shown, and what they are called.
#[derive(Clone, Copy)]
pub(super) struct Names<'f> {
    /// Whether one is shown.
    pub(super) shown: &'f dyn Fn(&str) -> bool,
    /// The head of its column.
    pub(super) short: &'f dyn Fn(&str) -> String,
}

/// The counters of `tables` that `names` has, over the cell or per operation of it; `None`
/// if none says anything.
pub(super) fn table<'t, 'a: 't>(
    tables: impl Iterator<Item = &'t Table<'a>>,
    title: String,
    names: Names<'_>,
    per_operation: bool,
) -> Option<document::Table> {
    let mut counted = Vec::new();
    for table in tables {
        for arm in &table.arms {
            let mut counts = medians(&arm.rows);
            let recorded = counts.remove(OPERATIONS);
            counts.retain(|name, _| (names.shown)(name));
            if per_operation {
                let over = recorded.or_else(|| operations(table)).unwrap_or(1.0);
                counts.values_mut().for_each(|n| *n /= over);
            }
            if !counts.is_empty() {
                counted.push(Counted {
                    group: table.group.to_string(),
                    arm: Field::arm(arm.cell),
                    counts,
                });
            }
        }
    }
    let said = columns(&counted);
    let heads: Vec<String> = said.iter().map(|name| (names.short)(name)).collect();
    let heads = heads.iter().map(String::as_str);
    let columns: Vec<&str> = std::iter::once("strategies with these counts")
        .chain(heads)
        .collect();
    let mut shown = document::Table::new(title, "workload", &columns);
    for arm in counted.iter().filter(|_| !said.is_empty()) {
        let show = |name: &&str| {
            arm.counts
                .get(name)
                .map_or(String::new(), |n| number::count(*n))
                .into()
        };
        shown.share(&arm.group, arm.arm.clone(), said.iter().map(show).collect());
    }
    shown.unless_empty()
}

/// The names of the counters that say something: not 0 throughout, and not a size
/// that was the same before and after in every cell.
fn columns<'a>(counted: &[Counted<'a>]) -> Vec<&'a str> {
    let all = counted.iter().flat_map(|c| c.counts.iter());
    let nonzero: BTreeSet<&str> = all
        .filter(|(_, n)| **n > 0.0)
        .map(|(name, _)| *name)
        .collect();
    let moved = |size: &str| {
        let at =
            |c: &Counted<'_>, when: &str| c.counts.get(format!("{size}.{when}").as_str()).copied();
        counted.iter().any(|c| at(c, "before") != at(c, "after"))
    };
    let says = |name: &&str| match name.rsplit_once('.') {
        Some((size, "before" | "after")) => moved(size),
        _ => true,
    };
    nonzero.into_iter().filter(says).collect()
}

/// How many operations a cell of `table` measures by its parameters: its samples
/// times the operations in each; `None` if they do not say.
fn operations(table: &Table<'_>) -> Option<f64> {
    let cell: &Cell = table.arms.first()?.cell;
    let known = [cell.int("count"), cell.int("batch")];
    let product: f64 = known.iter().flatten().map(|n| *n as f64).product();
    (known.iter().any(Option::is_some) && product > 0.0).then_some(product)
}
