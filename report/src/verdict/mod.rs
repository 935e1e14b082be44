// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Verdicts on two runs, rendered. To add a form, write a file with a function of a
//! [`Pair`] and give it a line in the list below: everything that a verdict
//! rests on is in there.

mod github;
mod json;
mod text;

use crate::choice::choices;
use results::gate::Comparison;

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
    /// The verdicts.
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
    /// For a person at a terminal or in a log.
    Text: "text", "diff.txt", |pair| Ok(text::text(pair));
    /// Annotations of a GitHub job.
    Github: "github", "diff.github.txt", |pair| Ok(github::github(pair));
    /// All of it, for a program.
    Json: "json", "diff.json", json::json;
}
