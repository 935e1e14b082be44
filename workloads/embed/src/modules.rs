// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Finding the modules of a folder, so that a new file needs no second line elsewhere.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Writes `$OUT_DIR/<name>`, which declares a module of the crate for each source file and each
/// folder with a `mod.rs` in `folder`, a path relative to the crate. Returns the modules'
/// names in alphabetical order.
///
/// `cargo fmt` does not follow such declarations; a tidy test checks these files' format.
///
/// # Panics
/// If the folder cannot be read or the list cannot be written.
pub fn modules(folder: &str, name: &str) -> Vec<String> {
    println!("cargo::rerun-if-changed={folder}");
    let manifest = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let folder = Path::new(&manifest).join(folder);
    let mut found = sources(&folder);
    found.sort();
    let declare = |(module, path): &(String, PathBuf)| {
        format!(
            "#[path = {:?}]\npub(crate) mod {module};\n",
            path.display().to_string()
        )
    };
    let list: String = found.iter().map(declare).collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join(name);
    fs::write(&out, list).unwrap_or_else(|e| panic!("{}: {e}", out.display()));
    found.into_iter().map(|(module, _)| module).collect()
}

/// Each module in `folder` with its file.
fn sources(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries
        .filter_map(|entry| {
            let path = entry.expect("a folder that can be listed").path();
            let module = path.file_stem()?.to_str()?.to_string();
            match path.extension() {
                Some(end) if end == "rs" => Some((module, path)),
                None => Some((module, path.join("mod.rs"))).filter(|(_, file)| file.exists()),
                Some(_) => None,
            }
        })
        .collect()
}
