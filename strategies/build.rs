// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Finds the kernel patch series in `kernel/<version>/` and writes the table
//! that `src/kernel.rs` includes.
//!
//! A new version is a new directory: nothing is listed by hand. Embedding them
//! lets the installed command build a kernel without this repository.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("kernel");
    println!("cargo::rerun-if-changed=build.rs");
    // A path that does not exist would make every build run this again, so
    // without it the whole crate is watched for its appearance.
    let watched = if root.is_dir() { "kernel" } else { "." };
    println!("cargo::rerun-if-changed={watched}");

    let mut table = String::from("&[\n");
    for (version, dir) in series(&root)? {
        describe(&mut table, &version, &dir)?;
    }
    table.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("series.rs"), table)?;
    Ok(())
}

/// The directories whose name is a version, oldest first: 7.9 before 7.10.
fn series(root: &Path) -> Result<Vec<(String, PathBuf)>, Box<dyn Error>> {
    let mut found = Vec::new();
    for path in entries(root)? {
        let name = file_name(&path);
        let numbers: Result<Vec<u32>, _> = name.split('.').map(str::parse).collect();
        if let (true, Ok(numbers)) = (path.is_dir(), numbers) {
            found.push((numbers, name, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, n, p)| (n, p)).collect())
}

fn describe(table: &mut String, version: &str, dir: &Path) -> Result<(), Box<dyn Error>> {
    let mut patches: Vec<_> = entries(dir)?;
    patches.retain(|p| p.extension().is_some_and(|e| e == "patch"));
    patches.sort();

    writeln!(table, "Series {{ version: {version:?}, patches: &[")?;
    for patch in patches {
        let name = file_name(&patch);
        writeln!(table, "({name:?}, include_bytes!({patch:?})),")?;
    }
    let config = dir.join("config.fragment");
    if !config.is_file() {
        return Err(format!("{}: a kernel version needs one", config.display()).into());
    }
    writeln!(table, "], config: include_str!({config:?}),")?;
    let debug = dir.join("config.debug.fragment");
    match debug.is_file() {
        true => writeln!(table, "debug_config: include_str!({debug:?}) }},")?,
        false => writeln!(table, "debug_config: \"\" }},")?,
    }
    Ok(())
}

/// What is in `dir`; nothing if there is no such directory.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let paths: Result<Vec<_>, _> = fs::read_dir(dir)?.map(|e| e.map(|e| e.path())).collect();
    Ok(paths?)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
