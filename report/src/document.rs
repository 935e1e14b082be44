// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a report says, without a format: blocks that sections make and writers write down.
//!
//! All text is that of a record or of a section as it is. Each writer escapes it for its
//! own format, and leaves out what its readers have no use for.

use crate::{clean, number::Mark};
use results::{Cell, cell::Params};

/// A report, or a verdict on two runs.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// What is read first: the title, the cautions, the answer. A terminal shows it last,
    /// because its end is what is in sight.
    pub(crate) lead: Vec<Block>,
    /// The evidence, and everything on demand.
    pub(crate) body: Vec<Block>,
}

/// A part of a document.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    /// A heading of level 1 (the title, once), 2 or 3.
    Heading(Heading),
    /// A paragraph.
    Paragraph(Text),
    /// What must be read before any number.
    Caution(String),
    /// Why something that was asked for is not here.
    Note(String),
    /// A list.
    List(List),
    /// Names with values.
    Facts(Facts),
    /// A table.
    Table(Table),
    /// How many figures of each workload moved.
    Moves(Moves),
    /// What is missing, by its cause.
    Missing(Vec<Missing>),
    /// A command, word by word.
    Command(Vec<String>),
    /// A figure, which only a page shows.
    Figure(Figure),
    /// Something that is read on demand.
    Fold(Fold),
    /// What only pages show, because a mail has no room to fold it away.
    Page(Vec<Block>),
}

/// A heading.
#[derive(Clone, Debug)]
pub(crate) struct Heading {
    /// From 1 to 3.
    pub(crate) level: u8,
    /// The address within a page, which does not depend on what else the document holds.
    pub(crate) id: String,
    pub(crate) text: String,
}

/// What is folded away behind its title where the format can fold.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub(crate) head: Heading,
    /// Whether it stays in a document that has no room for everything. Tables and figures
    /// in it may go all the same.
    pub(crate) stays: bool,
    pub(crate) blocks: Vec<Block>,
}

/// Text on which nothing but code is marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Vec<Span>);

/// A piece of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Plain(String),
    Code(String),
}

/// A list.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) style: Style,
    /// Each item with what stands below it.
    pub(crate) items: Vec<(String, Vec<String>)>,
}

/// What an item begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A bullet.
    Bullets,
    /// Nothing: remarks on what stands above.
    Notes,
    /// A name, below which its lines are set in.
    Names,
}

/// Names with values, or with the values of two runs.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) caption: String,
    /// What the values are, one name a column.
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Fact>,
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
    /// The other run's value, if it is another one.
    pub(crate) other: Option<String>,
}

/// How many figures of each workload moved.
#[derive(Clone, Debug)]
pub(crate) struct Moves {
    pub(crate) caption: String,
    /// The sum, in a sentence.
    pub(crate) total: String,
    pub(crate) rows: Vec<Move>,
}

/// How many figures of one workload moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) workload: String,
    pub(crate) more: usize,
    pub(crate) less: usize,
    /// Of which it cannot be told.
    pub(crate) open: usize,
    /// What else became of figures: `2 gone`.
    pub(crate) other: String,
}

/// One cause for which something is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The arms, with their testbed.
    pub(crate) who: String,
    /// The workloads.
    pub(crate) scope: String,
    pub(crate) what: String,
    /// What would help; empty if nothing is known to.
    pub(crate) remedy: String,
}

/// Rows in groups, below the names of their columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// What it is; empty if the heading above says so.
    pub(crate) title: String,
    /// What the columns mean; empty if their names say so.
    pub(crate) about: String,
    /// What a group's name is.
    pub(crate) group: &'static str,
    /// The columns, of which the first is a name and the others are figures.
    pub(crate) columns: Vec<String>,
    /// How many columns are for every reader. The others are for pages.
    pub(crate) narrow: usize,
    /// Whether columns hold prose.
    pub(crate) prose: bool,
    /// Each group's name and its rows, which are as long as the columns. A name may be
    /// empty, and then the group has none.
    pub(crate) groups: Vec<(String, Vec<Vec<Field>>)>,
}

/// What stands in a row below a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) text: String,
    /// The arms that the text names, if it names nothing else.
    pub(crate) arms: Vec<(String, Params)>,
    /// Which way the figure differs.
    pub(crate) mark: Option<Mark>,
}

/// A figure of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// A file name without suffix, unique in the run: lower-case letters,
    /// digits, `-` and `_`.
    pub name: String,
    /// One line: what it shows, of which group.
    pub title: String,
    /// In a few sentences: how to read it.
    pub caption: String,
    /// A complete SVG document with a light background.
    pub svg: String,
    /// The data that it shows: a line a point below the names of the columns with their
    /// units, which are base units.
    pub csv: String,
    /// Where it belongs.
    pub worth: Worth,
}

