// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Plain text for a mailing list: ASCII, never wider than [`COLUMNS`], tables in
//! the form `variant | n | median | min | max | delta`, then everything a reader
//! needs to doubt or repeat it. Nothing is cut off: what does not fit is wrapped.

mod page;

use crate::{
    bounce::{self, Bouncing, Way},
    clean::{ascii, shorten},
    digest::{self, Bed, Digest, Family, Workload},
    evidence::{self, READERS},
    gap,
    grid::Grid,
    matrix,
    number::{self, Mark},
    prose, tlb,
};
use page::Page;
use results::{
    Run, Unit,
    compare::{Arm, NoRatio, Table},
    stats::{Precision, Ratio},
};

/// The run as plain text. Every line has at most 75 ASCII characters.
pub fn text(run: &Run) -> String {
    let digest = Digest::of(run);
    let mut out = Page::default();
    out.wrapped("", &prose::identity(run).join(", "));
    for caution in prose::cautions(&digest) {
        out.gap();
        out.wrapped("! ", &caution);
    }
    if digest.beds.is_empty() {
        out.gap();
        out.wrapped("", "The record holds no cell: nothing was run.");
    }
    for bed in &digest.beds {
        out.heading(&format!("{}: {}", bed.testbed, prose::about(bed.testbed)));
        for tally in bed.tallies(&bed.arms) {
            let came_out = prose::tally(&tally);
            out.wrapped("- ", &format!("{}: {came_out}", tally.arm));
        }
        tables(&mut out, bed);
    }
    if !digest.beds.is_empty() {
        out.gap();
        out.wrapped("", prose::LEGEND);
        let delta = format!("delta, interval: in percent, from the {};", prose::RATIO);
        let star = "* marks an interval that excludes 0. MDE: the least change, in percent, that \
                    a test at 1% sees in 4 cases of 5.";
        out.wrapped("", &format!("{delta} {star}{}", prose::exact(&digest)));
    }
    isolation(&mut out, run);
    gaps(&mut out, &digest);
    out.heading("Threats to validity");
    for threat in prose::threats(&digest) {
        out.wrapped("- ", &threat);
    }
    out.heading("Machine");
    for fact in &run.host.facts {
        out.wrapped("  ", &format!("{}: {}", fact.name, fact.value));
    }
    if run.host.facts.is_empty() {
        out.wrapped("  ", "not recorded");
    }
    out.heading("Command");
    out.command(&run.header.command);
    out.finish()
}

fn tables(out: &mut Page, bed: &Bed<'_>) {
    for family in &bed.families {
        for workload in &family.workloads {
            for (i, table) in workload.tables.iter().enumerate() {
                let scale = digest::scale(table);
                let mark =
                    prose::watermark(bed.testbed).map_or(String::new(), |w| format!("; {w}"));
                out.gap();
                let unit = format!("{} in {}{mark}", table.series, scale.symbol);
                out.wrapped("", &format!("{} ({unit})", table.group));
                if let (0, Some(info)) = (i, workload.info) {
                    out.wrapped("  ", &info.summary);
                }
                out.table(&rows(table));
            }
            bounced(out, bed, workload);
        }
        backends(out, family);
    }
    let translation = tlb::of(bed);
    if !translation.is_empty() {
        out.heading(&format!("{}: {}", bed.testbed, tlb::TITLE));
    }
    for (i, table) in translation.iter().enumerate() {
        grid(out, table, i > 0);
    }
}

/// A grid, each group's name above its rows; `apart` from what is above.
fn grid(out: &mut Page, grid: &Grid, apart: bool) {
    if apart {
        out.gap();
    }
    out.wrapped("", &grid.title);
    let ascii_row = |row: &Vec<String>| row.iter().map(|cell| ascii(cell)).collect();
    let mut rows = vec![ascii_row(&grid.columns)];
    for (group, of) in &grid.groups {
        if !group.is_empty() {
            rows.push(vec![ascii(group)]);
        }
        rows.extend(of.iter().map(ascii_row));
    }
    out.split(&rows);
    if !grid.about.is_empty() {
        out.wrapped("", &grid.about);
    }
}

