// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The forms in which a run can be read. To add one, write a file with a
//! function of a run and give it a line in the list below.

use crate::Error;
use results::Run;
use std::{fmt, str::FromStr};

/// Makes the enum and its table from one line a format:
/// `Variant: "name", "file", function;`.
macro_rules! formats {
    ($($(#[$doc:meta])+ $variant:ident: $name:literal, $file:literal, $render:expr;)+) => {
        /// A form in which a run can be read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Format {
            $($(#[$doc])+ $variant,)+
        }

        impl Format {
            /// Every format.
            pub const ALL: &[Format] = &[$(Format::$variant),+];

            /// The name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Format::$variant => $name,)+ }
            }

            /// The name of its file in a run directory.
            pub fn file_name(self) -> &'static str {
                match self { $(Format::$variant => $file,)+ }
            }
        }

        /// Renders `run` as `format`, UTF-8 with a line feed after each line.
        ///
        /// # Errors
        /// None of the formats fails on the content of a run today; an error
        /// means that a library we write through refused.
        pub fn render(format: Format, run: &Run) -> Result<String, Error> {
            match format { $(Format::$variant => $render(run),)+ }
        }
    };
}

formats! {
    /// One self-contained page with tables and figures.
    Html: "html", "report.html", |run| Ok(crate::html(run));
    /// GitHub-flavoured Markdown, for pull requests.
    Markdown: "md", "report.md", |run| Ok(crate::markdown(run));
    /// Plain ASCII of at most 75 columns, for mailing lists.
    Text: "text", "report.txt", |run| Ok(crate::text(run));
    /// Every raw sample, one a line.
    Csv: "csv", "samples.csv", crate::samples::csv;
    /// A table of at most 100 columns, as printed at the end of a run.
    Terminal: "terminal", "terminal.txt", |run| Ok(crate::terminal(run));
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(given: &str) -> Result<Self, Error> {
        let found = Format::ALL.iter().find(|f| f.name() == given);
        found.copied().ok_or_else(|| Error::UnknownFormat {
            given: given.to_string(),
            known: Format::ALL
                .iter()
                .map(|f| f.name())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for &format in Format::ALL {
            assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "pdf".parse::<Format>().unwrap_err().to_string();
        assert_eq!(
            error,
            r#"no report format is called "pdf"; there are html, md, text, csv, terminal"#
        );
    }
}
