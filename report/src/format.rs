// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The forms in which a run can be read by a person. To add one, write a writer of documents
//! and give it a line in the list below.

use crate::{choice::choices, figure::Palette, model::Model, sections, write};
use results::Run;

choices! {
    /// A form in which a run can be read.
    Format, "report format";
    /// Renders `run` as `format`, UTF-8 with a line feed after each line.
    ///
    /// # Errors
    /// None of the formats fails on the content of a run today; an error
    /// means that a library we write through refused.
    render(run: &Run);
    /// One self-contained page with tables and figures.
    Html: "html", "report.html", |run| Ok(html(run));
    /// GitHub-flavoured Markdown, for pull requests.
    Markdown: "md", "report.md", |run| Ok(markdown(run));
    /// Plain ASCII of at most 75 columns, for mailing lists.
    Text: "text", "report.txt", |run| Ok(text(run));
    /// Every raw sample, one a line.
    Csv: "csv", "samples.csv", crate::samples::csv;
    /// Text of at most 100 columns, as printed at the end of a run.
    Terminal: "terminal", "terminal.txt", |run| Ok(terminal(run));
}

/// The run as one self-contained page.
pub fn html(run: &Run) -> String {
    write::html(sections::report(&Model::drawn(run)), &Palette::of(run))
}

/// The run as Markdown, at most 65,536 characters.
pub fn markdown(run: &Run) -> String {
    write::markdown(sections::report(&Model::of(run)))
}

/// The run as plain text. Every line has at most 75 ASCII characters.
pub fn text(run: &Run) -> String {
    write::text(sections::report(&Model::of(run)))
}

/// The run for a terminal: at most 100 columns, in UTF-8.
pub fn terminal(run: &Run) -> String {
    write::terminal(sections::report(&Model::of(run)))
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
