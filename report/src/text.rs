// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Plain text for a mailing list: ASCII, never wider than [`COLUMNS`], tables in
//! the form `variant | n | median | min | max | delta`, then everything a reader
//! needs to doubt or repeat it. Nothing is cut off: what does not fit is wrapped.

use crate::{
    bounce::{self, Bouncing, Way},
    clean::{ascii, shorten},
    digest::{self, Bed, Digest, Family, Workload},
    evidence::{self, READERS},
    gap, matrix,
    number::{self, Mark},
    prose,
    wrap::wrap,
};
use results::{
    Run, Unit,
    compare::{Arm, NoRatio, Table},
    stats::{Precision, Ratio},
};

/// The widest line, in characters.
const COLUMNS: usize = 75;

/// What stands between two columns.
const BAR: &str = " | ";

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
        let star = "* marks an interval that excludes 0.";
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
    out.0
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

/// The document so far. Every method keeps to [`COLUMNS`] and to ASCII.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    fn gap(&mut self) {
        self.line("");
    }

    fn heading(&mut self, text: &str) {
        self.gap();
        self.wrapped("", text);
        self.line(&"-".repeat(ascii(text).len().min(COLUMNS)));
    }

    /// `text` in lines, the first of which begins with `first`.
    fn wrapped(&mut self, first: &str, text: &str) {
        for line in wrap(first, &ascii(text), COLUMNS) {
            self.line(&line);
        }
    }

    /// Rows under a header. The first column takes what the others leave; a name
    /// that does not fit stands on a line of its own above its figures, and so does
    /// a row of one cell, above the rows that it names.
    fn table(&mut self, rows: &[Vec<String>]) {
        let mut widths = vec![0; rows.first().map_or(0, Vec::len)];
        for row in rows.iter().filter(|row| row.len() > 1) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.len().max(*width);
            }
        }
        let others: usize = widths[1..].iter().map(|w| w + BAR.len()).sum();
        let room = COLUMNS.saturating_sub(others).max(rows[0][0].len());
        widths[0] = widths[0].min(room);
        for (i, row) in rows.iter().enumerate() {
            if let [name] = &row[..] {
                self.wrapped("", name);
                continue;
            }
            let fits = row[0].len() <= widths[0];
            if !fits {
                self.wrapped("", &row[0]);
            }
            let mut line = format!("{:1$}", if fits { &row[0] } else { "" }, widths[0]);
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                line.push_str(BAR);
                line.push_str(&format!("{cell:>width$}"));
            }
            self.line(&line);
            if i == 0 {
                let rule: Vec<_> = widths.iter().map(|w| "-".repeat(*w)).collect();
                self.line(&rule.join("-+-"));
            }
        }
    }

    /// The same in as many tables as it takes to keep the figures of a row within
    /// [`COLUMNS`]; each begins with the first column.
    fn split(&mut self, rows: &[Vec<String>]) {
        /// What the first column may have; longer names stand above their figures.
        const FIRST: usize = 32;
        let width = |column: usize| {
            let rows = rows.iter().filter(|row| row.len() > 1);
            let cells = rows.filter_map(|row| row.get(column));
            cells.map(String::len).max().unwrap_or(0)
        };
        let columns = rows.first().map_or(0, Vec::len);
        let mut begin = 1;
        while begin < columns {
            let mut used = width(0).min(FIRST);
            let room = |column: &usize| {
                used += width(*column) + BAR.len();
                used <= COLUMNS
            };
            let end = begin + (begin..columns).take_while(room).count().max(1);
            let part = |row: &Vec<String>| {
                let others = row.iter().skip(begin).take(end - begin);
                row.iter().take(1).chain(others).cloned().collect()
            };
            self.table(&rows.iter().map(part).collect::<Vec<_>>());
            begin = end;
            if begin < columns {
                self.gap();
            }
        }
    }

    /// The command, in lines that a shell joins again.
    fn command(&mut self, words: &[String]) {
        const MOST: usize = COLUMNS - 4;
        let mut line = "  ".to_string();
        for word in words {
            let quoted = prose::quoted(word);
            if line.trim().is_empty() || line.len() + 1 + quoted.len() <= MOST {
                line.push_str(if line.trim().is_empty() { "" } else { " " });
            } else {
                self.line(&(line + " \\"));
                line = "      ".to_string();
            }
            if line.len() + quoted.len() <= MOST {
                line.push_str(&quoted);
                continue;
            }
            // Pieces that touch are one word to a shell, so each is quoted for
            // itself; in the worst case a byte takes four columns and a
            // character has four bytes.
            let chars: Vec<char> = word.chars().collect();
            for piece in chars.chunks(4) {
                let piece = prose::quoted(&piece.iter().collect::<String>());
                if line.len() + piece.len() > MOST {
                    self.line(&(line + "\\"));
                    line = String::new();
                }
                line.push_str(&piece);
            }
        }
        self.line(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_width(page: &Page) {
        for line in page.0.lines() {
            assert!(line.len() <= COLUMNS && line.is_ascii(), "{line}");
        }
    }

    /// Joined as a shell joins them, the lines are the quoted words again.
    #[test]
    fn a_command_survives_its_line_breaks() {
        let words = [
            "unmapbench",
            "run",
            "--out",
            &"y".repeat(300),
            "--workloads",
            "mmio/*",
        ];
        let mut page = Page::default();
        page.command(&words.map(str::to_string));
        check_width(&page);
        let joined = page.0.replace("\\\n", "");
        let joined: Vec<_> = joined.split_whitespace().collect();
        assert_eq!(joined.join(" "), words.map(prose::quoted).join(" "));
    }

    #[test]
    fn a_table_too_wide_goes_on_below_with_its_names() {
        let row = |name: &str, n: usize| -> Vec<String> {
            let others = (0..n).map(|i| format!("{i:010}"));
            std::iter::once(name.to_string()).chain(others).collect()
        };
        let check = |name: &str, n: usize, tables: usize| {
            let mut page = Page::default();
            page.split(&[row("variant", n), row(name, n)]);
            check_width(&page);
            assert_eq!(page.0.matches("variant").count(), tables, "{}", page.0);
            assert_eq!(page.0.matches("00000000").count(), 2 * n);
        };
        check("memfd", 5, 1);
        check("memfd", 6, 2);
        check("memfd", 11, 3);
        check("x".repeat(90).as_str(), 4, 2);
        check("memfd", 0, 0);
    }
}
