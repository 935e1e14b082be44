// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The modules of each crate: which file each is in, what it defines, what it imports,
//! and what its code names.

use crate::{
    code::{is_ident, test_item, tokens},
    paths::{Path, read_path, read_use},
    sources::{File, files},
};
use proc_macro2::{Delimiter, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

/// The modules that one root file leads to.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) root: String,
    pub(crate) modules: Vec<Module>,
    /// The files of modules that are for tests only.
    pub(crate) test_files: Vec<String>,
}

/// A module, without its tests.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// An index of [`Tree::modules`]; that of the root is its own.
    pub(crate) parent: usize,
    pub(crate) file: String,
    pub(crate) children: BTreeMap<String, usize>,
    pub(crate) items: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    /// Paths in its code, at least a word long.
    pub(crate) paths: BTreeSet<Path>,
}

/// A name that a `use` brings in; `*` for all of a module.
#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) name: String,
    pub(crate) path: Path,
    /// Whether it is there for others too (`pub use`, to whatever extent).
    pub(crate) passed_on: bool,
}

/// The trees of all libraries and programs.
pub(crate) fn trees() -> &'static [Tree] {
    static TREES: OnceLock<Vec<Tree>> = OnceLock::new();
    TREES.get_or_init(|| {
        let is_root = |file: &&File| {
            let name = &file.name;
            let target = name.ends_with("src/lib.rs") || name.ends_with("src/main.rs");
            target && !name.contains("/fuzz/")
        };
        let roots = files().iter().filter(is_root);
        roots.map(|root| Tree::of(&root.name)).collect()
    })
}

impl Tree {
    fn of(root: &str) -> Self {
        let mut tree = Tree {
            root: root.to_string(),
            ..Tree::default()
        };
        let folder = root.rsplit_once('/').unwrap().0.to_string();
        tree.add(0, root, &folder, &tokens(&read(root)));
        tree
    }

    /// Adds the module of these tokens, whose child modules' files are in `folder`.
    fn add(&mut self, parent: usize, file: &str, folder: &str, tokens: &[TokenTree]) -> usize {
        let index = self.modules.len();
        self.modules.push(Module {
            parent,
            file: file.to_string(),
            ..Module::default()
        });
        let mut at = 0;
        while at < tokens.len() {
            if let Some(end) = test_item(tokens, at) {
                if let Some((name, None, _)) = declaration(&tokens[at..end]) {
                    self.note_tests(&name, folder);
                }
                at = end;
            } else if let Some((name, body, len)) = declaration(&tokens[at..]) {
                let within = format!("{folder}/{name}");
                let child = match body {
                    Some(body) => self.add(index, file, &within, &body),
                    None => {
                        let beside = |path: &str| path.rsplit_once('/').unwrap().0.to_string();
                        // The children of a file that is named lie beside it.
                        let (file, within) = match path_attribute(tokens, at) {
                            Some(path) => {
                                let file = format!("{}/{path}", beside(file));
                                (file.clone(), beside(&file))
                            }
                            None => (file_of(&name, folder), within),
                        };
                        let body = crate::code::tokens(&read(&file));
                        self.add(index, &file, &within, &body)
                    }
                };
                self.modules[index].children.insert(name, child);
                at += len;
            } else if is_ident(&tokens[at], "use") {
                let passed_on = at > 0 && is_public(tokens, at);
                let mut leaves = Vec::new();
                let end = at + read_use(&tokens[at + 1..], &mut Vec::new(), &mut leaves) + 1;
                let imports = leaves.into_iter().map(|(name, path)| Import {
                    name,
                    path,
                    passed_on,
                });
                self.modules[index].imports.extend(imports);
                at = end;
            } else {
                if let Some(name) = defined(tokens, at) {
                    self.modules[index].items.insert(name);
                }
                let mut paths = BTreeSet::new();
                at += read_path(&tokens[at..], &mut paths);
                self.modules[index].paths.extend(paths);
            }
        }
        let include = vec!["include".to_string()];
        if self.modules[index].paths.contains(&include) {
            self.add_found(index, folder);
        }
        index
    }

