// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a reader sees of a comparison, made once and written down by each form.

use super::{
    counts::Counts,
    heads::Heads,
    losses::{self, Loss},
    pair::{Pair, Scope},
    stat::{self, Stat},
    words::{Standing, explained, is_series, scale},
};
use crate::{clean, number::Scale, prose};
use results::{
    Run, Testbed,
    cell::Group,
    gate::{Method, Metric, Name},
};
use std::collections::BTreeMap;

/// How much a form has room for. What is left out is counted and said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Rows of series, and as many of counts.
    pub(super) rows: usize,
    /// Metrics that are named as having moved.
    pub(super) moved: usize,
    /// Whether series of exact figures that are the same have rows.
    pub(super) same: bool,
    /// Whether there is no room for more than what decides and what changed, if no more was
    /// asked for.
    pub(super) brief: bool,
}

/// A comparison as it is read, from the answer to the evidence.
pub(super) struct View<'a> {
    /// What must be read before any number.
    pub(super) cautions: Vec<String>,
    pub(super) heads: Heads,
    pub(super) stats: Vec<Stat<'a>>,
    /// What moved, the gravest and then the largest first: as many as there is room
    /// for, and how many there are.
    pub(super) moved: (Vec<&'a Metric>, usize),
    /// What cannot be told, in the same way.
    pub(super) open: (Vec<&'a Metric>, usize),
    pub(super) losses: Vec<Loss>,
    pub(super) families: Vec<Family<'a>>,
    pub(super) counts: Counts<'a>,
    /// Sentences on counters that only one run has.
    pub(super) uncounted: Vec<String>,
    pub(super) threats: Vec<String>,
}

/// The workloads that share the part of their id before the slash.
pub(super) struct Family<'a> {
    pub(super) testbed: Testbed,
    pub(super) name: &'a str,
    pub(super) tables: Vec<Table<'a>>,
    /// How many series have no row here, and are the same or were not shown to differ.
    pub(super) still: usize,
    /// How many have none although they moved.
    pub(super) more: usize,
}

/// A series of a workload with its parameters: a row an arm.
pub(super) struct Table<'a> {
    pub(super) group: Group,
    pub(super) series: &'a str,
    pub(super) scale: Option<Scale>,
    pub(super) rows: Vec<&'a Metric>,
}

impl Table<'_> {
    /// `mmio/user-read cpus=1 (latency in ns)`
    pub(super) fn title(&self) -> String {
        let unit = self.scale.map_or("counts", |scale| scale.symbol);
        let mark = prose::behind(self.group.testbed);
        format!("{} ({} in {unit}{mark})", self.group, self.series)
    }
}

impl Family<'_> {
    /// `boot (lab), without a row here: …`; nothing if every series has one.
    pub(super) fn left_out(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.still > 0 {
            parts.push(format!("{} series of which nothing moved", self.still));
        }
        if self.more > 0 {
            parts.push(format!("for want of room {} that did", self.more));
        }
        let parts = parts.join(", and ");
        (!parts.is_empty()).then(|| {
            let (name, testbed) = (clean::shorten(self.name, 60), self.testbed);
            format!("{name} ({testbed}), without a row here: {parts}. csv and json have them.")
        })
    }
}

impl<'a> View<'a> {
    pub(super) fn of(pair: &'a Pair<'a>, room: Room) -> Self {
        let comparison = pair.comparison;
        View {
            cautions: cautions(pair),
            heads: Heads::of(pair),
            stats: stat::of(comparison),
            moved: named(pair, room.moved, |standing| {
                standing < Standing::Still && standing != Standing::Open
            }),
            open: named(pair, room.moved, |standing| standing == Standing::Open),
            losses: losses::of(comparison),
            families: families(pair, room),
            counts: Counts::of(comparison, room.rows),
            uncounted: losses::counters(comparison),
            threats: threats(pair),
        }
    }
}

/// The metrics of one kind that are series or decide, as many as `most`, and how many
/// there are.
fn named<'a>(
    pair: &Pair<'a>,
    most: usize,
    kind: impl Fn(Standing) -> bool,
) -> (Vec<&'a Metric>, usize) {
    let all = pair.comparison.metrics.iter();
    let decides = |m: &&Metric| is_series(m) || Standing::of(m) < Standing::Changed;
    let mut found: Vec<&Metric> = all
        .filter(decides)
        .filter(|m| kind(Standing::of(m)))
        .collect();
    let distance = |m: &Metric| m.change.map_or(f64::INFINITY, |c| c.ratio.ln().abs());
    found.sort_by(|a, b| {
        let key = |m: &Metric| (Standing::of(m), !is_series(m));
        let order = key(a).cmp(&key(b));
        order.then(distance(b).total_cmp(&distance(a)))
    });
    let total = found.len();
    found.truncate(most);
    (found, total)
}

