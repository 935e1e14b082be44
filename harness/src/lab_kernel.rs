// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab's own kernel: the patch series of `strategies`, built by `lab`.

use lab::kernel_build::{self, Error, Kernel, Options, Series};
use std::sync::LazyLock;

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
