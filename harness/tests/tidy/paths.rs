// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Names in tokens: the leaves of a `use`, and the paths of other code.

use crate::code::is_ident;
use proc_macro2::TokenTree;
use std::collections::BTreeSet;

/// A path, word by word.
pub(crate) type Path = Vec<String>;

/// Reads the tree of a `use` from behind that word up to its end: adds the names that it
/// brings in, with their paths; how many tokens were read.
pub(crate) fn read_use(
    tokens: &[TokenTree],
    prefix: &mut Path,
    leaves: &mut Vec<(String, Path)>,
) -> usize {
    let (mut at, depth) = (0, prefix.len());
    let mut alias = None;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Ident(word) if word == "as" => {
                alias = tokens.get(at).map(ToString::to_string);
                at += 1;
            }
            TokenTree::Ident(word) => prefix.push(word.to_string()),
            TokenTree::Punct(p) if p.as_char() == '*' => prefix.push("*".into()),
            TokenTree::Punct(p) if matches!(p.as_char(), ',' | ';') => {
                leaves.extend(leaf(prefix, depth, alias.take()));
                if p.as_char() == ';' {
                    return at;
                }
            }
            TokenTree::Group(group) => {
                let inside: Vec<_> = group.stream().into_iter().collect();
                read_use(&inside, prefix, leaves);
                prefix.truncate(depth);
            }
            _ => {}
        }
    }
    leaves.extend(leaf(prefix, depth, alias));
    at
}

/// The name and the path of a leaf, if `path` has got longer than `depth`, which it then
/// is again.
fn leaf(path: &mut Path, depth: usize, alias: Option<String>) -> Option<(String, Path)> {
    let mut whole = path.clone();
    path.truncate(depth);
    if whole.len() <= depth {
        return None;
    }
    if whole.len() > 1 && whole.last()? == "self" {
        whole.pop();
    }
    let name = alias.unwrap_or(whole.last()?.clone());
    Some((name, whole))
}

/// Reads the path at the beginning of `tokens`, or all that are in a group; how many
/// tokens were read. A word behind a point is a field or a method, and no path.
pub(crate) fn read_path(tokens: &[TokenTree], paths: &mut BTreeSet<Path>) -> usize {
    match &tokens[0] {
        TokenTree::Group(group) => {
            let inside: Vec<_> = group.stream().into_iter().collect();
            let mut at = 0;
            while at < inside.len() {
                at += match is_ident(&inside[at], "use") {
                    true => {
                        let mut leaves = Vec::new();
                        let len = read_use(&inside[at + 1..], &mut Vec::new(), &mut leaves);
                        paths.extend(leaves.into_iter().map(|(_, path)| path));
                        len + 1
                    }
                    false => read_path(&inside[at..], paths),
                };
            }
            1
        }
        TokenTree::Punct(p) if p.as_char() == '.' => {
            1 + usize::from(matches!(tokens.get(1), Some(TokenTree::Ident(_))))
        }
        TokenTree::Ident(first) => {
            let mut path = vec![first.to_string()];
            let mut at = 1;
            while let [
                TokenTree::Punct(a),
                TokenTree::Punct(b),
                TokenTree::Ident(next),
                ..,
            ] = &tokens[at..]
                && (a.as_char(), b.as_char()) == (':', ':')
            {
                path.push(next.to_string());
                at += 3;
            }
            paths.insert(path);
            at
        }
        _ => 1,
    }
}

#[test]
fn a_use_is_read_to_its_leaves() {
    let tokens = crate::code::tokens("a::{self, b::C, d::{E as F, *}}, super::g; rest");
    let mut leaves = Vec::new();
    let read = read_use(&tokens, &mut Vec::new(), &mut leaves);
    let found: Vec<_> = leaves
        .iter()
        .map(|(name, path)| format!("{name}={}", path.join("::")))
        .collect();
    assert_eq!(
        found,
        ["a=a", "C=a::b::C", "F=a::d::E", "*=a::d::*", "g=super::g"]
    );
    assert_eq!(tokens.len() - read, 1);
}

#[test]
fn paths_are_found_within_macros_and_not_behind_points() {
    let tokens = crate::code::tokens("f(x.y::<u8>(), vec![a::b::C], { use d::{E, F}; g() })");
    let mut paths = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        at += read_path(&tokens[at..], &mut paths);
    }
    let found: Vec<_> = paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        ["a::b::C", "d::E", "d::F", "f", "g", "u8", "vec", "x"]
    );
}
