// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Builds the guest payload and the first process of a Linux guest, and leaves their paths
//! for `include_bytes!`. Finds the models.

use std::{env, fs, path::Path};

fn main() {
    for path in [
        "guest",
        "init",
        "abi",
        "embed",
        "../Cargo.toml",
        "../Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed=../{path}");
    }
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    assert_eq!(arch, "x86_64", "unmapbench measures KVM on x86-64 only");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().expect("the workspace");
    // No path of this machine becomes part of what the guest runs.
    let flags = format!(
        "-Crelocation-model=static\x1f--remap-path-prefix={}/=",
        root.display()
    );
    for (folder, bin, variable) in [
        ("../guest", "payload", "PAYLOAD_ELF"),
        ("../init", "init", "INIT_ELF"),
    ] {
        let elf = embed::Nested::new("build", folder, bin)
            .args(&["--features", "bin", "--bin", bin])
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
            .env("CARGO_ENCODED_RUSTFLAGS", &flags)
            .build(bin);
        println!("cargo::rustc-env={variable}={}", elf.display());
    }
    let modules = embed::modules("src/model", "modules.rs");
    let lists: String = modules.iter().map(|m| format!("{m}::MODELS, ")).collect();
    let all = format!(
        "/// The models of each file.\npub(crate) const ALL: &[&[crate::Model]] = &[{lists}];\n"
    );
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("all.rs"), all).expect("a list of models");
}
