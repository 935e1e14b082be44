// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Commands as a person types them.

/// Whether `git` is a commit and nothing besides.
pub(crate) fn is_revision(git: &str) -> bool {
    git.len() >= 7 && git.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The command as a shell reads it back, on one line.
pub(crate) fn command(words: &[String]) -> String {
    words
        .iter()
        .map(|w| quoted(w))
        .collect::<Vec<_>>()
        .join(" ")
}

/// One word for bash: as it is if it is plain, in single quotes if it is
/// printable ASCII, as `$'…'` otherwise.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    if word.chars().all(|c| matches!(c, ' '..='~')) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut out = "$'".to_string();
    for byte in word.bytes() {
        match byte {
            b'\'' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_back_as_they_were() {
        fn check(word: &str, expected: &str) {
            assert_eq!(quoted(word), expected);
        }
        check("--blocks", "--blocks");
        check("", "''");
        check("mmio/*", "'mmio/*'");
        check("it's", r"'it'\''s'");
        check("a\nb", r"$'a\x0ab'");
        check("é", r"$'\xc3\xa9'");
    }
}
