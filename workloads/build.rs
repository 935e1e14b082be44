// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Builds the guest payload, and the first process of a Linux guest, by a nested
//! cargo each, and leaves their paths for `include_bytes!`.
//!
//! The nested builds have its own target directory (the outer one's lock is
//! held) and none of the outer build's flags: with clippy as a wrapper or
//! coverage flags set, the guest must still be the same bytes.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() {
    for path in ["guest", "init", "abi", "../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    assert_eq!(arch, "x86_64", "unmapbench measures KVM on x86-64 only");
    for (directory, bin, variable) in [
        ("guest", "payload", "PAYLOAD_ELF"),
        ("init", "init", "INIT_ELF"),
    ] {
        let elf = build(directory, bin);
        println!("cargo::rustc-env={variable}={}", elf.display());
    }
}

/// Builds program `bin` of the crate in `directory`; where it is.
fn build(directory: &str, bin: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let target_dir = out.join(bin);

    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"));
    cargo
        .args(["build", "--release", "--features", "bin", "--bin", bin])
        .args(["--target", TARGET, "--manifest-path"])
        .arg(here.join(directory).join("Cargo.toml"))
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
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", "-Crelocation-model=static");
    let status = cargo.status().expect("cargo can be started");
    assert!(
        status.success(),
        "building the guest's {bin} failed: {status}"
    );
    target_dir.join(TARGET).join("release").join(bin)
}
