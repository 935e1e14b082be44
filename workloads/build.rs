// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Builds the guest payload by a nested cargo and leaves its path for
//! `include_bytes!`.
//!
//! The nested build has its own target directory (the outer one's lock is
//! held) and none of the outer build's flags: with clippy as a wrapper or
//! coverage flags set, the guest must still be the same bytes.

use std::{env, path::PathBuf, process::Command};

const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() {
    for path in ["guest", "abi", "../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    assert_eq!(arch, "x86_64", "unmapbench measures KVM on x86-64 only");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/guest/Cargo.toml");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let target_dir = out.join("payload");

    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"));
    cargo
        .args([
            "build",
            "--release",
            "--features",
            "bin",
            "--bin",
            "payload",
        ])
        .args(["--target", TARGET, "--manifest-path", manifest])
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
        "building the guest payload failed: {status}"
    );

    let elf = target_dir.join(TARGET).join("release/payload");
    println!("cargo::rustc-env=PAYLOAD_ELF={}", elf.display());
}
