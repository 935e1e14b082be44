// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Pointer chases over more and more places: what translation costs a load, and the
//! reach and the penalty of each level of the TLB that this shows.
//!
//! A chase over places a page apart and one over as many lines side by side use the
//! same amount of cache; their difference within a block is translation.

use super::misses::{says_misses, short};
use crate::{
    counters::{self, OPERATIONS},
    digest::{Bed, Workload, entry},
    grid::Grid,
    number,
};
use results::{
    Cell, Unit,
    cell::{Group, ParamValue},
    compare::{Arm, Blocks, Table, blocks},
    counter::{MODEL_GUEST, PAGES, PMU_GUEST, mapped},
    stats::{Interval, Level, levels, median},
};
use std::collections::{BTreeMap, BTreeSet};

/// Whether `table` is a point of a curve.
pub(crate) fn is_chase(table: &Table<'_>) -> bool {
    [APART, PLACES]
        .iter()
        .all(|name| table.group.params.contains_key(*name))
}

/// The parameters of a chase that differ within a curve.
const APART: &str = "apart";
const PLACES: &str = "places";

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
    pub(super) cell: &'a Cell,
    /// By the number of pages, ascending.
    pub(super) points: Vec<Point>,
    /// What KVM had mapped by pages of each size at the most places.
    mapped: Vec<(String, f64)>,
    /// What translation adds to a load, block by block, and what one costs that misses
    /// nothing: what levels are fitted to.
    costs: Vec<(u64, Blocks)>,
    base: f64,
    seed: u64,
}

