// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Links the process: static, no C runtime.

fn main() {
    if std::env::var_os("CARGO_FEATURE_BIN").is_none() {
        return;
    }
    for arg in [
        "-nostartfiles",
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,--build-id=none",
        "-Wl,-z,noexecstack",
        "-Wl,-z,norelro",
        "-Wl,--gc-sections",
    ] {
        println!("cargo::rustc-link-arg-bins={arg}");
    }
}
