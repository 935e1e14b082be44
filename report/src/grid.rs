// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A table of words, made once and written down alike by every format: counters,
//! and what a section of its own has to say.

/// Rows in groups, below the names of their columns.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// What it is.
    pub(crate) title: String,
    /// What the columns mean; empty if their names say so.
    pub(crate) about: String,
    /// What a group's name is.
    pub(crate) group: &'static str,
    /// The columns, of which the first is a name and the others are figures.
    pub(crate) columns: Vec<String>,
    /// Each group's name and its rows, which are as long as the columns. A name may be
    /// empty, and then the group has none.
    pub(crate) groups: Vec<(String, Vec<Vec<String>>)>,
}

impl Grid {
    /// A grid without rows.
    pub(crate) fn new(title: impl Into<String>, group: &'static str, columns: &[&str]) -> Self {
        Grid {
            title: title.into(),
            about: String::new(),
            group,
            columns: columns.iter().map(|name| name.to_string()).collect(),
            groups: Vec::new(),
        }
    }

    /// Adds a row to `group`, at its end.
    pub(crate) fn push(&mut self, group: &str, row: Vec<String>) {
        debug_assert_eq!(row.len(), self.columns.len());
        match self.groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, rows)) => rows.push(row),
            None => self.groups.push((group.to_string(), vec![row])),
        }
    }

    /// Adds a row of `name` and `figures` to `group`; where a row has the same figures, its
    /// name to that one's, so that what differs stands out.
    pub(crate) fn share(&mut self, group: &str, name: String, figures: Vec<String>) {
        let rows = self.groups.iter_mut().filter(|(known, _)| known == group);
        let mut rows = rows.flat_map(|(_, rows)| rows);
        match rows.find(|row| row[1..] == figures) {
            Some(row) => row[0] += &format!(", {name}"),
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
