// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab as a testbed: which emulator boots which kernel, what is booted for which jobs,
//! and what this program does in there.

mod answers;
mod executor;
mod files;
mod inside;
mod open;

pub(super) use open::KIND;

pub use executor::{INIT, Lab};
pub use inside::run as run_inside;
