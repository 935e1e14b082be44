// SPDX-License-Identifier: GPL-2.0-or-later
//! What of QEMU's plugin API, version 4, is used here, written down from its
//! documentation (docs/devel/tcg-plugins.rst and include/qemu/qemu-plugin.h of QEMU
//! 10.0), and the two arrays of GLib in which it hands things over.

use std::ffi::{c_char, c_int, c_uint, c_void};

/// The version of the API that this is written for.
pub(super) const VERSION: c_int = 4;

/// `QEMU_PLUGIN_CB_NO_REGS`
pub(super) const NO_REGISTERS: c_uint = 0;
/// `QEMU_PLUGIN_CB_R_REGS`
pub(super) const READS_REGISTERS: c_uint = 1;
/// `QEMU_PLUGIN_MEM_RW`
pub(super) const READS_AND_WRITES: c_uint = 3;

/// A plugin's own number.
pub(super) type Id = u64;
/// A block under translation.
#[repr(C)]
pub(super) struct Block([u8; 0]);
/// An instruction in one.
#[repr(C)]
pub(super) struct Instruction([u8; 0]);
/// A register.
#[repr(C)]
pub(super) struct Register([u8; 0]);
/// An access: size, direction, byte order.
pub(super) type Access = u32;

/// `qemu_plugin_reg_descriptor`
#[repr(C)]
pub(super) struct Descriptor {
    pub(super) register: *mut Register,
    pub(super) name: *const c_char,
    pub(super) feature: *const c_char,
}

/// GLib's `GArray`, here of [`Descriptor`]s.
#[repr(C)]
pub(super) struct Descriptors {
    pub(super) data: *const Descriptor,
    pub(super) len: c_uint,
}

/// GLib's `GByteArray`
#[repr(C)]
pub(super) struct ByteArray {
    pub(super) data: *const u8,
    pub(super) len: c_uint,
}

/// The beginning of `qemu_info_t`; the rest is of no use here.
#[repr(C)]
pub(super) struct Info {
    pub(super) target: *const c_char,
    pub(super) oldest: c_int,
    pub(super) current: c_int,
    pub(super) system: bool,
}

pub(super) type OnReset = extern "C" fn(Id);
pub(super) type OnCpu = extern "C" fn(Id, c_uint);
pub(super) type OnTranslation = extern "C" fn(Id, *mut Block);
pub(super) type OnExecution = extern "C" fn(c_uint, *mut c_void);
pub(super) type OnAccess = extern "C" fn(c_uint, Access, u64, *mut c_void);

unsafe extern "C" {
    pub(super) fn qemu_plugin_reset(id: Id, then: OnReset);
    pub(super) fn qemu_plugin_register_vcpu_init_cb(id: Id, call: OnCpu);
    pub(super) fn qemu_plugin_register_vcpu_tb_trans_cb(id: Id, call: OnTranslation);
    pub(super) fn qemu_plugin_register_vcpu_insn_exec_cb(
        instruction: *mut Instruction,
        call: OnExecution,
        flags: c_uint,
        data: *mut c_void,
    );
    pub(super) fn qemu_plugin_register_vcpu_mem_cb(
        instruction: *mut Instruction,
        call: OnAccess,
        flags: c_uint,
        direction: c_uint,
        data: *mut c_void,
    );
    pub(super) fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    pub(super) fn qemu_plugin_tb_get_insn(block: *const Block, index: usize) -> *mut Instruction;
    pub(super) fn qemu_plugin_insn_data(
        instruction: *const Instruction,
        to: *mut c_void,
        len: usize,
    ) -> usize;
    pub(super) fn qemu_plugin_insn_vaddr(instruction: *const Instruction) -> u64;
    pub(super) fn qemu_plugin_mem_size_shift(access: Access) -> c_uint;
    pub(super) fn qemu_plugin_get_registers() -> *mut Descriptors;
    pub(super) fn qemu_plugin_read_register(register: *mut Register, to: *mut ByteArray) -> c_int;

    pub(super) fn g_byte_array_new() -> *mut ByteArray;
    pub(super) fn g_byte_array_set_size(array: *mut ByteArray, len: c_uint) -> *mut ByteArray;
}
