// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Breaks prose into lines of a given width. Nothing is lost: a word longer than
//! a line is broken inside.

/// `text` in lines of at most `columns` characters. The first begins with
/// `first`, the others with as many spaces; `first` must be shorter than a line.
pub(crate) fn wrap(first: &str, text: &str, columns: usize) -> Vec<String> {
    let indent = first.chars().count();
    let room = columns.saturating_sub(indent).max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + letters.len() > room {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for piece in letters.chunks(room) {
            if used + piece.len() > room {
                lines.push(std::mem::take(&mut line));
                used = 0;
            } else if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.extend(piece);
            used += piece.len();
        }
    }
    lines.push(line);
    let begin = |i| {
        if i == 0 {
            first.to_string()
        } else {
            " ".repeat(indent)
        }
    };
    let lines = lines.into_iter().enumerate();
    lines
        .map(|(i, line)| (begin(i) + &line).trim_end().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_to_the_width_and_loses_nothing() {
        fn check(text: &str, expected: &[&str]) {
            assert_eq!(wrap("- ", text, 10), expected, "{text}");
        }
        check("", &["-"]);
        check("one", &["- one"]);
        check("one two three", &["- one two", "  three"]);
        check("12345678 1", &["- 12345678", "  1"]);
        check("abcdefghijkl", &["- abcdefgh", "  ijkl"]);
        check("a abcdefghijkl b", &["- a", "  abcdefgh", "  ijkl b"]);
        check("éééééééé é", &["- éééééééé", "  é"]);
    }
}
