// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Verdicts on two runs, rendered. To add a form, write a file with a function of a
//! [`Comparison`] and give it a line in the list below: everything that a verdict
//! rests on is in there.

mod github;
mod json;
mod text;

use crate::Error;
use results::gate::Comparison;
use std::str::FromStr;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What decides and what changed.
    Decisive,
    /// Every series, changed or not.
    All,
}

/// Makes the enum and its table from one line a form: `Variant: "name", function;`.
macro_rules! forms {
    ($($(#[$doc:meta])+ $variant:ident: $name:literal, $render:expr;)+) => {
        /// A form in which a comparison can be read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Form {
            $($(#[$doc])+ $variant,)+
        }

        impl Form {
            /// Every form.
            pub const ALL: &[Form] = &[$(Form::$variant),+];

            /// The name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Form::$variant => $name,)+ }
            }
        }

        /// Renders `comparison`, UTF-8 with a line feed after each line.
        ///
        /// # Errors
        /// [`Error::Json`] if a library that we write through refuses.
        pub fn render(form: Form, comparison: &Comparison, scope: Scope) -> Result<String, Error> {
            match form { $(Form::$variant => $render(comparison, scope),)+ }
        }
    };
}

forms! {
    /// For a person at a terminal or in a log.
    Text: "text", |comparison, scope| Ok(text::text(comparison, scope));
    /// Annotations of a GitHub job.
    Github: "github", |comparison, scope| Ok(github::github(comparison, scope));
    /// All of it, for a program.
    Json: "json", |comparison, _| json::json(comparison);
}

impl FromStr for Form {
    type Err = Error;

    fn from_str(given: &str) -> Result<Self, Error> {
        let found = Form::ALL.iter().find(|form| form.name() == given);
        let known = || Form::ALL.iter().map(|f| f.name()).collect::<Vec<_>>();
        found.copied().ok_or_else(|| Error::UnknownFormat {
            what: "form of a verdict",
            given: given.to_string(),
            known: known().join(", "),
        })
    }
}
