// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where guest memory comes from.
//!
//! A strategy is a [`Strategy`] value: one file here, one line in [`registry`].
//! An [`Arm`] is a strategy in a mode. It allocates [`GuestRam`], says what it claims
//! ([`Arm::claims`]) and what a kernel's refusal means ([`Arm::explain`]). The caller
//! finds out whether a kernel can run it by trying, in a child process. This crate never
//! guesses from a version or a capability number, because out-of-tree kernels reuse
//! numbers.
//!
//! Nothing here knows a workload, a guest or how memory is measured.

mod arm;
mod parameter;
mod refusal;
mod strategy;

mod error;
mod mapping;
mod ram;

mod direct_map;

mod anon;
mod guest_memfd;
mod guest_memfd_reinsert;
mod guest_memfd_unmapped;
mod memfd;
mod memfd_secret;

pub mod kernel;
pub mod registry;

pub use arm::Arm;
pub use error::Error;
pub use memfd::shared;
pub use parameter::{Mode, Parameter, Value};
pub use ram::{GuestRam, SecondView};
pub use refusal::{Refusal, Stage};
pub use results::Missing;
pub use strategy::{AtWork, Claims, Evidence, HostAccess, PageSize, Strategy};
