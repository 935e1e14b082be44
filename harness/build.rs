// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Notes which revision of this repository is being built, and builds the TLB model, a
//! plugin for the lab's emulator, by a nested cargo.
//!
//! The plugin is a file beside the program and not a part of it: QEMU loads it, under
//! QEMU's licence. It is a shared object where the program is static, so that none of
//! the outer build's flags may reach it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The crate of the TLB model.
const TLB_MODEL: &str = "tlb-model";
const TARGET: &str = "x86_64-unknown-linux-gnu";

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
        "../Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed={path}");
    }
    println!(
        "cargo::rustc-env=UNMAPBENCH_TLB_MODEL={}",
        tlb_model().display()
    );
}

/// Builds the TLB model; where it is.
fn tlb_model() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let target_dir = out.join(TLB_MODEL);
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"));
    cargo
        .args(["rustc", "--release", "--lib", "--crate-type", "cdylib"])
        .args(["--target", TARGET, "--manifest-path"])
        .arg(here.join(TLB_MODEL).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target_dir);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let inherited = text.starts_with("CARGO_") && text != "CARGO_HOME"
            || text.starts_with("RUST") && !text.starts_with("RUSTUP")
            || text == "CLIPPY_ARGS";
        if inherited {
            cargo.env_remove(&name);
        }
    }
    cargo
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "none")
        .env("CARGO_ENCODED_RUSTFLAGS", "");
    let status = cargo.status().expect("cargo can be started");
    assert!(status.success(), "building the TLB model failed: {status}");
    target_dir.join(TARGET).join("release/libtlb_model.so")
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}
