// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What became of the host's direct map: how much of it pages of each size mapped
//! before and after, what was split, which pages were taken out and put back. From
//! the counters `host.DirectMap*` and `host.direct_map_*`, over all blocks and the
//! warm-up: a mapping that the warm-up split is split for the others too.

use super::said::Said;
use crate::{
    document::{Field, Table},
    model::{self, Bed, Model, entry},
    number,
};
use results::{
    Cell, Outcome, Testbed,
    counter::{DIRECT_MAP, host},
    record::Counters,
};
use std::collections::BTreeMap;

/// The title of the table.
const TITLE: &str = "Direct map";

/// How the table is to be read.
const ABOUT: &str = "4k, 2M, 1G: what pages of that size map in the direct map, in MiB, before and \
after the cells of an arm. For 4k that is the lowest value before a cell and the highest after one, \
for larger pages the reverse. The other columns are events, summed over all cells, warm-up included. \
In the lab each arm and family boots its own machine; on a host, a mapping that one arm split stays \
split for the next.";

/// The sizes of pages that map the direct map.
const SIZES: [&str; 3] = ["4k", "2M", "1G"];

/// Events by the end of their counter's name, with what they are called.
const EVENTS: [(&str, &str); 8] = [
    ("level2_splits", "2M split"),
    ("level3_splits", "1G split"),
    ("level2_collapses", "2M merged"),
    ("level3_collapses", "1G merged"),
    ("folio_zaps", "taken out"),
    ("folio_restores", "put back"),
    ("folio_reinserts", "reinserted"),
    ("folio_removes", "removed"),
];

/// What the cells of one arm, or of one strategy, did.
#[derive(Clone, Debug, Default, PartialEq)]
struct Moved {
    cells: u64,
    /// Cells in which anything was split.
    split: u64,
    /// The most splits of one cell.
    most: u64,
    /// By the size of pages, KiB before and after.
    kib: BTreeMap<&'static str, (u64, u64)>,
    events: BTreeMap<String, u64>,
}

/// What became of a testbed's direct map; nothing if no cell recorded any.
pub(super) fn answer(_: &Model<'_>, bed: &Bed<'_>, _: &[&str]) -> Said {
    let mut arms: Vec<(&Cell, Moved)> = Vec::new();
    let mut strategies: Vec<(String, Moved)> = Vec::new();
    for cell in &bed.arms {
        let found = bed.tables().flat_map(|table| &table.arms);
        let found = found.filter(|arm| model::same_arm(arm.cell, cell));
        let mut moved = Moved::default();
        for row in found.flat_map(|arm| &arm.rows) {
            if let Outcome::Measured { counters, .. } = &row.outcome {
                moved.add(counters);
            }
        }
        if moved.cells > 0 {
            let name = &cell.strategy;
            let of = |(known, _): &(String, Moved)| known == name;
            let all = entry(&mut strategies, of, || (name.clone(), Moved::default()));
            all.1.join(&moved);
            arms.push((cell, moved));
        }
    }
    let mut sentences: Vec<(String, Vec<String>)> = Vec::new();
    for (name, moved) in &strategies {
        let said = moved.sentence();
        let shared = entry(
            &mut sentences,
            |(s, _)| *s == said,
            || (said.clone(), vec![]),
        );
        let modes = bed
            .arms
            .iter()
            .filter(|cell| cell.strategy == *name)
            .count();
        shared.1.push(match modes {
            0 | 1 => name.clone(),
            n => format!("{name} (all {n} modes)"),
        });
    }
    let sentences = sentences.into_iter();
    let sentences = sentences.map(|(said, names)| format!("{}: {said}", names.join(", ")));
    if arms.is_empty() {
        return Said::default();
    }
    Said {
        sentences: sentences.collect(),
        tables: vec![table(&arms, bed.testbed)],
        ..Said::default()
    }
}

fn table(arms: &[(&Cell, Moved)], testbed: Testbed) -> Table {
    let resized = |size: &&str| {
        let mut sizes = arms.iter().filter_map(|(_, moved)| moved.kib.get(size));
        *size == "4k" || sizes.any(|(before, after)| before != after)
    };
    let sizes: Vec<&str> = SIZES.into_iter().filter(resized).collect();
    let mut names: Vec<&String> = Vec::new();
    for name in arms.iter().flat_map(|(_, moved)| moved.events.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.sort_by_key(|name| EVENTS.iter().position(|(end, _)| end == *name));
    let heads = sizes
        .iter()
        .flat_map(|size| ["before", "after"].map(|when| format!("{size} {when}")));
    let heads = heads.chain(names.iter().map(|name| called(name).to_string()));
    let heads: Vec<String> = ["strategy".into(), "cells".into()]
        .into_iter()
        .chain(heads)
        .collect();
    let mut out = Table::new(format!("{TITLE} before and after ({testbed})"), "", &heads);
    out.about = ABOUT.to_string();
    for (arm, moved) in arms {
        let sizes = sizes.iter().flat_map(|size| match moved.kib.get(size) {
            Some((before, after)) => [*before, *after].map(mib),
            None => [(); 2].map(|()| String::new()),
        });
        let events = names
            .iter()
            .map(|name| show(moved.events.get(*name).copied().unwrap_or(0)));
        let cells = [moved.cells.to_string()].into_iter().chain(sizes);
        let figures = cells.chain(events).map(Field::from);
        out.share("", Field::arm(arm), figures.collect());
    }
    out
}

fn called(event: &str) -> &str {
    let known = EVENTS.iter().find(|(end, _)| *end == event);
    known.map_or(event, |(_, words)| words)
}

fn show(n: u64) -> String {
    number::grouped(&n.to_string())
}

/// `1 split`, `1,234 splits`.
fn counted(n: u64, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{} {what}s", show(n)),
    }
}

