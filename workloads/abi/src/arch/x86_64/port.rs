// SPDX-License-Identifier: Apache-2.0 OR MIT
//! I/O ports. All lie below 0x100, so that `out imm8, al` reaches them and the
//! payload's very first instruction can be one.

/// One byte written: the first guest instruction has run.
pub const START: u16 = 0xe0;
/// One byte written: the reply in this vCPU's command page is complete.
pub const DONE: u16 = 0xe1;
/// One byte written: the payload panicked; the command page says where.
pub const PANIC: u16 = 0xe2;
/// Read or written, four bytes at a time: the data port of the `pio` workloads.
pub const DATA: u16 = 0xe4;
/// Four bytes written: RDI holds the address of a 32-bit read that the guest
/// decoded itself; the answer comes back in RAX. Nothing else crosses.
pub const ASK: u16 = 0xe8;
/// Four bytes read: a counter of 3.579545 MHz, as the ACPI PM timer's port is.
pub const TIMER: u16 = 0xec;
