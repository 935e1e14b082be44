// SPDX-License-Identifier: Apache-2.0 OR MIT
//! No circle of files: a reader, or a crate, must be able to take any of them first.
//!
//! **The rule.** File A needs file B if A's code, without its tests, names something that
//! B defines. Names are followed through imports and through `pub use` to where they are
//! defined: a parent that only declares a child and passes its names on does not need it,
//! and who uses such a name needs the child. A parent needs a child if its code uses
//! it; a child needs its parent if it uses what the parent itself defines. Methods and
//! fields do not count: their type's name does. A circle is a set of files of one crate
//! each of which needs all others, directly or not.

use crate::{
    modules::{Module, Tree, trees},
    sources::rust,
};
use std::collections::{BTreeMap, BTreeSet};

type Needs = BTreeMap<String, BTreeSet<String>>;

/// How many imports a name is followed through.
const DEPTH: u32 = 16;

/// The file that defines what `path` names from module `from` on, or the nearest module on
/// the way to it; nothing if it leads out of the crate.
fn definition<'t>(tree: &'t Tree, from: usize, path: &[String]) -> Option<&'t str> {
    let shorter = (1..=path.len()).rev();
    shorter
        .filter_map(|len| begin(tree, from, &path[..len], DEPTH))
        .next()
}

fn begin<'t>(tree: &'t Tree, from: usize, path: &[String], depth: u32) -> Option<&'t str> {
    if depth == 0 {
        return None;
    }
    match path.split_first()? {
        (first, rest) if first == "crate" => walk(tree, 0, rest, depth),
        _ => walk(tree, from, path, depth),
    }
}

/// The same, from within module `at`.
fn walk<'t>(tree: &'t Tree, at: usize, path: &[String], depth: u32) -> Option<&'t str> {
    let module = &tree.modules[at];
    let Some((name, rest)) = path.split_first() else {
        return Some(&module.file);
    };
    match name.as_str() {
        "super" => return walk(tree, module.parent, rest, depth),
        "self" => return walk(tree, at, rest, depth),
        _ => {}
    }
    if let Some(child) = module.children.get(name) {
        return walk(tree, *child, rest, depth);
    }
    if module.items.contains(name) {
        return Some(&module.file);
    }
    if let Some(path) = module.imports(name) {
        let path: Vec<String> = path.iter().chain(rest).cloned().collect();
        return begin(tree, at, &path, depth - 1);
    }
    let wholes = module.imports.iter().filter(|i| i.name == "*");
    let within = wholes.filter_map(|import| {
        let (_, whole) = import.path.split_last()?;
        let path: Vec<String> = whole.iter().chain(path).cloned().collect();
        begin(tree, at, &path, depth - 1)
    });
    within.take(1).next()
}

impl Module {
    /// The path that an import of this name stands for.
    fn imports(&self, name: &str) -> Option<&[String]> {
        let import = self.imports.iter().find(|i| i.name == name);
        import.map(|i| &i.path[..])
    }
}

fn needs(tree: &Tree) -> Needs {
    let mut needs = Needs::new();
    for (index, module) in tree.modules.iter().enumerate() {
        let used = module.imports.iter().filter(|i| !i.passed_on);
        let used = used.map(|i| &i.path);
        let named = module.paths.iter().filter(|path| {
            // A single word is something else's name, unless it was imported to be
            // passed on and is used here as well.
            let passed_on = |i: &&crate::modules::Import| i.passed_on && i.name == path[0];
            path.len() > 1 || module.imports.iter().any(|i| passed_on(&i))
        });
        let found = used.chain(named);
        let found = found.filter_map(|path| definition(tree, index, path));
        let all = needs.entry(module.file.clone()).or_default();
        all.extend(found.filter(|f| *f != module.file).map(str::to_string));
    }
    needs
}

/// All that `from` needs, directly or not.
fn reach(needs: &Needs, from: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from.to_string()];
    while let Some(file) = next.pop() {
        for needed in needs.get(&file).into_iter().flatten() {
            if reached.insert(needed.clone()) {
                next.push(needed.clone());
            }
        }
    }
    reached
}

/// The circles of a graph.
fn circles(needs: &Needs) -> BTreeSet<BTreeSet<String>> {
    let reached: BTreeMap<&String, _> = needs.keys().map(|f| (f, reach(needs, f))).collect();
    let circle = |file: &&String| -> BTreeSet<String> {
        let mine = reached[*file].iter();
        let back = mine.filter(|other| reached.get(other).is_some_and(|r| r.contains(*file)));
        back.cloned().collect()
    };
    let all = needs.keys().collect::<Vec<_>>();
    let all = all.iter().map(circle);
    all.filter(|circle| !circle.is_empty()).collect()
}

#[test]
fn files_form_no_circle() {
    let mut found = String::new();
    for tree in trees() {
        let needs = needs(tree);
        for circle in circles(&needs) {
            found += &format!("a circle in {}:\n", tree.root);
            for file in &circle {
                let within: Vec<_> = needs[file].intersection(&circle).collect();
                found += &format!("  {file} needs {within:?}\n");
            }
        }
    }
    assert!(found.is_empty(), "{found}");
}

/// A file that no tree leads to would be in no circle, whatever it needs.
#[test]
fn every_source_file_is_in_a_tree() {
    let in_trees: BTreeSet<&str> = trees()
        .iter()
        .flat_map(|tree| {
            let files = tree.modules.iter().map(|module| &module.file);
            files.chain(&tree.test_files).map(String::as_str)
        })
        .collect();
    for source in rust() {
        let name = source.name.as_str();
        if name.contains("/src/") && !name.contains("/fuzz/") {
            assert!(in_trees.contains(name), "no module declares {name}");
        }
    }
}

#[test]
fn circles_are_found() {
    let graph = |edges: &[(&str, &str)]| {
        let mut needs = Needs::new();
        for (from, to) in edges {
            needs.entry(to.to_string()).or_default();
            let all = needs.entry(from.to_string()).or_default();
            all.insert(to.to_string());
        }
        circles(&needs).len()
    };
    assert_eq!(graph(&[("a", "b"), ("b", "c"), ("a", "c")]), 0);
    assert_eq!(graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]), 1);
    assert_eq!(graph(&[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]), 2);
}
