// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Verdicts on two runs, rendered. To add a form, write a file with a function of a
//! [`Pair`] and give it a line in the list below: everything that a verdict
//! rests on is in there.
//!
//! `view` is what a reader sees, made once; `words` what a metric says. Each form
//! writes it down and escapes for itself: names are those of records, and untrusted.

mod counts;
mod heads;
mod losses;
mod stat;
mod view;
mod words;

mod csv;
mod github;
mod html;
mod json;
mod markdown;
mod terminal;
mod text;

use crate::choice::choices;
use results::{Run, gate::Comparison};

/// What the columns of a table mean.
const COLUMNS: &str = "A, B: medians over blocks. delta and interval: the change from A to B in \
percent, with its 95 % interval; exact: the difference of counts that several blocks repeat to the last digit; one run: of counts from one block. MDE, detects: the \
least slowdown, in percent, that would be called a regression in 4 cases of 5.";

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What decides and what changed.
    Decisive,
    /// Every series, changed or not.
    All,
}

/// What is to be rendered.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// What is compared with: A.
    pub baseline: &'a Run,
    /// What is judged: B.
    pub current: &'a Run,
    /// The verdicts on the two.
    pub comparison: &'a Comparison,
    /// How much of them is shown.
    pub scope: Scope,
}

choices! {
    /// A form in which a comparison can be read.
    Form, "form of a verdict";
    /// Renders `pair`, UTF-8 with a line feed after each line.
    ///
    /// # Errors
    /// [`crate::Error::Json`] if a library that we write through refuses.
    render(pair: &Pair<'_>);
    /// For a person at a terminal or in a log, at most 100 columns.
    Terminal: "terminal", "diff.terminal.txt", |pair| Ok(terminal::terminal(pair));
    /// One self-contained page.
    Html: "html", "diff.html", |pair| Ok(html::html(pair));
    /// GitHub-flavoured Markdown, for a comment on a pull request.
    Markdown: "md", "diff.md", |pair| Ok(markdown::markdown(pair));
    /// Plain ASCII of at most 75 columns, for mailing lists.
    Text: "text", "diff.txt", |pair| Ok(text::text(pair));
    /// Every metric, one a line.
    Csv: "csv", "diff.csv", csv::csv;
    /// Annotations of a GitHub job.
    Github: "github", "diff.github.txt", |pair| Ok(github::github(pair));
    /// All of it, for a program.
    Json: "json", "diff.json", json::json;
}
