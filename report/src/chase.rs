// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Pointer chases over more and more places: what translation costs a load, and the
//! reach and the penalty of each level of the TLB that this shows.
//!
//! A chase over places a page apart and one over as many lines side by side use the
//! same amount of cache; their difference within a block is translation.

use crate::{
    counters::{self, OPERATIONS, says_misses},
    model::{Bed, Workload, entry},
    shape::{BY_LINE, BY_PAGE, PLACES, SPACING},
};
use results::{
    Cell, Unit,
    cell::{Group, ParamValue},
    compare::{Arm, Blocks, Table, blocks},
    counter::{MODEL_GUEST, PAGES, PMU_GUEST, mapped},
    stats::{Level, levels, median},
};
use std::collections::BTreeMap;

/// A curve an arm, with all other parameters the same.
pub(crate) struct Chase<'a> {
    /// The workload and those parameters.
    pub(crate) group: Group,
    /// The unit of the costs.
    pub(crate) unit: Unit,
    /// Every arm of which something was measured.
    pub(crate) curves: Vec<Curve<'a>>,
}

/// One arm's chases.
pub(crate) struct Curve<'a> {
    pub(crate) cell: &'a Cell,
    /// By the number of pages, ascending.
    pub(crate) points: Vec<Point>,
    /// What KVM had mapped by pages of each size at the most places.
    pub(crate) mapped: Vec<(String, f64)>,
    /// What translation adds to a load, block by block, and what one costs that misses
    /// nothing: what levels are fitted to.
    costs: Vec<(u64, Blocks)>,
    base: f64,
    seed: u64,
}

/// One working set.
pub(crate) struct Point {
    /// How many pages it has.
    pub(crate) pages: f64,
    /// The median over blocks of a load with the places a page apart.
    pub(crate) page: f64,
    /// The same with as many lines side by side.
    pub(crate) line: f64,
    /// What was counted of a load in the guest with the places a page apart, by the name
    /// of the counter.
    pub(crate) counts: BTreeMap<String, f64>,
}

/// The tables of one arm by how far apart and how many places.
type Found<'t, 'a> = BTreeMap<(String, u64), &'t Arm<'a>>;

/// The chases of `bed`, whatever they are called: workloads that have both parameters.
pub(crate) fn of<'a>(bed: &Bed<'a>) -> Vec<Chase<'a>> {
    let workloads = bed.families.iter().flat_map(|family| &family.workloads);
    workloads.flat_map(|w| of_workload(w, bed.seed)).collect()
}

fn of_workload<'a>(workload: &Workload<'a>, seed: u64) -> Vec<Chase<'a>> {
    let mut groups: Vec<(Group, Vec<&Table<'a>>)> = Vec::new();
    for table in &workload.tables {
        let mut group = table.group.clone();
        let apart = group.params.remove(SPACING);
        if apart.is_some() && group.params.remove(PLACES).is_some() {
            let same = |(known, _): &(Group, _)| *known == group;
            let found = entry(&mut groups, same, || (group.clone(), Vec::new()));
            found.1.push(table);
        }
    }
    let groups = groups.into_iter();
    groups
        .filter_map(|(group, tables)| chase(group, &tables, seed))
        .collect()
}

fn chase<'a>(group: Group, tables: &[&Table<'a>], seed: u64) -> Option<Chase<'a>> {
    let unit = tables.iter().find_map(|table| table.unit)?;
    let mut arms: Vec<(&'a Cell, Found<'_, 'a>)> = Vec::new();
    for table in tables {
        let (apart, places) = (
            table.group.params.get(SPACING)?,
            table.group.params.get(PLACES)?,
        );
        let ParamValue::Int(places) = places else {
            continue;
        };
        for arm in table.arms.iter().filter(|arm| arm.figures.is_ok()) {
            let same = |(cell, _): &(&Cell, _)| cell.arm() == arm.cell.arm();
            let found = entry(&mut arms, same, || (arm.cell, BTreeMap::new()));
            found.1.insert((apart.to_string(), *places), arm);
        }
    }
    let series = tables.first()?.series;
    let curve = |(cell, found)| curve(cell, &found, unit, series, seed);
    let curves: Vec<_> = arms.into_iter().filter_map(curve).collect();
    (!curves.is_empty()).then_some(Chase {
        group,
        unit,
        curves,
    })
}