/// What bouncing costs, if `workload` does: the ways of bouncing of an arm below
/// its name.
fn bounced(out: &mut Page, bed: &Bed<'_>, workload: &Workload<'_>) {
    let tables = bounce::of(workload, bed.seed);
    let Some(about) = bounce::about(&tables) else {
        return;
    };
    for bouncing in &tables {
        let mark = prose::watermark(bed.testbed).map_or(String::new(), |w| format!("; {w}"));
        let (group, series) = (&bouncing.group, bouncing.series);
        let unit = format!("{series} in {}{mark}", bouncing.scale.symbol);
        out.gap();
        out.wrapped("", &format!("{}: {group} ({unit})", bounce::TITLE));
        out.split(&bounced_rows(bouncing));
        if let Some(few) = bouncing.few() {
            out.wrapped("", &few);
        }
    }
    out.gap();
    out.wrapped("", &about);
}

/// The header, and for each arm its name and a row a way of bouncing. Percentiles
/// that no row has are left out.
fn bounced_rows(bouncing: &Bouncing<'_>) -> Vec<Vec<String>> {
    let [p50, p99] = bouncing.percentiles().map(|(_, most)| most.is_ok());
    let mut head = vec![
        "bounce",
        "median",
        bouncing.rate(),
        "copied",
        "over none",
        "over memfd",
    ];
    head.extend(p50.then_some("p50"));
    head.extend(p99.then_some("p99"));
    let row = |way: &Way| {
        let [median, half, tail, rate, copied] = match &way.cost {
            Ok(cost) => cost.shown(bouncing.scale),
            Err(no) => [no.word.as_str(), "-", "-", "-", "-"].map(str::to_string),
        };
        let over = |ratio: &Result<Ratio, String>| match ratio {
            Ok(r) if r.precision == Precision::TooFew => delta(r)[0].clone() + " no interval",
            Ok(ratio) => delta(ratio).join(" "),
            Err(why) => why.clone(),
        };
        let [none, baseline] = [&way.over_none, &way.over_baseline].map(over);
        let name = format!("  {}", ascii(&way.bounce));
        let mut row = vec![name, median, rate, copied, none, baseline];
        row.extend(p50.then_some(half));
        row.extend(p99.then_some(tail));
        row
    };
    let mut rows = vec![head.into_iter().map(str::to_string).collect()];
    for (cell, ways) in &bouncing.arms {
        rows.push(vec![ascii(&cell.arm())]);
        rows.extend(ways.iter().map(row));
    }
    rows
}

/// Which backend of a family works with which arm: arms down, for they have long
/// names, and errnos in place of words.
fn backends(out: &mut Page, family: &Family<'_>) {
    /// The whole name of a backend is in the head of its tables.
    const NAME: usize = 24;
    let Some(matrix) = matrix::of(family) else {
        return;
    };
    let names = matrix
        .rows
        .iter()
        .map(|(name, _)| ascii(&shorten(name, NAME)));
    let head: Vec<String> = std::iter::once("variant".into()).chain(names).collect();
    let rows = matrix.arms.iter().enumerate().map(|(i, arm)| {
        let words = matrix.rows.iter().map(|(_, verdicts)| verdicts[i].short());
        std::iter::once(ascii(arm)).chain(words).collect()
    });
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    out.gap();
    out.wrapped("", &format!("{}: {}", matrix::TITLE, family.name));
    out.split(&rows);
    out.wrapped("", matrix::SHORT);
}