/// One working set.
pub(crate) struct Point {
    /// How many pages it has.
    pub(super) pages: f64,
    /// The median over blocks of a load with the places a page apart.
    pub(super) page: f64,
    /// The same with as many lines side by side.
    pub(super) line: f64,
    /// What was counted of a load in the guest with the places a page apart, by the name
    /// of the counter.
    pub(super) counts: BTreeMap<String, f64>,
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
        let apart = group.params.remove(APART);
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
            table.group.params.get(APART)?,
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
    let pages = found.iter().filter(|((apart, _), _)| apart == "page");
    let pairs: Vec<(u64, &Arm<'_>, Blocks, Blocks)> = pages
        .filter_map(|((_, places), arm)| {
            let page = blocks(&arm.rows, series);
            let line = found.get(&("line".to_string(), *places));
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
    /// only for whoever shows them.
    fn levels(&self) -> Vec<Level> {
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

/// What was counted of the guest, per load; nothing if it was not said how many there were.
fn counts(arm: &Arm<'_>) -> BTreeMap<String, f64> {
    let counts = counters::medians(&arm.rows);
    let Some(loads) = counts.get(OPERATIONS).filter(|n| **n > 0.0) else {
        return BTreeMap::new();
    };
    let of_guest = |name: &str| {
        says_misses(name) && SOURCES.iter().any(|(prefix, ..)| name.starts_with(prefix))
    };
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

impl Chase<'_> {
    /// Reach and penalty of each level, a row each; `None` where no time was taken.
    pub(crate) fn reach(&self) -> Option<Grid> {
        if self.unit != Unit::Ns {
            return None;
        }
        let columns = [
            "strategy",
            "level",
            "reach, pages",
            "95 % interval",
            "a miss adds, ns",
            "95 % interval",
        ];
        let mut grid = Grid::new(format!("TLB reach by timing: {}", self.group), "", &columns);
        grid.about = REACH.to_string();
        for curve in &self.curves {
            let levels = curve.levels();
            for (i, level) in levels.iter().enumerate() {
                let [reach, penalty] = shown(level);
                let name = if i == 0 {
                    curve.cell.arm()
                } else {
                    String::new()
                };
                let names = vec![name, (i + 1).to_string()];
                grid.push("", [names, reach.into(), penalty.into()].concat());
            }
            if levels.is_empty() {
                let none = ["none", "-", "-", "-", "-"].map(str::to_string);
                grid.push("", [vec![curve.cell.arm()], none.into()].concat());
            }
        }
        grid.unless_empty()
    }

    /// What was counted of a load in the guest, a column a working set; a grid for each
    /// source that counted something.
    pub(crate) fn counted(&self) -> Vec<Grid> {
        let points = || self.curves.iter().flat_map(|c| &c.points);
        let mut pages: Vec<f64> = points().map(|p| p.pages).collect();
        pages.sort_by(f64::total_cmp);
        pages.dedup();
        let names: Vec<String> = pages.iter().map(|n| number::count(*n)).collect();
        let columns: Vec<&str> = std::iter::once("strategy")
            .chain(names.iter().map(String::as_str))
            .collect();
        let grid = |(prefix, title, about): &(&str, &str, &str)| {
            let mut grid = Grid::new(format!("{title}: {}", self.group), "counter", &columns);
            grid.about = about.to_string();
            let of = points().flat_map(|p| p.counts.keys());
            let counters: BTreeSet<&String> = of.filter(|n| n.starts_with(prefix)).collect();
            for counter in counters {
                for curve in &self.curves {
                    let at = |n: &f64| {
                        let point = curve.points.iter().find(|p| p.pages == *n)?;
                        Some(number::significant(*point.counts.get(counter)?, 4))
                    };
                    let cells = pages.iter().map(|n| at(n).unwrap_or("-".into()));
                    grid.share(&short(counter), curve.cell.arm(), cells.collect());
                }
            }
            grid.unless_empty()
        };
        SOURCES.iter().filter_map(grid).collect()
    }

    /// Pages by size that KVM had mapped; `None` if it did not say.
    pub(crate) fn sizes_mapped(&self) -> Option<Grid> {
        let sizes = self.sizes();
        let names: Vec<String> = sizes
            .iter()
            .map(|size| format!("pages of {size}"))
            .collect();
        let columns: Vec<&str> = std::iter::once("strategy")
            .chain(names.iter().map(String::as_str))
            .collect();
        let title = format!("What KVM mapped: {}", self.group);
        let mut grid = Grid::new(title, "", &columns);
        grid.about = MAPPED.to_string();
        for curve in self.curves.iter().filter(|_| !sizes.is_empty()) {
            let known = |size: &String| {
                let found = curve.mapped.iter().find(|(name, _)| name == size);
                found.map_or("-".to_string(), |(_, n)| number::count(*n))
            };
            let cells = sizes.iter().map(known);
            grid.share("", curve.cell.arm(), cells.collect());
        }
        grid.unless_empty()
    }

    /// The sizes of pages that KVM mapped in any arm.
    fn sizes(&self) -> Vec<String> {
        let mut sizes: Vec<String> = Vec::new();
        for (size, n) in self.curves.iter().flat_map(|curve| &curve.mapped) {
            if *n > 0.0 && !sizes.contains(size) {
                sizes.push(size.clone());
            }
        }
        sizes
    }

    /// The same in a line an arm.
    pub(crate) fn lines(&self) -> Vec<String> {
        if self.unit != Unit::Ns {
            return Vec::new();
        }
        let line = |curve: &Curve<'_>| {
            let level = |level: &Level| {
                let [[reach, ends], [penalty, _]] = shown(level);
                format!("{reach} pages {ends}, a miss adds {penalty} ns")
            };
            let levels: Vec<String> = curve.levels().iter().map(level).collect();
            let shown = match levels.is_empty() {
                true => "no level within the working sets tried".to_string(),
                false => levels.join("; then "),
            };
            format!("TLB reach, {} ({}): {shown}", curve.cell.arm(), self.group)
        };
        self.curves.iter().map(line).collect()
    }
}

/// What the columns of reach and penalty mean.
const REACH: &str = "From the difference of two chases in the same block, over places a page \
apart and as many lines side by side: a level of n entries misses a load over k pages with \
probability 1 - n/k, and a miss adds a cost. reach: the n that fits best; it is what such a TLB \
shows, and lies below the entries of its data sheet by what hypervisor and host use. Two levels \
are fitted where they explain the curve better than one.";

/// What counts of the guest, the title of its table and what must be said of it.
const SOURCES: [(&str, &str, &str); 2] = [
    (
        PMU_GUEST,
        "Counted by the PMU, per load",
        "Of the guest, over places a page apart, by the number of pages.",
    ),
    (
        MODEL_GUEST,
        "MODELLED, per load",
        "Of the guest, over places a page apart, by the number of pages: counted by a model of \
         a TLB, not by hardware.",
    ),
];

/// Why page sizes are shown.
const MAPPED: &str = "At the largest working set. Arms that differ here differ in page size, \
whatever else they differ in.";

/// Reach and penalty, each with its interval.
fn shown(level: &Level) -> [[String; 2]; 2] {
    let [reach, penalty] = [level.reach, level.penalty].map(|v| number::significant(v, 3));
    match level.open {
        true => [
            [format!("{reach} or more"), "-".into()],
            [format!("{penalty} or more"), "-".into()],
        ],
        false => [
            [reach, ends(level.reach_interval)],
            [penalty, ends(level.penalty_interval)],
        ],
    }
}

fn ends(interval: Option<Interval>) -> String {
    interval.map_or("-".to_string(), |i| {
        let [low, high] = [i.low, i.high].map(|v| number::significant(v, 3));
        format!("[{low}, {high}]")
    })
}
