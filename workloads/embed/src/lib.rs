// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Steps that the build scripts of this repository share: a nested cargo builds what another
//! crate embeds, and the modules of a folder are found by their files.
//!
//! This crate runs at build time only. A step that fails panics, which is how a build script
//! reports an error.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout)] // cargo listens to the standard output of a build script

mod modules;
mod nested;

pub use modules::modules;
pub use nested::{Nested, TARGET};
