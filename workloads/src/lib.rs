// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is measured. A workload is data: a table in `definitions/*.toml` that
//! names a [`Model`] and the parameters to run it with. A model says what the
//! guest is asked to do and what proves that it did ([`Script`]).
//!
//! Nothing here knows a strategy, and nothing here touches KVM: scripts are
//! carried out elsewhere.
#![forbid(unsafe_code)]

mod bystander;
mod definition;
mod error;
mod linux;
mod model;
mod params;
mod profile;
mod script;
mod select;

pub mod virtio;

pub use bystander::{HostWork, Neighbour, Victim};
pub use definition::{Workload, all};
pub use error::Error;
pub use linux::{Linux, Load, Pages};
pub use model::Model;
pub use profile::Profile;
pub use script::{Access, Call, Faults, Forced, Populate, Proof, Range, Script, Setup};
pub use select::{nearest, select};

/// The guest payload: a static ELF executable for [`abi::layout::PAYLOAD`].
pub static PAYLOAD: &[u8] = include_bytes!(env!("PAYLOAD_ELF"));

/// The first process of the Linux guest: a static ELF executable that tells the
/// VMM what [`abi::init`] says.
pub static INIT: &[u8] = include_bytes!(env!("INIT_ELF"));