fn mib(kib: u64) -> String {
    number::significant(kib as f64 / 1024.0, 5)
}

impl Moved {
    /// Adds a cell, if it recorded the direct map.
    fn add(&mut self, counters: &Counters) {
        let mut cell = Moved::default();
        for size in SIZES {
            let at = |when| {
                counters
                    .get(&host::ORIGIN.key(&format!("DirectMap{size}_kib.{when}")))
                    .copied()
            };
            if let (Some(before), Some(after)) = (at("before"), at("after")) {
                cell.kib.insert(size, (before, after));
            }
        }
        for (name, n) in counters {
            let event = host::ORIGIN
                .name(name)
                .and_then(|name| name.strip_prefix(DIRECT_MAP));
            if let Some(event) = event.filter(|_| *n > 0) {
                cell.events.insert(event.to_string(), *n);
            }
        }
        if cell == Moved::default() {
            return;
        }
        cell.cells = 1;
        cell.most = cell.splits();
        cell.split = u64::from(cell.most > 0);
        self.join(&cell);
    }

    /// Both together.
    fn join(&mut self, other: &Moved) {
        self.cells += other.cells;
        self.split += other.split;
        self.most = self.most.max(other.most);
        for (size, &(before, after)) in &other.kib {
            let own = self.kib.entry(size).or_insert((before, after));
            *own = match *size {
                "4k" => (own.0.min(before), own.1.max(after)),
                _ => (own.0.max(before), own.1.min(after)),
            };
        }
        for (name, n) in &other.events {
            let own = self.events.entry(name.clone()).or_default();
            *own = own.saturating_add(*n);
        }
    }

    fn splits(&self) -> u64 {
        let splits = self
            .events
            .iter()
            .filter(|(name, _)| name.ends_with("_splits"));
        splits.fold(0, |sum: u64, (_, n)| sum.saturating_add(*n))
    }

    fn event(&self, name: &str) -> u64 {
        self.events.get(name).copied().unwrap_or(0)
    }

    /// What became of the direct map.
    fn sentence(&self) -> String {
        let mut parts = Vec::new();
        let grown = self.kib.get("4k").filter(|(before, after)| before != after);
        match self.splits() {
            0 if grown.is_none() => parts.push("no mapping was split in any cell".to_string()),
            n => parts.push(format!(
                "{} in {} of {}, at most {} in one",
                counted(n, "split"),
                show(self.split),
                counted(self.cells, "cell"),
                show(self.most)
            )),
        }
        if let Some((before, after)) = grown {
            let [before, after] = [*before, *after].map(mib);
            parts.push(format!(
                "what 4 KiB pages map went from {before} to {after} MiB"
            ));
            let merged = self.event("level2_collapses") + self.event("level3_collapses");
            parts.push(match merged {
                0 if self.splits() > 0 => {
                    "nothing was merged again in the cell that split it".into()
                }
                0 => "nothing was merged".into(),
                n => format!("{} merged again", counted(n, "mapping")),
            });
        }
        let out = self.event("folio_zaps");
        let back = self.event("folio_restores");
        match (out, back) {
            (0, 0) => {}
            (out, back) if out == back => {
                parts.push(format!("{} taken out and put back", counted(out, "folio")));
            }
            (out, back) => parts.push(format!(
                "{} taken out, {} put back",
                counted(out, "folio"),
                show(back)
            )),
        }
        match self.event("folio_reinserts") {
            0 => {}
            n => parts.push(format!("{} for accesses", counted(n, "reinsertion"))),
        }
        parts.join("; ") + "."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(all: &[(&str, u64)]) -> Counters {
        all.iter().map(|(k, n)| (format!("host.{k}"), *n)).collect()
    }

    #[test]
    fn what_became_of_it_is_a_sentence() {
        let check = |cells: &[&[(&str, u64)]], expected: &str| {
            let mut moved = Moved::default();
            for cell in cells {
                moved.add(&counters(cell));
            }
            assert_eq!(moved.sentence(), expected);
        };
        let size = |before, after| {
            [
                ("DirectMap4k_kib.before", before),
                ("DirectMap4k_kib.after", after),
            ]
        };
        check(&[&size(1024, 1024)], "no mapping was split in any cell.");
        let [before, after] = size(1024, 3072);
        let zapped = [
            before,
            after,
            ("direct_map_level2_splits", 1),
            ("direct_map_folio_zaps", 16),
            ("direct_map_folio_restores", 15),
            ("direct_map_folio_reinserts", 1200),
        ];
        check(
            &[&zapped, &size(3072, 3072)],
            "1 split in 1 of 2 cells, at most 1 in one; what 4 KiB pages map went from 1 to 3 MiB; \
             nothing was merged again in the cell that split it; 16 folios taken out, 15 put back; 1,200 reinsertions for accesses.",
        );
        let [before, after] = size(3072, 2048);
        check(
            &[&[before, after, ("direct_map_level2_collapses", 2)]],
            "0 splits in 0 of 1 cell, at most 0 in one; what 4 KiB pages map went from 3 to 2 MiB; \
             2 mappings merged again.",
        );
    }

    #[test]
    fn a_cell_that_did_not_look_is_no_cell() {
        let mut moved = Moved::default();
        moved.add(&Counters::from([("kvm.exits".into(), 3)]));
        assert_eq!(moved, Moved::default());
    }
}