    /// Adds the modules that a build script finds in a folder, and that no line declares.
    fn add_found(&mut self, index: usize, folder: &str) {
        let within = format!("{folder}/");
        let below = files().iter().filter_map(|file| {
            let rest = file.name.strip_prefix(&within)?;
            let name = rest.strip_suffix("/mod.rs").or(rest.strip_suffix(".rs"))?;
            (!name.contains('/')).then_some((name.to_string(), file))
        });
        for (name, file) in below {
            if !self.modules[index].children.contains_key(&name) {
                let within = format!("{folder}/{name}");
                let child = self.add(index, &file.name, &within, &tokens(&file.text));
                self.modules[index].children.insert(name, child);
            }
        }
    }

    /// A module of tests: its file, and all that lie in its folder.
    fn note_tests(&mut self, name: &str, folder: &str) {
        let within = format!("{folder}/{name}/");
        self.test_files.push(file_of(name, folder));
        let below = files().iter().filter(|f| f.name.starts_with(&within));
        self.test_files.extend(below.map(|f| f.name.clone()));
    }
}

fn read(name: &str) -> String {
    let file = files().iter().find(|f| f.name == name);
    file.unwrap_or_else(|| panic!("no {name}")).text.clone()
}

fn file_of(name: &str, folder: &str) -> String {
    let flat = format!("{folder}/{name}.rs");
    match files().iter().any(|f| f.name == flat) {
        true => flat,
        false => format!("{folder}/{name}/mod.rs"),
    }
}

/// A declaration of a module at the beginning of `tokens`, perhaps behind attributes and
/// a visibility that were consumed or not: its name, its body and how many tokens it has.
fn declaration(tokens: &[TokenTree]) -> Option<(String, Option<Vec<TokenTree>>, usize)> {
    let begin = tokens.iter().position(|t| {
        !matches!(t, TokenTree::Punct(p) if p.as_char() == '#')
            && !matches!(t, TokenTree::Group(g) if g.delimiter() != Delimiter::Brace)
            && !is_ident(t, "pub")
    })?;
    let [word, TokenTree::Ident(name), third, ..] = &tokens[begin..] else {
        return None;
    };
    if !is_ident(word, "mod") {
        return None;
    }
    let body = match third {
        TokenTree::Group(body) => Some(body.stream().into_iter().collect()),
        _ => None,
    };
    Some((name.to_string(), body, begin + 3))
}

/// What `path = "..."` says among the attributes at `at`.
fn path_attribute(tokens: &[TokenTree], at: usize) -> Option<String> {
    let attributes = tokens[at..].chunks(2).map_while(|pair| match pair {
        [TokenTree::Punct(hash), TokenTree::Group(text)] if hash.as_char() == '#' => {
            Some(text.stream().to_string())
        }
        _ => None,
    });
    let mut paths = attributes.filter_map(|text| {
        let (_, path) = text.split_once("path = \"")?;
        Some(path.split_once('"')?.0.to_string())
    });
    paths.next()
}

/// Whether the `use` at `at` has `pub` before it, with or without an extent.
fn is_public(tokens: &[TokenTree], at: usize) -> bool {
    match &tokens[at - 1] {
        TokenTree::Group(extent) if extent.delimiter() == Delimiter::Parenthesis => {
            at > 1 && is_ident(&tokens[at - 2], "pub")
        }
        token => is_ident(token, "pub"),
    }
}

/// The name of the item whose keyword is at `at`.
fn defined(tokens: &[TokenTree], at: usize) -> Option<String> {
    const WORDS: [&str; 9] = [
        "fn",
        "struct",
        "enum",
        "union",
        "trait",
        "type",
        "const",
        "static",
        "macro_rules",
    ];
    WORDS.iter().find(|word| is_ident(&tokens[at], word))?;
    tokens[at + 1..]
        .iter()
        .take(2)
        .find_map(|token| match token {
            TokenTree::Ident(name) if name != "mut" && name != "fn" => Some(name.to_string()),
            _ => None,
        })
}
