// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is measured. A workload is data: a table in `definitions/*.toml` that names a model
//! of the crate [`models`] and the parameters to run it with.
//!
//! Nothing here knows a strategy, and nothing here touches KVM.
#![forbid(unsafe_code)]

mod definition;
mod error;
mod nearest;
mod profile;
mod select;

pub use definition::{Workload, all};
pub use error::Error;
pub use nearest::nearest;
pub use profile::Profile;
pub use select::select;
