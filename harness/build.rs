// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Notes which revision of this repository is being built.

use std::process::Command;

fn main() {
    let revision = git(&["rev-parse", "--short=12", "HEAD"]);
    let dirty = git(&["status", "--porcelain", "--untracked-files=no"]);
    let revision = match (revision, dirty.as_deref()) {
        (None, _) => "unknown".to_string(),
        (Some(r), Some("")) => r,
        (Some(r), _) => format!("{r}-dirty"),
    };
    println!("cargo::rustc-env=UNMAPBENCH_GIT={revision}");
    // A commit changes HEAD's log, a change of files the sources of some crate.
    for path in ["logs/HEAD", "index"] {
        if let Some(path) = git(&["rev-parse", "--path-format=absolute", "--git-path", path]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    for path in ["src", "build.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}