/// The header and one row an arm, each of as many cells. Where all blocks of all
/// arms are equal, the least and the greatest give way to the difference.
fn rows(table: &Table<'_>) -> Vec<Vec<String>> {
    let scale = digest::scale(table);
    let header: &[&str] = match digest::exact(table) {
        true => &["variant", "n", "median", "delta", "+/- insn", "precision"],
        false if table.unit == Some(Unit::Insn) => &[
            "variant",
            "n",
            "median",
            "min",
            "max",
            "delta",
            "+/- insn",
            "precision",
        ],
        false => &[
            "variant",
            "n",
            "median",
            "min",
            "max",
            "delta",
            "95% interval",
            "MDE",
        ],
    };
    let row = |arm: &Arm<'_>| {
        let (delta, precision) = change(arm);
        let none = || "-".to_string();
        let [n, median, min, max] = match &arm.figures {
            Ok(f) => {
                let [median, min, max] = [f.median, f.min, f.max].map(|v| scale.show(v));
                [f.blocks.len().to_string(), median, min, max]
            }
            Err(hole) => {
                let what = crate::terminal::short(hole).to_string();
                ["0".to_string(), what, none(), none()]
            }
        };
        let cell = |column: &&str| match *column {
            "variant" => ascii(&arm.cell.arm()),
            "n" => n.clone(),
            "median" => median.clone(),
            "min" => min.clone(),
            "max" => max.clone(),
            "delta" => delta.clone(),
            "+/- insn" => {
                digest::difference(table, arm).map_or_else(String::new, number::difference)
            }
            "MDE" => mde(arm),
            _ => precision.clone(),
        };
        header.iter().map(cell).collect()
    };
    let head = header.iter().map(|name| name.to_string()).collect();
    std::iter::once(head)
        .chain(table.arms.iter().map(row))
        .collect()
}

fn change(arm: &Arm<'_>) -> (String, String) {
    match &arm.ratio {
        Ok(ratio) => {
            let [delta, precision] = delta(ratio);
            (delta, precision)
        }
        Err(NoRatio::IsBaseline) => ("base".to_string(), String::new()),
        Err(_) => ("-".to_string(), String::new()),
    }
}

/// The minimum detectable effect of an arm's ratio, in percent.
fn mde(arm: &Arm<'_>) -> String {
    let detects = arm.ratio.as_ref().ok().and_then(|ratio| ratio.detects);
    let shown = detects.map(|ratio| number::percent(ratio).trim_start_matches('+').to_string());
    shown.unwrap_or_default()
}

/// A ratio in percent and how well it is known, starred if it may be spoken of.
fn delta(ratio: &Ratio) -> [String; 2] {
    let star = if Mark::of(ratio) == Mark::Open {
        ""
    } else {
        "*"
    };
    let precision = match ratio.precision {
        Precision::Exact => format!("exact{star}"),
        Precision::Interval(i) => {
            let [low, high] = [i.low, i.high].map(number::percent);
            format!("[{low},{high}]{star}")
        }
        Precision::TooFew => "none".to_string(),
        Precision::NotDeterministic => "UNSTEADY".to_string(),
    };
    [number::percent(ratio.value) + "%", precision]
}

fn isolation(out: &mut Page, run: &Run) {
    for evidence in evidence::of(run) {
        out.heading(&format!("Isolation evidence: {}", evidence.testbed));
        let head = ["variant", "direct map", "vm_readv", "O_DIRECT", "claim"];
        let rows = evidence.audits.iter().map(|audit| {
            let words = READERS.map(|(reader, _)| evidence::word(evidence::finding(audit, reader)));
            let claim = match evidence::holds(audit) {
                "" => "none".to_string(),
                holds => format!("{}: {holds}", evidence::claim(audit)),
            };
            let mut row = vec![ascii(&audit.arm())];
            row.extend(words.map(str::to_string));
            row.push(claim);
            row
        });
        let rows: Vec<_> = std::iter::once(head.map(str::to_string).to_vec())
            .chain(rows)
            .collect();
        out.table(&rows);
        out.gap();
        for (sight, arms) in evidence.sights() {
            out.wrapped("- ", &format!("{sight} ({})", arms.join(", ")));
        }
        out.gap();
        out.wrapped("", &format!("{} {}", evidence.verdict(), evidence::ABOUT));
    }
}

fn gaps(out: &mut Page, digest: &Digest<'_>) {
    let gaps = gap::gaps(digest);
    if gaps.is_empty() {
        return;
    }
    out.heading("Missing and failed");
    for gap in gaps {
        let scope = gap.scope();
        out.wrapped("- ", &format!("{} on {}, {scope}:", gap.who(), gap.testbed));
        out.wrapped("  ", &gap.what);
        if let Some(remedy) = &gap.remedy {
            out.wrapped("  ", &format!("remedy: {remedy}"));
        }
    }
}
