// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Makes untrusted text safe to print. A record may hold any string: an escape
//! sequence that repaints the reader's terminal, a direction override that makes
//! a name read backwards, a control character that is illegal in XML.
//!
//! [`document`] runs once over each finished document, so that no renderer can
//! forget it; what is special to one format is escaped by that format.

/// A finished document with every control character but the line feed, and every
/// character that reorders text, replaced by U+FFFD.
pub(crate) fn document(text: String) -> String {
    if text.chars().all(harmless) {
        return text;
    }
    let replace = |c| if harmless(c) { c } else { '\u{fffd}' };
    text.chars().map(replace).collect()
}

/// A string without line breaks, for a place that has one line.
pub(crate) fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Printable ASCII on one line: the few other characters that we use ourselves
/// are spelt out, the rest become `?`.
pub(crate) fn ascii(text: &str) -> String {
    let mut out = String::new();
    for c in line(text).chars() {
        match c {
            ' '..='~' => out.push(c),
            'µ' | 'μ' => out.push('u'),
            '×' => out.push('x'),
            '→' => out.push_str("->"),
            '·' => out.push('-'),
            '–' | '—' | '−' => out.push('-'),
            '…' => out.push_str("..."),
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            '≤' => out.push_str("<="),
            '≥' => out.push_str(">="),
            '±' => out.push_str("+-"),
            '®' => out.push_str("(R)"),
            '\u{a0}' | '\u{2009}' => out.push(' '),
            _ => out.push('?'),
        }
    }
    out
}

/// Lower-case letters, digits, `_` and `-` of `text`: what comes from a record becomes no
/// path and no markup.
pub(crate) fn address(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '_') => out.push(c),
            _ if out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    out
}

/// At most `most` characters, the last an ellipsis if some were left out.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let text = line(text);
    if text.chars().count() <= most {
        return text;
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Whether a character neither controls a terminal nor reorders text.
pub(crate) fn harmless(c: char) -> bool {
    let reorders = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let not_xml = matches!(c, '\u{fffe}' | '\u{ffff}');
    c == '\n' || !(c.is_control() || reorders || not_xml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_keep_lines_and_lose_control() {
        fn check(input: &str, expected: &str) {
            assert_eq!(document(input.to_string()), expected);
        }
        check("a µ\nb", "a µ\nb");
        check("\u{1b}[2Jx\0\r", "\u{fffd}[2Jx\u{fffd}\u{fffd}");
        check("\u{202e}dfmem", "\u{fffd}dfmem");
    }

    #[test]
    fn ascii_is_ascii() {
        fn check(input: &str, expected: &str) {
            assert_eq!(ascii(input), expected);
        }
        check("73 µs ≤ 5×", "73 us <= 5x");
        check("a → b · c", "a -> b - c");
        check("two\nlines\tand a tab", "two lines and a tab");
        check("\u{1b}名", "??");
    }

    #[test]
    fn addresses_are_plain() {
        let check = |text: &str, expected: &str| assert_eq!(address(text), expected);
        check("lab: mmio", "lab-mmio");
        check("host-mmio/user-read cpus=1", "host-mmio-user-read-cpus-1");
        check("../../etc/Passwd", "-etc-passwd");
        check("<script>", "-script-");
    }

    #[test]
    fn shortens_by_characters() {
        fn check(input: &str, most: usize, expected: &str) {
            assert_eq!(shorten(input, most), expected);
        }
        check("memfd", 5, "memfd");
        check("guest-memfd", 6, "guest…");
        check("ééé", 2, "é…");
        check("x", 0, "…");
    }
}
