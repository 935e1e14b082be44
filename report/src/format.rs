// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The forms in which a run can be read by a person. To add one, write a file with a
//! function of a run and give it a line in the list below.

use crate::choice::choices;

choices! {
    /// A form in which a run can be read.
    Format, "report format";
    /// Renders `run` as `format`, UTF-8 with a line feed after each line.
    ///
    /// # Errors
    /// None of the formats fails on the content of a run today; an error
    /// means that a library we write through refused.
    render(run: &results::Run);
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
