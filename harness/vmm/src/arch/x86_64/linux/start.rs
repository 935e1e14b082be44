// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The state in which a Linux guest starts: in front of its kernel, in 64-bit mode, all
//! memory mapped to itself (Documentation/arch/x86/boot.rst, 64-bit boot protocol).

use super::{
    super::{
        paging::{GIB, LARGE, Tables},
        segments::Segment,
    },
    layout::{GDT, PAGE_TABLES, STUB, ZERO_PAGE},
};
use crate::{Error, Memory, call::Named};
use abi::{layout::PAGE, port};
use kvm_ioctls::VcpuFd;
use vm_memory::{Bytes, GuestAddress};

// Bits of CR0, CR4 and EFER: Intel SDM vol. 3A ch. 2.5.
const CR0: u64 = 1 << 31 | 1 << 4 | 1; // PG ET PE
const CR4: u64 = 1 << 5; // PAE
const EFER: u64 = 1 << 10 | 1 << 8; // LMA LME
/// No interrupts; the bit that is always set.
const RFLAGS: u64 = 1 << 1;

/// The selectors that the boot protocol names, which are also places in the GDT.
const CODE: u16 = 0x10;
const DATA: u16 = 0x18;

/// Where a kernel begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where the file is entered.
    pub(crate) file: u64,
    /// Where the kernel itself is: the same, unless the file unpacks itself first.
    pub(crate) kernel: u64,
}

/// Writes what the vCPU that boots needs before it is in the kernel.
///
/// # Errors
/// [`Error::Load`] if the memory, of `len` bytes, is smaller than the layout.
pub(super) fn write(memory: &Memory, len: u64, entry: Entry) -> Result<(), Error> {
    let failed = |e| Error::Load(format!("the tables for the start: {e}"));
    for (selector, segment) in [(CODE, Segment::Code), (DATA, Segment::Data)] {
        let at = GuestAddress(GDT + u64::from(selector));
        memory
            .write_obj(segment.descriptor(0), at)
            .map_err(failed)?;
    }
    let stub = stub(entry.file);
    memory
        .write_slice(&stub, GuestAddress(STUB))
        .map_err(failed)?;
    page_tables(memory, len)
}

/// `out START, al; mov rax, entry; jmp rax`: the guest's very first instruction
/// leaves to the VMM. RSI, which points to the zero page, stays.
fn stub(entry: u64) -> Vec<u8> {
    let mut code = vec![0xe6, port::START as u8, 0x48, 0xb8];
    code.extend(entry.to_le_bytes());
    code.extend([0xff, 0xe0]);
    code
}

/// Maps memory to itself, by pages of 2 MiB.
fn page_tables(memory: &Memory, len: u64) -> Result<(), Error> {
    let tables = Tables::kernel(memory);
    let (pml4, pdpt) = (PAGE_TABLES, PAGE_TABLES + PAGE);
    let directories = pdpt + PAGE;
    tables.table(pml4, pdpt)?;
    for i in 0..len.div_ceil(GIB) {
        tables.table(pdpt + i * 8, directories + i * PAGE)?;
    }
    // Whole directories, which are contiguous.
    for address in (0..len.next_multiple_of(GIB)).step_by(LARGE as usize) {
        tables.page(directories + address / LARGE * 8, address)?;
    }
    Ok(())
}

/// Puts the vCPU that boots in front of the kernel.
///
/// # Errors
/// [`Error::Call`].
pub(super) fn at_stub(fd: &VcpuFd) -> Result<(), Error> {
    let mut sregs = fd.get_sregs().call(|| "KVM_GET_SREGS".into())?;
    let data = Segment::Data.loaded(DATA, 0);
    sregs.cs = Segment::Code.loaded(CODE, 0);
    (sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss) = (data, data, data, data, data);
    sregs.gdt.base = GDT;
    sregs.gdt.limit = DATA + 7;
    sregs.idt.limit = 0;
    (sregs.cr0, sregs.cr3, sregs.cr4, sregs.efer) = (CR0, PAGE_TABLES, CR4, EFER);
    fd.set_sregs(&sregs).call(|| "KVM_SET_SREGS".into())?;
    let mut regs = fd.get_regs().call(|| "KVM_GET_REGS".into())?;
    (regs.rip, regs.rsi, regs.rflags) = (STUB, ZERO_PAGE, RFLAGS);
    fd.set_regs(&regs).call(|| "KVM_SET_REGS".into())
}
