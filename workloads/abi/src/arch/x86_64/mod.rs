// SPDX-License-Identifier: Apache-2.0 OR MIT
//! x86-64: tables of the processor, interrupt controllers, I/O ports and the marker.

pub(crate) mod layout;
pub mod port;
pub(crate) mod tlb;
