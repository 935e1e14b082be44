// SPDX-License-Identifier: Apache-2.0 OR MIT
//! GitHub-flavoured Markdown, for a pull request or an issue: the comparison
//! first, the long parts folded. Names are escaped so that they can neither end
//! a cell nor become markup.

use crate::{
    bounce::{self, Bouncing, Way},
    clean, counters,
    digest::{self, Bed, Digest, Workload},
    evidence::{self, READERS},
    gap,
    grid::Grid,
    matrix::{self, Matrix},
    number::{self, Mark},
    prose, tlb,
};
use results::{
    BASELINE, Cell, Run, Unit,
    compare::{Arm, NoRatio, Table},
};
use std::fmt::Write;

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
        overview(&mut out, bed);
    }
    isolation(&mut out, run);
    gaps(&mut out, &digest);
    for bed in &digest.beds {
        fold(&mut out, &format!("All figures: {}", bed.testbed), |out| {
            details(out, bed)
        });
    }
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
    clean::document(out)
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

fn details(out: &mut String, bed: &Bed<'_>) {
    for family in &bed.families {
        for workload in &family.workloads {
            workload_details(out, bed, workload);
            bounced(out, bed, workload);
        }
        if let Some(matrix) = matrix::of(family) {
            works(out, &matrix);
        }
        for counters in counters::of(family) {
            grid(out, &counters);
        }
    }
    for translation in tlb::of(bed) {
        grid(out, &translation);
    }
}

/// What bouncing costs, if `workload` does.
fn bounced(out: &mut String, bed: &Bed<'_>, workload: &Workload<'_>) {
    let tables = bounce::of(workload, bed.seed);
    let Some(about) = bounce::about(&tables) else {
        return;
    };
    let title = format!("{}: {}", bounce::TITLE, workload.id);
    let _ = write!(out, "### {}\n\n{}\n\n", escape(&title), escape(&about));
    for bouncing in &tables {
        let watermark = prose::watermark(bed.testbed).map_or(String::new(), |w| format!("; {w}"));
        let (group, series) = (&bouncing.group, bouncing.series);
        let title = format!("{group}: {series} in {}{watermark}", bouncing.scale.symbol);
        let _ = write!(out, "{}\n\n", escape(&title));
        let head = [
            "strategy",
            "bounce",
            "n",
            "median",
            "p50",
            "p99",
            bouncing.rate(),
            "copied",
            "over none",
            "precision",
            "over memfd",
            "precision",
        ];
        let ways = bouncing.arms.iter();
        let rows =
            ways.flat_map(|(cell, ways)| ways.iter().map(|way| bounced_row(bouncing, cell, way)));
        table(out, &head, 2, rows);
        out.push('\n');
    }
}

fn bounced_row(bouncing: &Bouncing<'_>, cell: &Cell, way: &Way) -> Vec<String> {
    let mut row = vec![escape(&cell.arm()), escape(&way.bounce)];
    match &way.cost {
        Ok(cost) => {
            row.push(cost.blocks.to_string());
            row.extend(cost.shown(bouncing.scale));
        }
        Err(no) => {
            row.extend(["0".to_string(), escape(&no.why)]);
            row.resize(8, String::new());
        }
    }
    for over in [&way.over_none, &way.over_baseline] {
        row.extend(match over {
            Ok(ratio) => {
                let [value, precision] = number::ratio(ratio);
                [format!("{value} {}", Mark::of(ratio).sign()), precision]
            }
            Err(why) => [escape(why), String::new()],
        });
    }
    row
}

fn works(out: &mut String, matrix: &Matrix) {
    let _ = write!(out, "### {}\n\n", matrix::TITLE);
    let arms = matrix.arms.iter().map(|arm| escape(arm));
    let header: Vec<String> = std::iter::once("backend".to_string()).chain(arms).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = matrix.rows.iter().map(|(backend, verdicts)| {
        let verdicts = verdicts.iter().map(|v| escape(&v.to_string()));
        std::iter::once(escape(backend)).chain(verdicts).collect()
    });
    table(out, &header, header.len(), rows);
    out.push('\n');
}

fn grid(out: &mut String, grid: &Grid) {
    let _ = write!(out, "### {}\n\n", escape(&grid.title));
    if !grid.about.is_empty() {
        let _ = write!(out, "{}\n\n", escape(&grid.about));
    }
    let named = grid.named();
    let columns = grid.columns.iter().map(|name| escape(name));
    let header: Vec<String> = named
        .then(|| grid.group.to_string())
        .into_iter()
        .chain(columns)
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = grid.groups.iter().flat_map(|(group, rows)| {
        rows.iter().map(move |row| {
            let cells = row.iter().map(|cell| escape(cell));
            named
                .then(|| escape(group))
                .into_iter()
                .chain(cells)
                .collect()
        })
    });
    table(out, &header, 1 + usize::from(named), rows);
    out.push('\n');
}

