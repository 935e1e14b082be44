// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Notes which revision of this repository is being built, and builds the TLB model, a
//! plugin for the lab's emulator, by a nested cargo.
//!
//! The plugin is a file beside the program and not a part of it: QEMU loads it, under
//! QEMU's licence. It is a shared object where the program is static, so that none of
//! the outer build's flags may reach it.

use std::process::Command;

/// The crate of the TLB model.
const TLB_MODEL: &str = "tlb-model";

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
    for path in [
        "src",
        "build.rs",
        TLB_MODEL,
        "../workloads/abi",
        "../workloads/embed",
        "../Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed={path}");
    }
    let plugin = embed::Nested::new("rustc", TLB_MODEL, TLB_MODEL)
        .args(&["--lib", "--crate-type", "cdylib"])
        .build("libtlb_model.so");
    println!("cargo::rustc-env=UNMAPBENCH_TLB_MODEL={}", plugin.display());
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}
