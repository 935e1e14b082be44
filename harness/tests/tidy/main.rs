// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The invariants of ARCHITECTURE.md, held by a machine.
#![expect(clippy::unwrap_used)]

mod code;
mod modules;
mod paths;
mod sources;

mod circles;
mod crates;
mod files;
mod islands;
mod licences;
