// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The programs that run in guests, built along with this crate.

/// The guest payload: a static ELF executable for [`abi::layout::PAYLOAD`].
pub static PAYLOAD: &[u8] = include_bytes!(env!("PAYLOAD_ELF"));

/// The first process of the Linux guest: a static ELF executable that tells the VMM what
/// [`abi::init`] says.
pub static INIT: &[u8] = include_bytes!(env!("INIT_ELF"));
