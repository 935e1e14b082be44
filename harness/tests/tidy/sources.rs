// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The files of the repository.

use crate::{code, modules};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// A text file, by its path from the root.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A Rust file.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
    /// The text without what is compiled for tests only; empty if all of it is.
    pub(crate) code: String,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// Every text file outside build output and records.
pub(crate) fn files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut files = Vec::new();
        walk(&root(), &root(), &mut files);
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files
    })
}

fn walk(dir: &Path, root: &Path, files: &mut Vec<File>) {
    const LEFT_OUT: [&str; 5] = [
        "target",
        ".git",
        "results/runs",
        "results/latest",
        "results/recorded",
    ];
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        if LEFT_OUT.contains(&name) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            walk(&path, root, files);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let name = name.to_string();
            files.push(File { name, text });
        }
    }
}

/// Every Rust file. Tests are told by `#[cfg(test)]`, on an item or on the module that a
/// file is, and by the folders that Cargo has for them.
pub(crate) fn rust() -> &'static [Source] {
    static RUST: OnceLock<Vec<Source>> = OnceLock::new();
    RUST.get_or_init(|| {
        let tests: BTreeSet<String> = modules::trees()
            .iter()
            .flat_map(|tree| tree.test_files.iter().cloned())
            .collect();
        let rust = files().iter().filter(|f| f.name.ends_with(".rs"));
        let sources = rust.map(|file| {
            let folder = ["/tests/", "/benches/"]
                .iter()
                .any(|dir| file.name.contains(dir));
            let code = match folder || tests.contains(&file.name) {
                true => String::new(),
                false => code::without_tests(&file.text),
            };
            Source {
                name: file.name.clone(),
                text: file.text.clone(),
                code,
            }
        });
        sources.collect()
    })
}
