// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Lines of a given width. Nothing is cut off: what does not fit is wrapped, or goes on in
//! another table below.

use crate::{clean, shell, wrap::wrap};

/// The widest figure, or name of one, that a table has room for.
const WIDEST: usize = 40;

/// What stands between two columns, and where that would be too wide.
const BAR: &str = " | ";
const TIGHT: &str = "| ";

/// Which lines a reader has room for, and which letters.
#[derive(Clone, Copy)]
pub(super) struct Paper {
    /// The widest line, in characters.
    pub(super) columns: usize,
    /// Whether it has room for the columns of a page.
    pub(super) wide: bool,
    /// Text on one line in letters that can be written.
    pub(super) letters: fn(&str) -> String,
}

/// A mail: 75 columns of ASCII.
pub(super) const MAIL: Paper = Paper {
    columns: 75,
    wide: false,
    letters: clean::ascii,
};

/// A terminal: 100 columns.
pub(super) const SCREEN: Paper = Paper {
    columns: 100,
    wide: true,
    letters: |text| clean::document(clean::line(text)),
};

/// The lines so far. Every method keeps to the paper.
pub(super) struct Page {
    pub(super) paper: Paper,
    lines: String,
}

impl Page {
    /// An empty page.
    pub(super) fn new(paper: Paper) -> Self {
        Page {
            paper,
            lines: String::new(),
        }
    }

    /// All of it.
    pub(super) fn finish(self) -> String {
        self.lines
    }

    /// Whether nothing is on it.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Text in letters that can be written; what stands before a name counts.
    pub(super) fn letters(&self, text: &str) -> String {
        let margin = text.len() - text.trim_start().len();
        " ".repeat(margin) + &(self.paper.letters)(text)
    }

    pub(super) fn line(&mut self, line: &str) {
        self.lines.push_str(line.trim_end());
        self.lines.push('\n');
    }

    pub(super) fn gap(&mut self) {
        self.line("");
    }

    /// `text` with a line below it.
    pub(super) fn heading(&mut self, text: &str) {
        self.wrapped("", text);
        let width = count(&(self.paper.letters)(text)).min(self.paper.columns);
        self.line(&"-".repeat(width));
    }

    /// `text` in lines, the first of which begins with `first`.
    pub(super) fn wrapped(&mut self, first: &str, text: &str) {
        for line in wrap(first, &(self.paper.letters)(text), self.paper.columns) {
            self.line(&line);
        }
    }

    /// Rows under a header that are known to fit. The first column takes what the others leave; a name
    /// that does not fit stands on a line of its own above its figures, and so does
    /// a row of one cell, above the rows that it names.
    fn table(&mut self, rows: &[Vec<String>], bar: &str) {
        let mut widths = vec![0; rows.first().map_or(0, Vec::len)];
        for row in rows.iter().filter(|row| row.len() > 1) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = count(cell).max(*width);
            }
        }
        let others: usize = widths[1..].iter().map(|w| w + bar.len()).sum();
        let room = self
            .paper
            .columns
            .saturating_sub(others)
            .max(count(&rows[0][0]));
        widths[0] = widths[0].min(room);
        for (i, row) in rows.iter().enumerate() {
            if let [name] = &row[..] {
                self.wrapped("", name);
                continue;
            }
            let fits = count(&row[0]) <= widths[0];
            if !fits {
                self.wrapped("", &row[0]);
            }
            let mut line = format!("{:1$}", if fits { &row[0] } else { "" }, widths[0]);
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                line.push_str(bar);
                line.push_str(&format!("{cell:>width$}"));
            }
            self.line(&line);
            if i == 0 {
                let rule: Vec<_> = widths.iter().map(|w| "-".repeat(*w)).collect();
                self.line(&rule.join(&bar.replace(' ', "-").replace('|', "+")));
            }
        }
    }

    /// The same in as many tables as it takes to keep the figures of a row on the paper; each
    /// begins with the first column. Names longer than `first` stand above their figures.
    pub(super) fn split(&mut self, first: usize, rows: &[Vec<String>]) {
        let (rows, notes) = apart(rows);
        for note in notes {
            self.wrapped("  ", &note);
        }
        let width = |column: usize| {
            let rows = rows.iter().filter(|row| row.len() > 1);
            let cells = rows.filter_map(|row| row.get(column));
            cells.map(|cell| count(cell)).max().unwrap_or(0)
        };
        let columns = rows.first().map_or(0, Vec::len);
        let most = self.paper.columns;
        let fits = |bar: &&str| {
            let figures = (1..columns).map(|column| width(column) + bar.len());
            width(0).min(first) + figures.sum::<usize>() <= most
        };
        let bar = [BAR, TIGHT].into_iter().find(fits).unwrap_or(BAR);
        let mut begin = 1;
        while begin < columns {
            let mut used = width(0).min(first);
            let room = |column: &usize| {
                used += width(*column) + bar.len();
                used <= most
            };
            let end = begin + (begin..columns).take_while(room).count().max(1);
            let part = |row: &Vec<String>| {
                let others = row.iter().skip(begin).take(end - begin);
                row.iter().take(1).chain(others).cloned().collect()
            };
            self.table(&rows.iter().map(part).collect::<Vec<_>>(), bar);
            begin = end;
            if begin < columns {
                self.gap();
            }
        }
    }

    /// The command, in lines that a shell joins again.
    pub(super) fn command(&mut self, words: &[String]) {
        let most = self.paper.columns - 4;
        let mut line = "  ".to_string();
        for word in words {
            let quoted = shell::quoted(word);
            if line.trim().is_empty() || line.len() + 1 + quoted.len() <= most {
                line.push_str(if line.trim().is_empty() { "" } else { " " });
            } else {
                self.line(&(line + " \\"));
                line = "      ".to_string();
            }
            if line.len() + quoted.len() <= most {
                line.push_str(&quoted);
                continue;
            }
            // Pieces that touch are one word to a shell, so each is quoted for
            // itself; in the worst case a byte takes four columns and a
            // character has four bytes.
            let chars: Vec<char> = word.chars().collect();
            for piece in chars.chunks(4) {
                let piece = shell::quoted(&piece.iter().collect::<String>());
                if line.len() + piece.len() > most {
                    self.line(&(line + "\\"));
                    line = String::new();
                }
                line.push_str(&piece);
            }
        }
        self.line(&line);
    }
}

