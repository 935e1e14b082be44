// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The Markdown that documents are made of: tables, fences, and names that can neither end a
//! cell nor become markup.

use crate::clean;

/// A table whose first `left` columns are aligned to the left, the others to the
/// right. Rows may be shorter than the header.
pub(super) fn table(
    out: &mut String,
    header: &[&str],
    left: usize,
    rows: impl Iterator<Item = Vec<String>>,
) {
    let line = |cells: &[String]| {
        let cells: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    *out += &line(&header.iter().map(|h| h.to_string()).collect::<Vec<_>>());
    let rule = |i| if i < left { "---" } else { "---:" }.to_string();
    *out += &line(&(0..header.len()).map(rule).collect::<Vec<_>>());
    for mut row in rows {
        row.resize(header.len(), String::new());
        *out += &line(&row);
    }
}

/// Backticks that no run of them inside `text` can close.
pub(super) fn fence(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}

/// `text` on one line with everything that Markdown or HTML might act on
/// escaped. An underscore inside a word is not markup on GitHub and stays.
pub(super) fn escape(text: &str) -> String {
    let text: Vec<char> = clean::line(text).chars().collect();
    let mut out = String::new();
    for (i, &c) in text.iter().enumerate() {
        let word = |at: Option<usize>| {
            let neighbour = at.and_then(|at| text.get(at));
            neighbour.is_some_and(|c| c.is_alphanumeric())
        };
        let number = |c: Option<&char>| {
            c.is_some_and(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
        };
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '_' if word(i.checked_sub(1)) && word(Some(i + 1)) => out.push(c),
            // An interval stays as it is; what follows its end decides whether it is a link.
            '[' if number(text.get(i + 1)) => out.push(c),
            ']' if !matches!(text.get(i + 1), Some('(' | '[' | ':')) => out.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => out.extend(['\\', c]),
            // A zero-width space keeps a name from notifying a user.
            '@' => out.push_str("@\u{200b}"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_text() {
        fn check(name: &str, expected: &str) {
            assert_eq!(escape(name), expected);
        }
        check("mmio/user-read mem_mib=64", "mmio/user-read mem_mib=64");
        check("a|b", r"a\|b");
        check("<script>", "&lt;script&gt;");
        check("_x_ *y* `z`\n# h", r"\_x\_ \*y\* \`z\` \# h");
        check("[a](b)", r"\[a\](b)");
        check("[1](b) [a] [+1.0, 2]", r"[1\](b) \[a] [+1.0, 2]");
    }

    #[test]
    fn no_command_closes_its_fence() {
        fn check(command: &str, expected: &str) {
            assert_eq!(fence(command), expected);
        }
        check("run", "```");
        check("a `` b", "```");
        check("a ```` b", "`````");
    }
}
