// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the first process of a Linux guest tells the VMM: 32-bit writes to five
//! registers, by ports if its kernel lets a process have them, and by a page of
//! physical memory without memory otherwise.

use crate::layout;

/// The first of the five ports. Nothing of a PC lies there.
pub const PORT: u16 = 0x0a20;

/// The page whose first bytes are the same registers.
pub const PAGE: u64 = layout::MMIO;

/// Written with [`MAGIC`]: the process runs.
pub const REACHED: u64 = 0;

/// Written with the memory that its kernel gave it to use, KiB.
pub const MEMORY: u64 = 4;

/// Written with how many CPUs it may run on.
pub const CPUS: u64 = 8;

/// Written with [`MAGIC`]: it is about to end the machine, and all went well.
pub const LEAVING: u64 = 12;

/// Written, if [`DISK_ARGUMENT`] asks for it, with how many of the first
/// [`DISK_WORDS`] of the disk are those of [`crate::pattern`].
pub const DISK: u64 = 16;

/// How many bytes the registers take.
pub const SIZE: u64 = 20;

/// The argument that sends the process to the disk; a word of the kernel's command line
/// that the kernel itself does not know.
pub const DISK_ARGUMENT: &core::ffi::CStr = c"disk";

/// 64-bit words of the disk that are read.
pub const DISK_WORDS: u64 = 1 << 15;

/// The seed of the disk's content.
pub const DISK_SEED: u64 = 0xd15c;

/// "init", so that a stray write is no message.
pub const MAGIC: u32 = u32::from_le_bytes(*b"init");
