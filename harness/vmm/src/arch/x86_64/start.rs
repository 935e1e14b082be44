// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The state in which the payload starts: 64-bit mode, paging on. The descriptor tables
//! are for interrupts, which load the segments that are there already.

use super::{cpl::Cpl, paging, segments::Segment};
use crate::{Error, Memory, call::Named};
use abi::layout;
use kvm_bindings::{CpuId, kvm_dtable, kvm_mp_state, kvm_regs, kvm_sregs};
use kvm_ioctls::{VcpuFd, VmFd};
use vm_memory::{Bytes, GuestAddress};

// Bits of CR0, CR4 and EFER: Intel SDM vol. 3A ch. 2.5, AMD APM vol. 2 ch. 3.
const CR0: u64 = 1 << 31 | 1 << 18 | 1 << 16 | 1 << 5 | 1 << 4 | 1 << 1 | 1; // PG AM WP NE ET MP PE
const CR4: u64 = 1 << 5 | 1 << 9 | 1 << 10; // PAE, and SSE: OSFXSR OSXMMEXCPT
const EFER: u64 = 1 << 11 | 1 << 10 | 1 << 8 | 1; // NXE LMA LME SCE
const RFLAGS: u64 = 3 << 12 | 1 << 1; // IOPL 3, and the bit that is always set
const IF: u64 = 1 << 9;

/// The segments' selectors, which are also their places in the GDT.
const DATA: u16 = 0x28;
const CODE: u16 = 0x30;
/// Bytes of a 64-bit task state segment, and where in it the first stack of
/// interrupts stands (Intel SDM vol. 3A, figure 9-11).
const TSS_SIZE: u32 = 0x68;
const TSS_IST1: u64 = 0x24;

/// Writes what the processor looks up in the guest's `size` bytes of memory: page tables,
/// and the tables that interrupts need.
///
/// # Errors
/// [`Error::Load`] if the memory is smaller than the layout.
pub(crate) fn write_tables(memory: &Memory, size: u64, cpl: Cpl) -> Result<(), Error> {
    paging::write(memory, size)?;
    let level = cpl.level();
    let stack = layout::INTERRUPT_STACK + layout::PAGE;
    for (address, word) in [
        (
            layout::GDT + u64::from(DATA),
            Segment::Data.descriptor(level),
        ),
        (
            layout::GDT + u64::from(CODE),
            Segment::Code.descriptor(level),
        ),
        (layout::TSS + TSS_IST1, stack),
    ] {
        memory
            .write_obj(word, GuestAddress(address))
            .map_err(|e| Error::Load(format!("descriptor at {address:#x}: {e}")))?;
    }
    Ok(())
}

/// Creates vCPU `index` of `vm`, to start at `entry`. With an interrupt controller in the
/// kernel (`interrupts`) it runs at once, where it would wait for another one's INIT and
/// SIPI.
///
/// # Errors
/// [`Error::Call`] for the ioctl that failed.
pub(crate) fn create_vcpu(
    vm: &VmFd,
    index: u64,
    cpuid: &CpuId,
    cpl: Cpl,
    entry: u64,
    interrupts: bool,
) -> Result<VcpuFd, Error> {
    let fd = vm
        .create_vcpu(index)
        .call(|| format!("KVM_CREATE_VCPU({index})"))?;
    fd.set_cpuid2(cpuid).call(|| "KVM_SET_CPUID2".into())?;
    let reset = fd.get_sregs().call(|| "KVM_GET_SREGS".into())?;
    fd.set_sregs(&special(reset, cpl.level()))
        .call(|| "KVM_SET_SREGS".into())?;
    fd.set_regs(&general(entry, index, interrupts))
        .call(|| "KVM_SET_REGS".into())?;
    if interrupts {
        let state = kvm_mp_state::default(); // KVM_MP_STATE_RUNNABLE
        fd.set_mp_state(state)
            .call(|| "KVM_SET_MP_STATE(RUNNABLE)".into())?;
    }
    Ok(fd)
}

/// Turns the reset state of a vCPU into the start state.
fn special(mut sregs: kvm_sregs, level: u8) -> kvm_sregs {
    let data = Segment::Data.loaded(DATA, level);
    sregs.cs = Segment::Code.loaded(CODE, level);
    (sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss) = (data, data, data, data, data);
    let table = |base, limit| kvm_dtable {
        base,
        limit,
        ..Default::default()
    };
    sregs.gdt = table(layout::GDT, CODE + 7);
    sregs.idt = table(layout::IDT, layout::PAGE as u16 - 1);
    sregs.tr.base = layout::TSS;
    sregs.tr.limit = TSS_SIZE - 1;
    sregs.cr0 = CR0;
    sregs.cr3 = layout::PAGE_TABLES;
    sregs.cr4 = CR4;
    sregs.efer = EFER;
    sregs
}

/// The general registers at `entry`, for vCPU `index`. Interrupts are enabled from
/// the beginning where there are any, and come only when a device raises one: the
/// guest's own STI needs more of a software KVM than it has.
fn general(entry: u64, index: u64, interrupts: bool) -> kvm_regs {
    kvm_regs {
        rip: entry,
        rsp: layout::stack_top(index),
        rdi: index,
        rflags: RFLAGS | if interrupts { IF } else { 0 },
        ..Default::default()
    }
}
