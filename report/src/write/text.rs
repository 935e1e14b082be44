// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Plain text for a mailing list: ASCII, never wider than 75 columns, and not longer than a
//! list takes. Nothing can be folded away, so that what only pages have is not in it, and
//! folds that would make the mail too long are named. A line is never cut off.

use super::{
    fit::fit,
    page::{MAIL, Page, Paper},
};
use crate::document::{Block, Document, Facts, Heading, List, Missing, Moves, Style, Table};

/// The longest mail that the kernel's lists take, in bytes (vger.kernel.org: "Message
/// size exceeding 100 000 characters causes blocking").
const MOST: usize = 100_000;

/// How many causes of what is missing are given.
const CAUSES: usize = 60;

/// What names may have of a line: longer ones stand above their figures.
const NAMES: usize = 32;

/// The document as plain text. Every line has at most 75 ASCII characters.
pub(crate) fn text(document: Document) -> String {
    let size = |block: &Block| {
        let mut lines = Lines::new(MAIL, CAUSES);
        // As if something stood above it.
        lines.last = Last::Other;
        lines.block(block);
        lines.page.finish().len()
    };
    let mut blocks = document.lead;
    blocks.extend(document.body);
    let fitted = fit(mail(blocks), MOST - 2_000, &size);
    let mut lines = Lines::new(MAIL, CAUSES);
    fitted.blocks.iter().for_each(|block| lines.block(block));
    if !fitted.left_out.is_empty() {
        lines.block(&Block::heading(2, "left-out", "Left out"));
        let names = fitted.left_out.join(", ");
        lines.block(&Block::paragraph(format!(
            "A list takes {MOST} characters. Left out, and in report.html: {names}."
        )));
    }
    lines.page.finish()
}

/// What a mail shows of `blocks`.
pub(super) fn mail(blocks: Vec<Block>) -> Vec<Block> {
    let shown = blocks.into_iter().filter_map(|block| match block {
        Block::Page(_) | Block::Figure(_) => None,
        Block::Fold(mut fold) => {
            fold.blocks = mail(fold.blocks);
            Some(Block::Fold(fold))
        }
        block => Some(block),
    });
    shown.collect()
}

/// What was written last: it decides whether a line is left free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Heading,
    Caution,
    Paragraph,
    Table,
    Other,
}

/// A document in lines.
pub(super) struct Lines {
    pub(super) page: Page,
    causes: usize,
    last: Last,
}

impl Lines {
    /// Nothing yet, on `paper`, with room for as many causes of what is missing.
    pub(super) fn new(paper: Paper, causes: usize) -> Self {
        Lines {
            page: Page::new(paper),
            causes,
            last: Last::Other,
        }
    }

    /// Writes `block`.
    pub(super) fn block(&mut self, block: &Block) {
        let last = match block {
            Block::Heading(heading) => self.heading(heading),
            Block::Paragraph(text) => {
                self.gap(matches!(self.last, Last::Table | Last::Caution));
                self.page.wrapped("", &text.plain());
                Last::Paragraph
            }
            Block::Caution(text) => {
                self.gap(self.last != Last::Heading);
                self.page.wrapped("! ", text);
                Last::Caution
            }
            Block::Note(text) => {
                self.page.wrapped("! ", text);
                Last::Other
            }
            Block::List(list) => self.list(list),
            Block::Facts(facts) => self.facts(facts),
            Block::Table(table) => self.table(table),
            Block::Moves(moves) => self.moves(moves),
            Block::Missing(causes) => self.missing(causes),
            Block::Command(words) => {
                self.page.command(words);
                Last::Other
            }
            Block::Fold(fold) => {
                self.gap(true);
                self.page.heading(&fold.head.text);
                self.last = Last::Heading;
                fold.blocks.iter().for_each(|block| self.block(block));
                Last::Other
            }
            Block::Page(_) | Block::Figure(_) => self.last,
        };
        self.last = last;
    }

    /// Leaves a line free, if that is due and anything stands above.
    fn gap(&mut self, due: bool) {
        if due && !self.page.is_empty() {
            self.page.gap();
        }
    }

    fn heading(&mut self, heading: &Heading) -> Last {
        match heading.level {
            1 => {
                self.page.wrapped("", &heading.text);
                Last::Other
            }
            2 => {
                self.gap(true);
                self.page.heading(&heading.text);
                Last::Heading
            }
            _ => {
                self.gap(self.last != Last::Heading);
                self.page.wrapped("", &heading.text);
                Last::Other
            }
        }
    }