/// Where a figure belongs in a page that cannot hold them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// It sums up a family, a workload or a chase.
    Main,
    /// It describes the samples of one table, or the modes of one strategy.
    Detail,
    /// It shows in another way what a detail shows: a file is enough.
    File,
}

impl Block {
    /// A heading.
    pub(crate) fn heading(level: u8, id: impl AsRef<str>, text: impl Into<String>) -> Self {
        Block::Heading(Heading::new(level, id, text))
    }

    /// A paragraph of plain text.
    pub(crate) fn paragraph(text: impl Into<String>) -> Self {
        Block::Paragraph(Text(vec![Span::Plain(text.into())]))
    }

    /// A list of single lines; nothing if there are none.
    pub(crate) fn list(style: Style, items: impl IntoIterator<Item = String>) -> Option<Self> {
        let items: Vec<_> = items.into_iter().map(|item| (item, vec![])).collect();
        (!items.is_empty()).then_some(Block::List(List { style, items }))
    }

    /// What is read on demand.
    pub(crate) fn fold(head: Heading, stays: bool, blocks: Vec<Block>) -> Self {
        Block::Fold(Fold {
            head,
            stays,
            blocks,
        })
    }
}

impl Heading {
    /// One whose address is made of `id`.
    pub(crate) fn new(level: u8, id: impl AsRef<str>, text: impl Into<String>) -> Self {
        Heading {
            level,
            id: clean::address(id.as_ref()),
            text: text.into(),
        }
    }
}

impl Text {
    /// Prose with code between backticks.
    pub(crate) fn prose(text: &str) -> Self {
        let spans = text.split('`').enumerate();
        let spans = spans.filter(|(_, part)| !part.is_empty());
        Text(
            spans
                .map(|(i, part)| match i % 2 {
                    1 => Span::Code(part.to_string()),
                    _ => Span::Plain(part.to_string()),
                })
                .collect(),
        )
    }

    /// The text without marks.
    pub(crate) fn plain(&self) -> String {
        let spans = self.0.iter().map(|span| match span {
            Span::Plain(text) | Span::Code(text) => text.as_str(),
        });
        spans.collect()
    }
}

impl From<String> for Field {
    fn from(text: String) -> Self {
        Field {
            text,
            ..Field::default()
        }
    }
}

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        text.to_string().into()
    }
}

impl Field {
    /// The name of an arm.
    pub(crate) fn arm(cell: &Cell) -> Self {
        Field::named(&cell.strategy, &cell.mode, cell.arm())
    }

    /// The name of a strategy in a mode, written as `text`.
    pub(crate) fn named(strategy: &str, mode: &Params, text: String) -> Self {
        Field {
            arms: vec![(strategy.to_string(), mode.clone())],
            ..text.into()
        }
    }

    /// A figure that differs as `mark` says.
    pub(crate) fn marked(text: impl Into<String>, mark: Mark) -> Self {
        Field {
            mark: Some(mark),
            ..text.into().into()
        }
    }
}

impl Table {
    /// A table without rows.
    pub(crate) fn new<N: AsRef<str>>(
        title: impl Into<String>,
        group: &'static str,
        columns: &[N],
    ) -> Self {
        Table {
            title: title.into(),
            about: String::new(),
            group,
            columns: columns.iter().map(|n| n.as_ref().to_string()).collect(),
            narrow: columns.len(),
            prose: false,
            groups: Vec::new(),
        }
    }

    /// Adds a row to `group`, at its end.
    pub(crate) fn push(&mut self, group: &str, row: Vec<Field>) {
        debug_assert_eq!(row.len(), self.columns.len());
        match self.groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, rows)) => rows.push(row),
            None => self.groups.push((group.to_string(), vec![row])),
        }
    }

    /// Adds a row of `name` and `figures` to `group`; if a row has equal figures, adds its
    /// name to that one's, so that what differs stands out.
    pub(crate) fn share(&mut self, group: &str, name: Field, figures: Vec<Field>) {
        let rows = self.groups.iter_mut().filter(|(known, _)| known == group);
        let mut rows = rows.flat_map(|(_, rows)| rows);
        match rows.find(|row| row[1..] == figures) {
            Some(row) => {
                row[0].text += &format!(", {}", name.text);
                row[0].arms.extend(name.arms);
            }
            None => self.push(group, [vec![name], figures].concat()),
        }
    }

    /// Itself, unless it has no rows.
    pub(crate) fn unless_empty(self) -> Option<Self> {
        (!self.groups.is_empty()).then_some(self)
    }

    /// Whether any group has a name.
    pub(crate) fn named(&self) -> bool {
        self.groups.iter().any(|(name, _)| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stands_between_backticks() {
        let [plain, code] = [Span::Plain("a ".into()), Span::Code("b".into())];
        assert_eq!(Text::prose("a `b`"), Text(vec![plain, code]));
    }
}