fn workload_details(out: &mut String, bed: &Bed<'_>, workload: &Workload<'_>) {
    let _ = write!(out, "### {}\n\n", escape(&workload.id));
    if let Some(info) = workload.info {
        for paragraph in info.analysis.split("\n\n") {
            // Code spans are meant here; one left open ends with its paragraph.
            let _ = write!(out, "{}\n\n", escape(paragraph).replace("\\`", "`"));
        }
    }
    for group in &workload.tables {
        let scale = digest::scale(group);
        let watermark = prose::watermark(bed.testbed).map_or(String::new(), |w| format!("; {w}"));
        let title = format!(
            "{}: {} in {}{watermark}",
            group.group, group.series, scale.symbol
        );
        let _ = write!(out, "{}\n\n", escape(&title));
        let insn = group.unit == Some(Unit::Insn);
        let head: &[&str] = match insn {
            true => &[
                "strategy",
                "n",
                "median",
                "min",
                "max",
                "ratio",
                "precision",
                "+/- insn",
            ],
            false => &[
                "strategy",
                "n",
                "median",
                "min",
                "max",
                "ratio",
                "95 % interval",
            ],
        };
        table(
            out,
            head,
            1,
            group.arms.iter().map(|arm| detail_row(group, arm)),
        );
        out.push('\n');
    }
}

fn detail_row(table: &Table<'_>, arm: &Arm<'_>) -> Vec<String> {
    let scale = digest::scale(table);
    let mut row = vec![escape(&arm.cell.arm())];
    match &arm.figures {
        Err(hole) => row.extend(["0".to_string(), escape(&hole.to_string())]),
        Ok(f) => {
            row.push(f.blocks.len().to_string());
            row.extend([f.median, f.min, f.max].map(|v| scale.show(v)));
            row.extend(match &arm.ratio {
                Ok(r) => {
                    let [value, interval] = number::ratio(r);
                    [format!("{value} {}", Mark::of(r).sign()), interval]
                }
                Err(NoRatio::IsBaseline) => ["baseline".to_string(), String::new()],
                Err(why) => ["none".to_string(), escape(&why.to_string())],
            });
            row.extend(digest::difference(table, arm).map(number::difference));
        }
    }
    row
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
                format!("**{}**: {}", evidence::word(finding), escape(seen))
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
    let rows = gaps.iter().map(|gap| {
        let remedy = gap.remedy.as_deref().unwrap_or("");
        let who = format!("{} ({})", gap.who(), gap.testbed);
        [who.as_str(), &gap.scope(), &gap.what, remedy]
            .map(escape)
            .into()
    });
    table(out, &["strategy", "where", "reason", "remedy"], 4, rows);
}

/// A table whose first `left` columns are aligned to the left, the others to the
/// right. Rows may be shorter than the header.
pub(crate) fn table(
    out: &mut String,
    header: &[&str],
    left: usize,
    rows: impl Iterator<Item = Vec<String>>,
) {
    let line = |cells: &[String]| {
        let cells: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    *out += &line(&header.iter().map(|h| h.to_string()).collect::<Vec<_>>());
    let rule = |i| if i < left { "---" } else { "---:" }.to_string();
    *out += &line(&(0..header.len()).map(rule).collect::<Vec<_>>());
    for mut row in rows {
        row.resize(header.len(), String::new());
        *out += &line(&row);
    }
}

fn fold(out: &mut String, title: &str, body: impl FnOnce(&mut String)) {
    let _ = write!(out, "\n<details><summary>{}</summary>\n\n", escape(title));
    body(out);
    *out += "\n</details>\n";
}

/// Backticks that no run of them inside `text` can close.
fn fence(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}

/// `text` on one line with everything that Markdown or HTML might act on
/// escaped. An underscore inside a word is not markup on GitHub and stays.
pub(crate) fn escape(text: &str) -> String {
    let text: Vec<char> = clean::line(text).chars().collect();
    let mut out = String::new();
    for (i, &c) in text.iter().enumerate() {
        let word = |at: Option<usize>| {
            let neighbour = at.and_then(|at| text.get(at));
            neighbour.is_some_and(|c| c.is_alphanumeric())
        };
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '_' if word(i.checked_sub(1)) && word(Some(i + 1)) => out.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => out.extend(['\\', c]),
            // A zero-width space keeps a name from mentioning somebody.
            '@' => out.push_str("@\u{200b}"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_text() {
        fn check(name: &str, expected: &str) {
            assert_eq!(escape(name), expected);
        }
        check("mmio/user-read mem_mib=64", "mmio/user-read mem_mib=64");
        check("a|b", r"a\|b");
        check("<script>", "&lt;script&gt;");
        check("_x_ *y* `z`\n# h", r"\_x\_ \*y\* \`z\` \# h");
        check("[a](b)", r"\[a\](b)");
    }

    #[test]
    fn no_command_closes_its_fence() {
        fn check(command: &str, expected: &str) {
            assert_eq!(fence(command), expected);
        }
        check("run", "```");
        check("a `` b", "```");
        check("a ```` b", "`````");
    }
}
