// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The instruction that a TLB model in an emulator takes for a command.

/// A NOP with an address of eight bytes, `nop [rax+rax+…]`, whose displacement is
/// "tlbm". RDI is the address of the page, RSI is the command.
pub const MARKER: [u8; 8] = *b"\x0f\x1f\x84\x00tlbm";
