// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Rust code as tokens: what of it is for tests, and what is left without that.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::ops::RangeInclusive;

/// The tokens of a Rust file.
pub(crate) fn tokens(text: &str) -> Vec<TokenTree> {
    let stream: TokenStream = text.parse().expect("it compiles, so it can be read");
    stream.into_iter().collect()
}

/// `text` without the lines of items that are compiled for tests only.
pub(crate) fn without_tests(text: &str) -> String {
    let mut tests = Vec::new();
    find_tests(&tokens(text), &mut tests);
    let is_test = |line: usize| tests.iter().any(|range| range.contains(&line));
    let lines = text.lines().zip(1..);
    let kept = lines.filter(|(_, number)| !is_test(*number));
    kept.map(|(line, _)| format!("{line}\n")).collect()
}

/// The lines of every item with `#[cfg(test)]`, at any depth.
fn find_tests(tokens: &[TokenTree], found: &mut Vec<RangeInclusive<usize>>) {
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = test_item(tokens, at) {
            let last = &tokens[end - 1];
            found.push(tokens[at].span().start().line..=last.span().end().line);
            at = end;
            continue;
        }
        if let TokenTree::Group(group) = &tokens[at] {
            let inside: Vec<_> = group.stream().into_iter().collect();
            find_tests(&inside, found);
        }
        at += 1;
    }
}

/// Where the item ends that begins at `at`, if it is for tests only.
pub(crate) fn test_item(tokens: &[TokenTree], at: usize) -> Option<usize> {
    let (mut next, mut for_tests) = (at, false);
    while let Some(attribute) = attribute(tokens, next) {
        for_tests |= is_cfg_test(&attribute);
        next += 2;
    }
    if !for_tests {
        return None;
    }
    // An item ends with a semicolon or its body; a field, an arm or a variant by a comma.
    let item = tokens.get(next).is_some_and(begins_item);
    while let Some(token) = tokens.get(next) {
        next += 1;
        match token {
            TokenTree::Punct(p) if p.as_char() == ';' => break,
            TokenTree::Punct(p) if p.as_char() == ',' && !item => break,
            TokenTree::Group(g) if g.delimiter() == Delimiter::Brace && item => break,
            _ => {}
        }
    }
    Some(next)
}

/// The content of an attribute that begins at `at`.
fn attribute(tokens: &[TokenTree], at: usize) -> Option<Vec<TokenTree>> {
    match (tokens.get(at)?, tokens.get(at + 1)?) {
        (TokenTree::Punct(hash), TokenTree::Group(group))
            if hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
        {
            Some(group.stream().into_iter().collect())
        }
        _ => None,
    }
}

/// Whether an attribute is `cfg(test)`, or a `cfg` that needs it with others.
fn is_cfg_test(attribute: &[TokenTree]) -> bool {
    match attribute {
        [name, TokenTree::Group(of)] if is_ident(name, "cfg") => {
            let of: Vec<_> = of.stream().into_iter().collect();
            match &of[..] {
                [name] => is_ident(name, "test"),
                [name, TokenTree::Group(all)] if is_ident(name, "all") => {
                    all.stream().into_iter().any(|t| is_ident(&t, "test"))
                }
                _ => false,
            }
        }
        _ => false,
    }
}

fn begins_item(token: &TokenTree) -> bool {
    const WORDS: [&str; 16] = [
        "pub",
        "fn",
        "mod",
        "use",
        "const",
        "static",
        "struct",
        "enum",
        "union",
        "impl",
        "trait",
        "type",
        "unsafe",
        "async",
        "extern",
        "macro_rules",
    ];
    WORDS.iter().any(|word| is_ident(token, word))
}

/// Whether `token` is this word.
pub(crate) fn is_ident(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

#[test]
fn code_after_a_test_is_still_code() {
    let text = "\
fn a() {}
#[cfg(test)]
mod tests {
    fn b() {}
}
fn c() {
    #[cfg(test)]
    d();
    e();
}
#[cfg(test)]
#[derive(Debug)]
struct F(u8);
struct G {
    #[cfg(all(test, unix))]
    h: u8,
    i: u8,
}
#[cfg(not(test))]
fn j() {}
";
    let code = without_tests(text);
    for word in ["fn a", "fn c", "e();", "struct G", "i: u8", "fn j"] {
        assert!(code.contains(word), "{word} is gone: {code}");
    }
    for word in ["mod tests", "fn b", "d();", "struct F", "h: u8"] {
        assert!(!code.contains(word), "{word} is left: {code}");
    }
}