    fn list(&mut self, list: &List) -> Last {
        let (first, below) = match list.style {
            Style::Bullets => ("- ", "  "),
            Style::Notes => ("  ", "    "),
            Style::Names => ("", "  "),
        };
        for (item, lines) in &list.items {
            self.page.wrapped(first, item);
            for line in lines {
                self.page.wrapped(below, line);
            }
        }
        Last::Other
    }

    fn facts(&mut self, facts: &Facts) -> Last {
        self.gap(self.last == Last::Paragraph);
        for fact in &facts.rows {
            let (name, value) = (&fact.name, &fact.value);
            match &fact.other {
                None => self.page.wrapped("  ", &format!("{name}: {value}")),
                Some(other) => {
                    self.page.wrapped("- ", &format!("{name}: {value}"));
                    self.page.wrapped("+ ", &format!("{name}: {other}"));
                }
            }
        }
        Last::Other
    }

    /// Each group's name above its rows.
    fn table(&mut self, table: &Table) -> Last {
        self.gap(self.last != Last::Heading);
        if !table.title.is_empty() {
            self.page.wrapped("", &table.title);
        }
        let most = match self.page.paper.wide {
            true => table.columns.len(),
            false => table.narrow,
        };
        let columns = table.columns.iter().take(most);
        let mut rows: Vec<Vec<String>> = vec![columns.map(|c| self.page.letters(c)).collect()];
        for (group, of) in &table.groups {
            if !group.is_empty() {
                rows.push(vec![self.page.letters(group)]);
            }
            for row in of {
                let fields = row.iter().take(most);
                rows.push(fields.map(|f| self.page.letters(&f.text)).collect());
            }
        }
        self.page.split(NAMES, &rows);
        if !table.about.is_empty() {
            self.page.wrapped("", &table.about);
        }
        Last::Table
    }

    /// In the manner of a diffstat.
    fn moves(&mut self, moves: &Moves) -> Last {
        /// The longest bar, and the longest name before one, in characters.
        const BAR: usize = 36;
        const NAME: usize = 30;
        let counts = moves.rows.iter().map(|row| row.more + row.less + row.open);
        let most = counts.max().unwrap_or(0);
        let names: Vec<String> = moves
            .rows
            .iter()
            .map(|row| self.page.letters(&row.workload))
            .collect();
        let width = names.iter().map(|name| name.chars().count()).max();
        let width = width.unwrap_or(0).min(NAME);
        for (row, name) in moves.rows.iter().zip(&names) {
            let parts = [(row.more, "+"), (row.less, "-"), (row.open, "?")];
            let length = |n: usize| match (n, most > BAR) {
                (0, _) => 0,
                (n, false) => n,
                // One is never nothing.
                (n, true) => (n * (BAR - 1) / most).max(1),
            };
            let bar: String = parts
                .iter()
                .map(|(n, sign)| sign.repeat(length(*n)))
                .collect();
            let count = row.more + row.less + row.open;
            let line = format!(" {name:width$} | {count:>4} {bar}");
            match name.chars().count() <= width {
                true => self.page.line(&line),
                false => self.page.wrapped(" ", &line),
            }
            if !row.other.is_empty() {
                self.page.line(&format!(" {:width$} | {}", "", row.other));
            }
        }
        self.page.wrapped(" ", &moves.total);
        Last::Other
    }

    fn missing(&mut self, causes: &[Missing]) -> Last {
        for cause in causes.iter().take(self.causes) {
            let (who, scope) = (&cause.who, &cause.scope);
            self.page.wrapped("- ", &format!("{who}, {scope}:"));
            self.page.wrapped("  ", &cause.what);
            if !cause.remedy.is_empty() {
                self.page
                    .wrapped("  ", &format!("remedy: {}", cause.remedy));
            }
        }
        if let Some(more @ 1..) = causes.len().checked_sub(self.causes) {
            self.page
                .wrapped("- ", &format!("{more} more reasons; report.html has them."));
        }
        Last::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Move;

    #[test]
    fn a_bar_is_as_long_as_what_moved_or_in_proportion() {
        let check = |counts: [(usize, usize); 2], expected: &str| {
            let row = |(more, less)| Move {
                workload: "w".into(),
                more,
                less,
                open: 0,
                other: String::new(),
            };
            let mut lines = Lines::new(MAIL, 1);
            lines.block(&Block::Moves(Moves {
                caption: String::new(),
                total: String::new(),
                rows: counts.map(row).into(),
            }));
            let page = lines.page.finish();
            let bar = page.lines().next().unwrap().split(' ').next_back().unwrap();
            assert_eq!(bar, expected);
        };
        check([(3, 2), (0, 0)], "+++--");
        check([(350, 1), (0, 0)], &("+".repeat(34) + "-"));
        check([(1, 0), (0, 351)], "+");
    }
}