fn families<'a>(pair: &Pair<'a>, room: Room) -> Vec<Family<'a>> {
    let all = pair.comparison.metrics.iter();
    let series: Vec<&Metric> = all
        .filter(|m| is_series(m) && Standing::of(m) != Standing::Missing)
        .collect();
    let wanted = |m: &Metric| match (Standing::of(m), pair.scope) {
        (Standing::Still, Scope::Decisive) => false,
        (Standing::Still, Scope::All) => room.same || m.method == Method::Unpaired,
        _ => true,
    };
    let mut places: Vec<usize> = (0..series.len()).filter(|i| wanted(series[*i])).collect();
    places.sort_by_key(|i| Standing::of(series[*i]));
    let mut shown = vec![false; series.len()];
    for place in places.into_iter().take(room.rows) {
        shown[place] = true;
    }
    let mut families: Vec<Family<'a>> = Vec::new();
    let mut tables: BTreeMap<(usize, Group, &str), usize> = BTreeMap::new();
    for (metric, shown) in series.into_iter().zip(shown) {
        let (testbed, name) = (metric.cell.testbed, metric.cell.family());
        let known = families.iter();
        let mut known = known.take_while(|f| (f.testbed, f.name) != (testbed, name));
        let place = known.by_ref().count();
        if place == families.len() {
            families.push(Family {
                testbed,
                name,
                tables: Vec::new(),
                still: 0,
                more: 0,
            });
        }
        let family = &mut families[place];
        if !shown {
            match Standing::of(metric) {
                Standing::Still => family.still += 1,
                _ => family.more += 1,
            }
            continue;
        }
        let Name::Series(series) = &metric.name else {
            continue;
        };
        let key = (place, metric.cell.group(), series.as_str());
        let table = *tables.entry(key).or_insert(family.tables.len());
        if table == family.tables.len() {
            family.tables.push(Table {
                group: metric.cell.group(),
                series,
                scale: None,
                rows: Vec::new(),
            });
        }
        family.tables[table].rows.push(metric);
    }
    for table in families.iter_mut().flat_map(|f| &mut f.tables) {
        table.scale = scale(table.rows.iter().copied());
    }
    families
}

fn cautions(pair: &Pair<'_>) -> Vec<String> {
    let comparison = pair.comparison;
    let mut cautions = Vec::new();
    if pair.baseline == pair.current {
        cautions.push("A and B are one record: nothing can differ.".to_string());
    }
    for (title, group) in [
        ("Refused", &comparison.refused),
        ("Compared all the same", &comparison.crossed),
    ] {
        let said = group.iter().map(|d| {
            format!(
                "{title}: {} {} ({}): A {:?}, B {:?}",
                d.testbed, d.aspect, d.fact, d.baseline, d.current
            )
        });
        cautions.extend(said);
    }
    cautions.extend(comparison.notes.iter().cloned());
    let units = comparison.testbeds().into_iter();
    cautions.extend(units.flat_map(|testbed| prose::unit_cautions(pair.current, testbed)));
    let [a, b] = [pair.baseline, pair.current].map(warnings);
    for warning in &a {
        let who = if b.contains(warning) { "A and B" } else { "A" };
        cautions.push(format!("{who}: {warning}"));
    }
    let alone = b.iter().filter(|warning| !a.contains(warning));
    cautions.extend(alone.map(|warning| format!("B: {warning}")));
    cautions
}

/// What a run itself warns of.
fn warnings(run: &Run) -> Vec<String> {
    let notes = run.notes.iter();
    let notes = notes.map(|note| format!("the record is incomplete: {note}"));
    run.host.warnings.iter().cloned().chain(notes).collect()
}

/// Why a difference may be something else than it seems.
fn threats(pair: &Pair<'_>) -> Vec<String> {
    let comparison = pair.comparison;
    let mut threats = vec![
        "A comparison says what moved, not why. Between two runs everything may differ that \
         stands above under A and B, and whatever no run records."
            .to_string(),
    ];
    let testbeds = comparison.testbeds();
    if pair.baseline.header.git != pair.current.header.git {
        threats.push(
            "The runs were made by different revisions of unmapbench: its own changes are in the \
             differences as well."
                .to_string(),
        );
    }
    if !comparison.crossed.is_empty() {
        threats.push(
            "Runs that differ as said at the top were compared because that was asked for: all \
             that changed with it is in the differences."
                .to_string(),
        );
    }
    if testbeds.contains(&Testbed::Lab) {
        threats.push(
            "Counts of the lab are exact for one kernel, one program and one QEMU. Another build \
             shifts where the timer's tick falls, and a few instructions with it. A count says how \
             long a path is, not how long it takes."
                .to_string(),
        );
    }
    if testbeds.contains(&Testbed::Host) {
        threats.push(
            "The runs were made one after the other, on machines that others may use. Only the \
             control, calibrate/*, tells whether the machine kept its speed."
                .to_string(),
        );
    }
    threats.extend(explained(comparison));
    threats
}
