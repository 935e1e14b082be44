// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where guest memory comes from.
//!
//! A strategy is a [`Strategy`] value: one file here, one line in [`registry`].
//! It allocates [`GuestRam`], and it can tell what a kernel's refusal means
//! ([`Strategy::explain`]). Whether a kernel can run it is found by trying, in
//! a child process, by whoever owns a VM; this crate never guesses from a
//! version or a capability number, because out-of-tree kernels reuse numbers.
//!
//! Nothing here knows a workload, a guest or how memory is measured.

mod direct_map;
mod error;
mod mapping;
mod ram;
mod strategy;

mod anon;
mod guest_memfd;
mod guest_memfd_reinsert;
mod guest_memfd_unmapped;
mod memfd;
mod memfd_secret;

pub mod kernel;
pub mod registry;

pub use error::Error;
pub use memfd::shared;
pub use ram::{GuestRam, SecondView};
pub use strategy::{Counted, Missing, Mode, PageSize, Parameter, Refusal, Stage, Strategy};
