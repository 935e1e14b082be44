// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lines of a text report: ASCII, never wider than [`COLUMNS`]. Nothing is cut
//! off: what does not fit is wrapped, or goes on in another table below.

use crate::{clean::ascii, prose, wrap::wrap};

/// The widest line, in characters.
const COLUMNS: usize = 75;

/// The widest figure, or name of one, that a table has room for.
const WIDEST: usize = 40;

/// What stands between two columns, and where that would be too wide.
const BAR: &str = " | ";
const TIGHT: &str = "| ";

/// The document so far. Every method keeps to [`COLUMNS`] and to ASCII.
#[derive(Default)]
pub(crate) struct Page(String);

impl Page {
    /// All of it.
    pub(crate) fn finish(self) -> String {
        self.0
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the lines of `other`.
    pub(super) fn append(&mut self, other: Page) {
        self.0.push_str(&other.0);
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    pub(crate) fn gap(&mut self) {
        self.line("");
    }

    pub(crate) fn heading(&mut self, text: &str) {
        self.gap();
        self.wrapped("", text);
        self.line(&"-".repeat(ascii(text).len().min(COLUMNS)));
    }

    /// `text` in lines, the first of which begins with `first`.
    pub(crate) fn wrapped(&mut self, first: &str, text: &str) {
        for line in wrap(first, &ascii(text), COLUMNS) {
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
                *width = cell.len().max(*width);
            }
        }
        let others: usize = widths[1..].iter().map(|w| w + bar.len()).sum();
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

    /// The same in as many tables as it takes to keep the figures of a row within
    /// [`COLUMNS`]; each begins with the first column.
    pub(crate) fn split(&mut self, rows: &[Vec<String>]) {
        self.split_behind(32, rows);
    }

    /// The same with at most `first` columns of a line for the names: longer ones stand
    /// above their figures.
    pub(crate) fn split_behind(&mut self, first: usize, rows: &[Vec<String>]) {
        let (rows, notes) = apart(rows);
        for note in notes {
            self.wrapped("  ", &note);
        }
        let width = |column: usize| {
            let rows = rows.iter().filter(|row| row.len() > 1);
            let cells = rows.filter_map(|row| row.get(column));
            cells.map(String::len).max().unwrap_or(0)
        };
        let columns = rows.first().map_or(0, Vec::len);
        let fits = |bar: &&str| {
            let figures = (1..columns).map(|column| width(column) + bar.len());
            width(0).min(first) + figures.sum::<usize>() <= COLUMNS
        };
        let bar = [BAR, TIGHT].into_iter().find(fits).unwrap_or(BAR);
        let mut begin = 1;
        while begin < columns {
            let mut used = width(0).min(first);
            let room = |column: &usize| {
                used += width(*column) + bar.len();
                used <= COLUMNS
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
    pub(crate) fn command(&mut self, words: &[String]) {
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
        let cell = |(i, cell): (usize, &String)| match i > 0 && cell.len() > WIDEST {
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

    #[test]
    fn what_is_too_wide_for_a_table_stands_above_it() {
        let long = "y".repeat(90);
        let mut page = Page::default();
        page.split(&[
            vec!["variant".into(), long.clone(), "n".into()],
            vec!["memfd".into(), "5".into(), long.clone()],
        ]);
        check_width(&page);
        let joined: String = page.0.split_whitespace().collect();
        assert!(
            joined.starts_with(&format!("(1){long}variant|(1)|n")),
            "{}",
            page.0
        );
        assert_eq!(joined.matches(&long).count(), 1);
    }
}
