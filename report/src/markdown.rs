// SPDX-License-Identifier: Apache-2.0 OR MIT
//! GitHub-flavoured Markdown, for a pull request or an issue: the comparison
//! first, the long parts folded. Names are escaped so that they can neither end
//! a cell nor become markup.

mod details;
mod syntax;

pub(crate) use details::grid;
pub(crate) use syntax::{escape, fence, fold, table};

use crate::{
    answer::{self, Answer, glance},
    clean,
    digest::{self, Bed, Digest},
    evidence::{self, READERS},
    gap,
    number::{self, Mark},
    prose,
};
use results::{
    BASELINE, Cell, Run,
    compare::{Arm, Table},
};
use std::fmt::Write;

/// The longest comment that GitHub takes, in characters.
const MOST: usize = 65_536;

/// Beyond this an answer gives its tables away.
const ANSWERS: usize = 40_000;

/// How many reasons for holes are given.
const GAPS: usize = 40;

/// The run as Markdown.
pub fn markdown(run: &Run) -> String {
    let digest = Digest::of(run);
    let mut out = "# What hiding guest memory costs\n\n".to_string();
    out += &format!("{}\n", escape(&prose::identity(run).join(" · ")));
    for caution in prose::cautions(&digest) {
        out += &format!("\n> **{}**\n", escape(&caution));
    }
    if digest.beds.is_empty() {
        out += "\nThe record holds no cell: nothing was run.\n";
    }
    for bed in &digest.beds {
        at_a_glance(&mut out, &digest, bed);
    }
    let answers = answer::of(&digest);
    if !answers.is_empty() {
        out += "\n## Questions and answers\n";
        for answer in answers.iter().filter(|answer| answer.says()) {
            let asks = &answer.question.asks;
            let mut whole = String::new();
            fold(&mut whole, asks, |out| said(out, answer, true));
            match out.chars().count() + whole.chars().count() < ANSWERS {
                true => out += &whole,
                false => fold(&mut out, asks, |out| said(out, answer, false)),
            }
        }
        let silent: Vec<&Answer> = answers.iter().filter(|answer| !answer.says()).collect();
        if !silent.is_empty() {
            let title = format!("{} ({})", answer::SILENT, silent.len());
            fold(&mut out, &title, |out| {
                for answer in silent {
                    let why: Vec<String> = answer.reasons().collect();
                    let line = format!("{} {}", answer.question.asks, why.join(" "));
                    let _ = writeln!(out, "- {}", escape(&line));
                }
            });
        }
    }
    isolation(&mut out, run);
    gaps(&mut out, &digest);
    fold(&mut out, "Threats to validity", |out| {
        for threat in prose::threats(&digest) {
            *out += &format!("- {}\n", escape(&threat));
        }
    });
    fold(&mut out, "Machine", |out| {
        let facts = run.host.facts.iter();
        let rows = facts.map(|f| vec![escape(&f.name), escape(&f.value)]);
        table(out, &["fact", "value"], 2, rows);
    });
    let command = prose::command(&run.header.command);
    let fence = fence(&command);
    out += &format!("\nCommand:\n\n{fence}sh\n{command}\n{fence}\n");
    let mut out = clean::document(out);
    all_tables(&mut out, &digest);
    out
}

/// Every table, folded by family, as long as there is room.
fn all_tables(out: &mut String, digest: &Digest<'_>) {
    let mut length = out.chars().count();
    let mut left_out: Vec<String> = Vec::new();
    for bed in &digest.beds {
        let families = bed.families.iter().map(|family| {
            let tables: usize = family.workloads.iter().map(|w| w.tables.len()).sum();
            let name = format!("{} on {}: {tables} tables", family.name, bed.testbed);
            (name, details::family(bed, family))
        });
        let mut every = String::new();
        overview(&mut every, bed);
        let overview = (format!("every workload on {}", bed.testbed), every);
        let translation = (
            format!("translation on {}", bed.testbed),
            details::translation(bed),
        );
        let parts = std::iter::once(overview)
            .chain(families)
            .chain([translation]);
        for (name, tables) in parts.filter(|(_, tables)| !tables.is_empty()) {
            let mut part = String::new();
            fold(&mut part, &name, |part| part.push_str(&tables));
            let part = clean::document(part);
            let more = part.chars().count();
            if length + more < MOST - 2_000 {
                out.push_str(&part);
                length += more;
            } else {
                left_out.push(name);
            }
        }
    }
    if !left_out.is_empty() {
        let names = escape(&left_out.join(", "));
        let _ = write!(
            out,
            "\nLeft out, as a comment on GitHub takes {MOST} characters, and in report.html and \
             samples.csv: {names}.\n"
        );
    }
}

/// The first tables of a testbed: rows are strategies, columns a workload a family.
fn at_a_glance(out: &mut String, digest: &Digest<'_>, bed: &Bed<'_>) {
    for glance in glance::of(digest, bed) {
        let watermark = prose::watermark(bed.testbed).map_or(String::new(), |w| format!(" ({w})"));
        let title = format!("At a glance: {}{watermark}", glance.title);
        let _ = write!(out, "\n## {}\n\n", escape(&title));
        let names = glance.columns.iter().map(|column| column.name);
        let header: Vec<&str> = std::iter::once("strategy").chain(names).collect();
        let rows = glance.arms.iter().map(|cell| {
            let figures = glance.columns.iter().map(|column| match column.arm(cell) {
                Some((table, arm)) => overview_cell(table, arm),
                None => column.table.err().unwrap_or_default().to_string(),
            });
            std::iter::once(escape(&cell.arm()))
                .chain(figures)
                .collect()
        });
        table(out, &header, 1, rows);
        let _ = write!(out, "\n{}\n\n", escape(&glance::about(bed)));
        for note in &glance.notes {
            let _ = writeln!(out, "- {}", escape(note));
        }
    }
}

