// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Building a program or a library with a cargo inside the cargo that is running.
//!
//! The nested build has a target directory of its own, because the outer one is locked, and
//! none of the outer build's flags: under clippy or with coverage flags, what is embedded
//! must still be the same bytes.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The target of every nested build.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";

/// A release build of one crate.
pub struct Nested {
    cargo: Command,
    target_dir: PathBuf,
}

impl Nested {
    /// `cargo <subcommand>` of the crate in `folder`, a path relative to the crate whose
    /// build script this is. `name` is that of its target directory.
    ///
    /// # Panics
    /// Outside a build script.
    pub fn new(subcommand: &str, folder: &str, name: &str) -> Self {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
        let target_dir = out.join(name);
        let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"));
        cargo
            .args([
                subcommand,
                "--release",
                "--target",
                TARGET,
                "--manifest-path",
            ])
            .arg(Path::new(&manifest).join(folder).join("Cargo.toml"))
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
        Nested { cargo, target_dir }
    }

    /// The same with further arguments for cargo.
    pub fn args(mut self, args: &[&str]) -> Self {
        self.cargo.args(args);
        self
    }

    /// The same with an environment variable set.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.cargo.env(name, value);
        self
    }

    /// Builds; the path of `file`, which the build leaves.
    ///
    /// # Panics
    /// If the build fails.
    pub fn build(mut self, file: &str) -> PathBuf {
        let status = self.cargo.status().expect("cargo can be started");
        assert!(status.success(), "building {file} failed: {status}");
        self.target_dir.join(TARGET).join("release").join(file)
    }
}
