// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Interrupts by which a CPU has others flush their TLBs, per operation, against the
//! number of CPUs.

use super::said::Said;
use crate::{
    counters::{self, OPERATIONS},
    document::{self, Field},
    model::{self, Bed, LAB_CPUS, Model, entry},
    number,
};
use results::{
    cell::ParamValue,
    compare::{Arm, Table},
    counter::ipi,
};
use std::collections::BTreeSet;

/// Fewer an operation than this in every arm are whatever else ran on the machine.
const FEWEST: f64 = 0.1;

/// What the counts are.
const ABOUT: &str = "Function-call interrupts that the machine's CPUs received (CAL of \
/proc/interrupts), per operation: a flush of a page of the direct map is one to every other CPU \
that is online. In brackets, how many of them flushed a process's own mappings (TLB of \
/proc/interrupts). Workloads where no strategy came to 0.1 are left out.";

/// An arm, and by the number of CPUs what it received.
type Received = (Field, Vec<(u64, String)>);

/// Interrupts on a testbed.
pub(super) fn answer(_: &Model<'_>, bed: &Bed<'_>, _: &[&str]) -> Said {
    Said {
        tables: table(bed).into_iter().collect(),
        ..Said::default()
    }
}

/// A row an arm, a column a number of CPUs; arms of one workload with equal counts share
/// a row. `None` if there were none.
pub(super) fn table(bed: &Bed<'_>) -> Option<document::Table> {
    let mut cpus: BTreeSet<u64> = BTreeSet::new();
    let swept = bed.tables().any(|table| of_table(table) > 0);
    let counted = || bed.tables().filter(|table| !swept || of_table(table) > 0);
    cpus.extend(counted().map(of_table));
    let groups = model::across(counted(), LAB_CPUS);
    let names: Vec<String> = cpus.iter().map(|n| column(*n)).collect();
    let columns: Vec<&str> = std::iter::once("strategies with these counts")
        .chain(names.iter().map(String::as_str))
        .collect();
    let mut out = document::Table::new("Shootdowns per operation by CPUs", "workload", &columns);
    out.about = ABOUT.to_string();
    for (group, tables) in groups {
        let mut most = 0.0_f64;
        let mut arms: Vec<Received> = Vec::new();
        for table in tables {
            for arm in &table.arms {
                if let Some((calls, shown)) = received(arm) {
                    most = most.max(calls);
                    let name = Field::arm(arm.cell);
                    let found = entry(
                        &mut arms,
                        |(known, _)| *known == name,
                        || (name.clone(), Vec::new()),
                    );
                    found.1.push((of_table(table), shown));
                }
            }
        }
        if most >= FEWEST {
            for (arm, counts) in arms {
                let at = |n: &u64| counts.iter().find(|(cpus, _)| cpus == n);
                let cells = cpus
                    .iter()
                    .map(|n| at(n).map_or("-".into(), |(_, s)| s.as_str().into()));
                out.share(&group.to_string(), arm, cells.collect());
            }
        }
    }
    out.unless_empty()
}

/// How many CPUs the machine of `table` had; 0 where that is this machine's number.
fn of_table(table: &Table<'_>) -> u64 {
    match table.group.params.get(LAB_CPUS) {
        Some(ParamValue::Int(n)) => *n,
        _ => 0,
    }
}

fn column(cpus: u64) -> String {
    match cpus {
        0 => "this machine".into(),
        n => model::cpus(n),
    }
}

/// Interrupts per operation, and as they are shown; `None` if they were not counted.
fn received(arm: &Arm<'_>) -> Option<(f64, String)> {
    let counts = counters::medians(&arm.rows);
    let operations = counts.get(OPERATIONS).filter(|n| **n > 0.0)?;
    let calls = counts.get(ipi::CALL.key)? / operations;
    let tlb = counts.get(ipi::TLB.key).map_or(0.0, |n| n / operations);
    let shown = number::significant(calls, 3);
    Some(match tlb >= FEWEST / 10.0 {
        true => (calls, format!("{shown} ({})", number::significant(tlb, 3))),
        false => (calls, shown),
    })
}