/// What every testbed says to a question, its tables only on request.
fn said(out: &mut String, answer: &Answer, tables: bool) {
    for part in &answer.parts {
        let testbed = part.testbed;
        if let Some(why) = &part.not {
            let _ = write!(out, "**{}**\n\n", escape(&format!("{testbed}: {why}.")));
        }
        for said in &part.said {
            let _ = writeln!(out, "- {}", escape(&format!("{testbed}: {said}")));
        }
        out.push('\n');
        for table in part.grids.iter().filter(|_| tables) {
            grid(out, table);
        }
        if let (false, n @ 1..) = (tables, part.grids.len()) {
            let _ = writeln!(out, "{n} tables do not fit; report.html has them.");
        }
    }
}

/// Rows are tables, columns strategies: the baseline's median, the others' ratio.
fn overview(out: &mut String, bed: &Bed<'_>) {
    let _ = write!(
        out,
        "\n## {}: {}\n\n",
        bed.testbed,
        prose::about(bed.testbed)
    );
    if let Some(watermark) = prose::watermark(bed.testbed) {
        *out += &format!("**{}**\n\n", escape(watermark));
    }
    matrix(out, bed, &bed.defaults());
    let ratio = prose::columns(bed);
    *out += &format!("\nColumn {BASELINE}: median over blocks. Others: {ratio}. ");
    *out += &format!("▲ costs more, ▼ costs less: {}.\n", prose::MARKED);
    for arms in bed.modes() {
        let strategy = arms.first().map_or("", |cell| &cell.strategy);
        let _ = write!(out, "\n### Modes of {}\n\n", escape(strategy));
        matrix(out, bed, &arms);
    }
}

/// Every group of `run` against every strategy in its default mode, as one table.
pub fn overview_table(run: &Run) -> String {
    let mut out = String::new();
    for bed in &Digest::of(run).beds {
        matrix(&mut out, bed, &bed.defaults());
    }
    out
}

/// Every group in which one of `arms` is, against `arms`.
fn matrix(out: &mut String, bed: &Bed<'_>, arms: &[&Cell]) {
    let mut header = vec!["workload".to_string()];
    header.extend(arms.iter().map(|cell| escape(&cell.arm())));
    let rows = bed.tables().filter_map(|table| {
        let cells: Vec<_> = arms.iter().map(|cell| digest::arm(table, cell)).collect();
        cells.iter().any(Option::is_some).then(|| {
            let cells = cells.into_iter();
            let cells = cells.map(|arm| arm.map_or(String::new(), |arm| overview_cell(table, arm)));
            std::iter::once(escape(&table.group.to_string()))
                .chain(cells)
                .collect()
        })
    });
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(out, &header, 1, rows);
}

fn overview_cell(table: &Table<'_>, arm: &Arm<'_>) -> String {
    match (&arm.figures, &arm.ratio) {
        (Err(hole), _) => crate::terminal::short(hole).to_string(),
        (Ok(_), Ok(r)) => {
            let [value, precision] = number::ratio(r);
            let insn = digest::difference(table, arm).map(number::difference);
            let insn = insn.map_or(String::new(), |n| format!("({n}) "));
            format!("{value} {insn}{precision} {}", Mark::of(r).sign())
        }
        (Ok(f), Err(_)) => digest::scale(table).with_unit(f.median),
    }
}

fn isolation(out: &mut String, run: &Run) {
    for evidence in evidence::of(run) {
        let _ = write!(out, "\n## Isolation evidence: {}\n\n", evidence.testbed);
        *out += &format!("{}\n\n", escape(&evidence.summary()));
        let mut header = vec!["strategy"];
        header.extend(READERS.map(|(_, name)| name));
        header.extend(["claims to be", "holds"]);
        let rows = evidence.audits.iter().map(|audit| {
            let mut row = vec![escape(&audit.arm())];
            row.extend(READERS.map(|(reader, _)| {
                let finding = evidence::finding(audit, reader);
                let seen = finding.map_or("not tried", |f| f.seen.as_str());
                format!("**{}**: {}", evidence::word(audit, reader), escape(seen))
            }));
            row.extend([evidence::claim(audit), evidence::holds(audit)].map(str::to_string));
            row
        });
        let header: Vec<String> = header.into_iter().map(escape).collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        table(out, &header, 6, rows);
        *out += &format!("\n{}\n", escape(evidence::ABOUT));
    }
}

fn gaps(out: &mut String, digest: &Digest<'_>) {
    let gaps = gap::gaps(digest);
    if gaps.is_empty() {
        return;
    }
    *out += "\n## Missing and failed\n\n";
    let rows = gaps.iter().take(GAPS).map(|gap| {
        let remedy = gap.remedy.as_deref().unwrap_or("");
        let who = format!("{} ({})", gap.who(), gap.testbed);
        [who.as_str(), &gap.scope(), &gap.what, remedy]
            .map(escape)
            .into()
    });
    table(out, &["strategy", "where", "reason", "remedy"], 4, rows);
    if let Some(more @ 1..) = gaps.len().checked_sub(GAPS) {
        let _ = writeln!(out, "\n{more} more reasons; report.html has them.");
    }
}