fn curve<'a>(
    cell: &'a Cell,
    found: &Found<'_, 'a>,
    unit: Unit,
    series: &str,
    seed: u64,
) -> Option<Curve<'a>> {
    let pages = found.iter().filter(|((apart, _), _)| apart == BY_PAGE);
    let pairs: Vec<(u64, &Arm<'_>, Blocks, Blocks)> = pages
        .filter_map(|((_, places), arm)| {
            let page = blocks(&arm.rows, series);
            let line = found.get(&(BY_LINE.to_string(), *places));
            let line = line.map(|arm| blocks(&arm.rows, series));
            // Where no time is taken, nothing needs to be taken from it.
            let line = match unit {
                Unit::Insn => line.unwrap_or_else(|| page.clone()),
                Unit::Ns => line?,
            };
            Some((*places, *arm, page, line))
        })
        .collect();
    let difference = |page: &Blocks, line: &Blocks| -> Blocks {
        let both = page
            .iter()
            .filter_map(|(b, p)| Some((*b, p - line.get(b)?)));
        both.collect()
    };
    let costs: Vec<(u64, Blocks)> = pairs
        .iter()
        .map(|(places, _, page, line)| (*places, difference(page, line)))
        .collect();
    let middle = |blocks: &Blocks| median(&blocks.values().copied().collect::<Vec<_>>());
    let points = pairs.iter().filter_map(|(places, arm, page, line)| {
        Some(Point {
            pages: *places as f64,
            page: middle(page)?,
            line: middle(line)?,
            counts: counts(arm),
        })
    });
    let points: Vec<Point> = points.collect();
    let (_, largest, ..) = pairs.last()?;
    let (_, _, _, line) = pairs.first()?;
    let base = middle(line)?;
    Some(Curve {
        cell,
        points,
        mapped: mapped(largest),
        costs,
        base,
        seed,
    })
}

impl Curve<'_> {
    /// The levels that it shows, from the blocks that have every working set: a fit, so
    /// only for callers that show them.
    pub(crate) fn levels(&self) -> Vec<Level> {
        let costs = &self.costs;
        let places: Vec<f64> = costs.iter().map(|(places, _)| *places as f64).collect();
        let Some((_, first)) = costs.first() else {
            return Vec::new();
        };
        let row = |block: &u32| -> Option<Vec<f64>> {
            let all = costs.iter().map(|(_, blocks)| blocks.get(block).copied());
            all.collect()
        };
        let whole: Vec<Vec<f64>> = first.keys().filter_map(row).collect();
        levels(&places, &whole, self.base, self.seed)
    }
}

/// What counters of the guest begin with: those of a PMU and those of the TLB model.
pub(crate) const GUEST: [&str; 2] = [PMU_GUEST, MODEL_GUEST];

/// What was counted of the guest, per load; nothing if it was not said how many there were.
fn counts(arm: &Arm<'_>) -> BTreeMap<String, f64> {
    let counts = counters::medians(&arm.rows);
    let Some(loads) = counts.get(OPERATIONS).filter(|n| **n > 0.0) else {
        return BTreeMap::new();
    };
    let of_guest =
        |name: &str| says_misses(name) && GUEST.iter().any(|prefix| name.starts_with(prefix));
    let counts = counts.iter().filter(|(name, _)| of_guest(name));
    counts
        .map(|(name, n)| (name.to_string(), n / loads))
        .collect()
}

/// How many pages KVM had mapped, by size.
fn mapped(arm: &Arm<'_>) -> Vec<(String, f64)> {
    let counts = counters::medians(&arm.rows).into_iter();
    let mapped = counts.filter_map(|(name, n)| {
        let size = mapped::ORIGIN.name(name)?.strip_prefix(PAGES)?;
        Some((size.to_string(), n))
    });
    mapped.collect()
}
