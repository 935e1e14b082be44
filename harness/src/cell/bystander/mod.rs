// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Cells that measure somebody who has nothing to do with the VM: the host's kernel
//! before and after it, a process on another CPU beside it.

mod chore;
mod neighbour;
mod rounds;
mod victim;

pub(super) use neighbour::neighbour;
pub use rounds::rounds;
pub(super) use victim::victim;
