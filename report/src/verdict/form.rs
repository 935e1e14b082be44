// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The forms in which a comparison can be read. To add one, write a function of a [`Pair`]
//! and give it a line in the list below.

use super::{csv, github, json, pair::Pair, sections, view::Room};
use crate::{choice::choices, figure::Palette, write};

/// How much a page, a comment, a mail and a log have room for.
const PAGE: Room = Room {
    rows: 2500,
    moved: 25,
    same: true,
    brief: false,
};
const COMMENT: Room = Room {
    rows: 120,
    moved: 20,
    same: false,
    brief: false,
};
const MAIL: Room = Room {
    rows: 600,
    moved: 10,
    same: false,
    brief: false,
};

/// A log, of which people read the end.
const LOG: Room = Room {
    rows: 600,
    moved: 100,
    same: false,
    brief: true,
};

choices! {
    /// A form in which a comparison can be read.
    Form, "form of a verdict";
    /// Renders `pair`, UTF-8 with a line feed after each line.
    ///
    /// # Errors
    /// [`crate::Error::Json`] if a library that we write through refuses.
    render(pair: &Pair<'_>);
    /// For a person at a terminal or in a log, at most 100 columns.
    Terminal: "terminal", "diff.terminal.txt", |pair| Ok(write::terminal(sections::verdict(pair, LOG)));
    /// One self-contained page.
    Html: "html", "diff.html", |pair: &Pair<'_>| Ok(write::html(sections::verdict(pair, PAGE), &Palette::of(pair.baseline)));
    /// GitHub-flavoured Markdown, for a comment on a pull request.
    Markdown: "md", "diff.md", |pair| Ok(write::markdown(sections::verdict(pair, COMMENT)));
    /// Plain ASCII of at most 75 columns, for mailing lists.
    Text: "text", "diff.txt", |pair| Ok(write::text(sections::verdict(pair, MAIL)));
    /// Every metric, one a line.
    Csv: "csv", "diff.csv", csv::csv;
    /// Annotations of a GitHub job.
    Github: "github", "diff.github.txt", |pair| Ok(github::github(pair));
    /// All of it, for a program.
    Json: "json", "diff.json", json::json;
}