fn count(text: &str) -> usize {
    text.chars().count()
}

/// `rows` with a number in place of each figure, or name of one, that is too wide for any
/// table, and those texts by their numbers.
fn apart(rows: &[Vec<String>]) -> (Vec<Vec<String>>, Vec<String>) {
    let mut notes: Vec<String> = Vec::new();
    let mut number = |cell: &String| {
        let known = notes.iter().position(|note| note == cell);
        let at = known.unwrap_or_else(|| {
            notes.push(cell.clone());
            notes.len() - 1
        });
        format!("({})", at + 1)
    };
    let mut row = |row: &Vec<String>| -> Vec<String> {
        let cell = |(i, cell): (usize, &String)| match i > 0 && count(cell) > WIDEST {
            true => number(cell),
            false => cell.clone(),
        };
        row.iter().enumerate().map(cell).collect()
    };
    let rows = rows.iter().map(&mut row).collect();
    let notes = notes.iter().enumerate();
    (
        rows,
        notes
            .map(|(i, note)| format!("({}) {note}", i + 1))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_width(page: &Page) {
        for line in page.lines.lines() {
            assert!(line.len() <= MAIL.columns && line.is_ascii(), "{line}");
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
        let mut page = Page::new(MAIL);
        page.command(&words.map(str::to_string));
        check_width(&page);
        let joined = page.lines.replace("\\\n", "");
        let joined: Vec<_> = joined.split_whitespace().collect();
        assert_eq!(joined.join(" "), words.map(shell::quoted).join(" "));
    }

    #[test]
    fn a_table_too_wide_goes_on_below_with_its_names() {
        let row = |name: &str, n: usize| -> Vec<String> {
            let others = (0..n).map(|i| format!("{i:010}"));
            std::iter::once(name.to_string()).chain(others).collect()
        };
        let check = |name: &str, n: usize, tables: usize| {
            let mut page = Page::new(MAIL);
            page.split(32, &[row("variant", n), row(name, n)]);
            check_width(&page);
            assert_eq!(
                page.lines.matches("variant").count(),
                tables,
                "{}",
                page.lines
            );
            assert_eq!(page.lines.matches("00000000").count(), 2 * n);
        };
        check("memfd", 5, 1);
        check("memfd", 6, 2);
        check("memfd", 11, 3);
        check("x".repeat(90).as_str(), 4, 2);
        check("memfd", 0, 0);
    }

    #[test]
    fn what_is_too_wide_for_a_table_stands_above_it() {
        let long = "y".repeat(90);
        let mut page = Page::new(MAIL);
        page.split(
            32,
            &[
                vec!["variant".into(), long.clone(), "n".into()],
                vec!["memfd".into(), "5".into(), long.clone()],
            ],
        );
        check_width(&page);
        let joined: String = page.lines.split_whitespace().collect();
        assert!(
            joined.starts_with(&format!("(1){long}variant|(1)|n")),
            "{}",
            page.lines
        );
        assert_eq!(joined.matches(&long).count(), 1);
    }
}
