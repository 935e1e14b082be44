// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What this program brings along for the lab: its own kernel, out of the patch series of
//! `strategies`, and the model of TLBs.

use crate::exit::Failure;
use lab::kernel_build::{self, Error, Kernel, Options, Series};
use std::sync::LazyLock;

/// The model of TLBs, where it was built (`harness/build.rs`).
pub const TLB_MODEL: &str = env!("UNMAPBENCH_TLB_MODEL");

static SERIES: LazyLock<Vec<Series>> = LazyLock::new(|| {
    let all = strategies::kernel::ALL.iter();
    all.map(|s| Series {
        version: s.version,
        patches: s.patches,
        config: s.config,
        debug_config: s.debug_config,
    })
    .collect()
});

/// The kernel of `options` if it has been built.
///
/// # Errors
/// As [`kernel_build::cached`].
pub fn cached(options: &Options) -> Result<Option<Kernel>, Error> {
    kernel_build::cached(&SERIES, options)
}

/// The kernel of `options`, built if it has to be.
///
/// # Errors
/// As [`kernel_build::build`].
pub fn build(options: &Options, say: &mut dyn FnMut(&str)) -> Result<Kernel, Error> {
    kernel_build::build(&SERIES, options, say)
}

/// The kernel that `lab build` made.
///
/// # Errors
/// [`Failure::Unfit`] if it is not built yet.
pub fn ours() -> Result<Kernel, Failure> {
    let found = cached(&Options::default()).map_err(Failure::usage)?;
    found.ok_or_else(|| {
        Failure::Unfit("the lab's kernel is not built yet: run `unmapbench lab build`".into())
    })
}
