// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command line of `unmapbench lab build`.

use super::{Options, Variant};
use clap::Args;
use std::path::PathBuf;

/// Which kernel to build.
#[derive(Clone, Debug, Args)]
pub struct LabBuildArgs {
    /// The Linux version, such as 7.3 [default: the newest with a series]
    #[arg(long, value_name = "V")]
    pub kernel_version: Option<String>,
    /// A kernel source directory or tarball instead of Debian's package
    #[arg(long, value_name = "DIR|TARBALL")]
    pub kernel_src: Option<PathBuf>,
    /// Without our patches
    #[arg(long)]
    pub stock: bool,
    /// With KASAN, lockdep and the like
    #[arg(long)]
    pub debug: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl From<&LabBuildArgs> for Options {
    fn from(args: &LabBuildArgs) -> Self {
        Options {
            version: args.kernel_version.clone(),
            source: args.kernel_src.clone(),
            variant: match args.stock {
                true => Variant::Stock,
                false => Variant::Series,
            },
            debug: args.debug,
        }
    }
}
