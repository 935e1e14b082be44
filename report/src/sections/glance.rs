// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The first table of a report: every strategy in its default mode against one workload a
//! family, on each machine of a testbed that matters.

use super::{
    catalogue::{CATALOGUE, Column, id},
    sweep::without,
};
use crate::{
    document::{self, Block, Field, Style},
    model::{self, Bed, LAB_CPUS, Model},
    number::{self, Mark},
    prose,
    shape::CONTROL,
};
use results::{
    BASELINE, Cell, Unit,
    cell::{ParamValue, Params},
    compare::{Arm, Hole, Table, between},
    stats::Ratio,
};

/// What tells the machines of one testbed apart.
const MACHINE: [&str; 3] = ["host", "kernel", LAB_CPUS];

/// The section: a table for each machine of a testbed; of the numbers of CPUs, the least and
/// the greatest.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    let beds = model.beds.iter();
    let machines = beds.flat_map(|bed| machines(bed).into_iter().map(move |on| (bed, on)));
    machines
        .flat_map(|(bed, machine)| glance(model, bed, &machine))
        .collect()
}

/// A column.
struct Shown<'t, 'a> {
    name: &'static str,
    /// What it is of, or why of nothing.
    table: Result<&'t Table<'a>, &'static str>,
}

impl<'t, 'a> Shown<'t, 'a> {
    /// Its table and in it the arm of `cell`.
    fn arm(&self, cell: &Cell) -> Option<(&'t Table<'a>, &'t Arm<'a>)> {
        let table = self.table.ok()?;
        Some((table, model::arm(table, cell)?))
    }
}

fn machines(bed: &Bed<'_>) -> Vec<Params> {
    let machine = |table: &Table<'_>| {
        let params = table.group.params.iter();
        let params = params.filter(|(name, _)| MACHINE.contains(&name.as_str()));
        params
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let mut all: Vec<Params> = bed.tables().map(machine).collect();
    all.sort();
    all.dedup();
    let rest = |machine: &Params| without(machine, &[LAB_CPUS]);
    let ends = all.iter().enumerate().filter(|(i, machine)| {
        let first = *i == 0 || rest(&all[i - 1]) != rest(machine);
        let last = all
            .get(i + 1)
            .is_none_or(|next| rest(next) != rest(machine));
        first || last
    });
    ends.map(|(_, machine)| machine.clone()).collect()
}

fn glance(model: &Model<'_>, bed: &Bed<'_>, machine: &Params) -> Vec<Block> {
    let columns = CATALOGUE.column.iter();
    let columns = columns.map(|column| Shown {
        name: &column.name,
        table: choose(bed, machine, column),
    });
    let columns: Vec<Shown<'_, '_>> = columns.collect();
    let words = machine
        .iter()
        .map(|(name, value)| match (name.as_str(), value) {
            (LAB_CPUS, ParamValue::Int(n)) => model::cpus(*n),
            _ => format!("{name}={value}"),
        });
    let title = std::iter::once(bed.testbed.to_string()).chain(words);
    let title = title.collect::<Vec<_>>().join(", ");
    let names = columns.iter().map(|column| column.name);
    let names: Vec<&str> = std::iter::once("strategy").chain(names).collect();
    let mut table = document::Table::new("", "", &names);
    let arms = bed.defaults();
    for cell in &arms {
        let words = columns.iter().map(|column| field(column, cell));
        let row = std::iter::once(Field::arm(cell)).chain(words);
        table.push("", row.collect());
    }
    let mut notes = notes(&arms, &columns);
    let arms = arms.iter();
    notes.extend(arms.filter_map(|cell| beside(model, cell, &columns)));
    notes.extend(control(bed, machine));
    let mut blocks = vec![
        Block::heading(
            2,
            format!("glance-{title}"),
            format!("At a glance: {title}"),
        ),
        Block::Table(table),
    ];
    blocks.extend(Block::list(Style::Notes, notes));
    let legend = format!(
        "A column is one workload, a figure the ratio to {BASELINE}. *: {}.",
        prose::MARKED
    );
    blocks.push(Block::Page(vec![Block::paragraph(legend)]));
    blocks
}

/// The table of a column on a machine.
fn choose<'t, 'a>(
    bed: &'t Bed<'a>,
    machine: &Params,
    column: &Column,
) -> Result<&'t Table<'a>, &'static str> {
    let on = |table: &&Table<'a>| {
        let params = &table.group.params;
        machine
            .iter()
            .all(|(name, value)| params.get(name) == Some(value))
    };
    let found = column.of.iter().find_map(|wanted| {
        let of = bed.select(wanted).into_iter().filter(on);
        let of: Vec<_> = of.collect();
        match column.most {
            true => of.last().copied(),
            false => of.first().copied(),
        }
    });
    match found.ok_or("not run")? {
        table if column.timed && table.unit == Some(Unit::Insn) => Err("not in instructions"),
        table => Ok(table),
    }
}

