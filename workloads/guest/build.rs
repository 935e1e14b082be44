// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Finds the files of operations, and links the payload for the guest: static, no C runtime,
//! at a fixed address.

fn main() {
    println!("cargo::rerun-if-changed=payload.ld");
    embed::modules("src/ops", "ops.rs");
    embed::modules("src/arch/x86_64/ops", "arch_ops.rs");
    // Only the nested build links the binary; the library needs no script.
    if std::env::var_os("CARGO_FEATURE_BIN").is_none() {
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/payload.ld");
    for arg in [
        "-nostartfiles",
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,--build-id=none",
        "-Wl,-z,noexecstack",
        "-Wl,-z,max-page-size=4096",
    ] {
        println!("cargo::rustc-link-arg-bins={arg}");
    }
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{script}");
}