/// What an arm that hides memory costs in place of the one that it differs from in that,
/// if that is not the baseline, of which the table itself is.
fn beside(model: &Model<'_>, cell: &Cell, columns: &[Shown<'_, '_>]) -> Option<String> {
    let other = model.counterpart(cell);
    if !model.hides(cell) || other == BASELINE {
        return None;
    }
    let ratio = |column: &Shown<'_, '_>| {
        let (table, arm) = column.arm(cell)?;
        let other = model::default_arm(table, &other)?;
        let [arm, other] = [arm, other].map(|arm| arm.figures.as_ref().ok());
        let ratio = between(arm?, other?, table.unit, model.run.header.seed).ok()?;
        Some(format!("{} {}", column.name, figure(&ratio)))
    };
    let ratios: Vec<String> = columns.iter().filter_map(ratio).collect();
    (!ratios.is_empty()).then(|| format!("{} / {other}: {}", cell.arm(), ratios.join(", ")))
}

/// How far arms differ on a machine in what none of them changes.
fn control(bed: &Bed<'_>, machine: &Params) -> Option<String> {
    let tables = bed.tables().filter(|table| {
        let params = &table.group.params;
        table.group.workload.starts_with(CONTROL)
            && machine
                .iter()
                .all(|(name, value)| params.get(name) == Some(value))
    });
    let ratios = tables.flat_map(|table| &table.arms);
    let ratios = ratios.filter_map(|arm| Some(arm.ratio.as_ref().ok()?.value));
    let most = ratios.max_by(|a, b| (a - 1.0).abs().total_cmp(&(b - 1.0).abs()))?;
    Some(format!(
        "control: {CONTROL}*, in which no arm should differ, does by up to {} %",
        number::percent(most).trim_start_matches(['+', '-'])
    ))
}

fn notes(arms: &[&Cell], columns: &[Shown<'_, '_>]) -> Vec<String> {
    let mut notes = Vec::new();
    for (shown, column) in columns.iter().zip(&CATALOGUE.column) {
        notes.push(match shown.table {
            Ok(table) => format!("{}: {}", shown.name, table.group),
            Err(why) => {
                let mut ids: Vec<&str> = column.of.iter().map(|wanted| id(wanted)).collect();
                ids.dedup();
                format!("{}: {why} ({})", shown.name, ids.join(", "))
            }
        });
    }
    let mut missing: Vec<((String, String), Vec<&str>)> = Vec::new();
    for cell in arms {
        for column in columns {
            let said = match column.arm(cell).map(|(_, arm)| &arm.figures) {
                Some(Err(hole @ Hole::Missing { remedy, .. })) => {
                    format!("{hole} (remedy: {remedy})")
                }
                Some(Err(hole)) => hole.to_string(),
                Some(Ok(_)) | None => continue,
            };
            let key = (cell.arm(), said);
            let missing = model::entry(
                &mut missing,
                |(known, _)| *known == key,
                || (key.clone(), vec![]),
            );
            missing.1.push(column.name);
        }
    }
    let missing = missing.into_iter();
    notes.extend(missing.map(|((arm, said), of)| format!("{arm}, {}: {said}", of.join(", "))));
    notes
}

/// A figure in one word of at most seven characters: `2.17*`, `base`, `missing`, `-`.
fn field(shown: &Shown<'_, '_>, cell: &Cell) -> Field {
    let Some((_, arm)) = shown.arm(cell) else {
        return "-".into();
    };
    match (&arm.figures, &arm.ratio) {
        (Err(hole), _) => model::short(hole).into(),
        (Ok(_), Ok(ratio)) => Field::marked(figure(ratio), Mark::of(ratio)),
        (Ok(_), Err(_)) if cell.is_baseline() => "base".into(),
        (Ok(_), Err(_)) => "none".into(),
    }
}

fn figure(ratio: &Ratio) -> String {
    let star = if Mark::of(ratio) == Mark::Open {
        ""
    } else {
        "*"
    };
    let value = match ratio.value {
        // What is a difference is not to look like none.
        v if !star.is_empty() && (v - 1.0).abs() < 0.005 => format!("{v:.4}"),
        v @ 0.005..9.995 => format!("{v:.2}"),
        v @ 9.995..999.5 => format!("{v:.1}"),
        v => format!("{v:.0e}"),
    };
    value + star
}
