// SPDX-License-Identifier: GPL-2.0-or-later
//! Between QEMU and the model: what QEMU calls, and what it is asked to call.
//!
//! Only while the model counts is every access told. Counting starts and stops by a
//! reset of the plugin, which makes QEMU translate everything anew; the rest of a boot
//! runs at nearly its full speed. What is followed always is whether a processor is in
//! a guest: it is from a VMRUN until the instruction after one is executed.
//!
//! The emulated processors share one thread (the lab asks for that), so that the lock
//! is never waited for.

// UNSAFETY: QEMU's interface is one of C.
#![expect(unsafe_code)]

mod api;

use crate::{
    Machine, Options, Special,
    machine::{Registers, Then},
    special,
};
use api::{Access, Block, ByteArray, Descriptors, Id, Info, Register};
use std::{
    collections::BTreeSet,
    ffi::{CStr, c_char, c_int, c_uint, c_void},
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The version of the API that QEMU is to speak.
// SAFETY: QEMU looks for this very name, and nothing else has it.
#[unsafe(no_mangle)]
static qemu_plugin_version: c_int = api::VERSION;

/// An instruction of 64-bit mode has 15 bytes at most.
const LONGEST: usize = 15;

/// The general registers as instructions number them, CR3 and CR4, by the names that
/// QEMU has for them.
const NAMES: [&CStr; 18] = [
    c"rax", c"rcx", c"rdx", c"rbx", c"rsp", c"rbp", c"rsi", c"rdi", c"r8", c"r9", c"r10", c"r11",
    c"r12", c"r13", c"r14", c"r15", c"cr3", c"cr4",
];
const CR3: usize = 16;
const CR4: usize = 17;

/// Everything between two calls.
struct State {
    id: Id,
    machine: Machine,
    handles: Handles,
    /// Where a processor that leaves its guest goes on.
    after_guests: BTreeSet<u64>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

fn state() -> MutexGuard<'static, Option<State>> {
    // A panic ends the process.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How registers are read.
#[derive(Clone, Copy)]
struct Handles {
    registers: [*mut Register; NAMES.len()],
    buffer: *mut ByteArray,
}

// SAFETY: QEMU's handles are numbers, the buffer is used by the holder of the lock only.
unsafe impl Send for Handles {}

impl Handles {
    fn read(&self, number: usize) -> u64 {
        let register = self.registers[number];
        if register.is_null() {
            return 0;
        }
        // SAFETY: the buffer is GLib's and ours alone, as the lock is held; the register
        // is one that QEMU named; callers are within callbacks that read registers.
        unsafe {
            api::g_byte_array_set_size(self.buffer, 0);
            api::qemu_plugin_read_register(register, self.buffer);
            let array = &*self.buffer;
            let len = array.len.min(8) as usize;
            let mut bytes = [0; 8];
            if len > 0 {
                ptr::copy_nonoverlapping(array.data, bytes.as_mut_ptr(), len);
            }
            u64::from_le_bytes(bytes)
        }
    }
}

impl Registers for Handles {
    fn general(&self, number: usize) -> u64 {
        self.read(number)
    }

    fn cr3(&self) -> u64 {
        self.read(CR3)
    }

    fn cr4(&self) -> u64 {
        self.read(CR4)
    }
}

/// Loads the plugin: QEMU's entry. Nonzero, with a line on standard error, if it is
/// not a machine to be modelled or the options do not say how.
///
/// # Safety
/// QEMU keeps the contract of its API: `info` is valid during the call, `words` are
/// `count` strings.
// SAFETY: QEMU looks for this very name, and nothing else has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn qemu_plugin_install(
    id: Id,
    info: *const Info,
    count: c_int,
    words: *const *const c_char,
) -> c_int {
    // SAFETY: by the contract above.
    let (info, words) = unsafe {
        let words = (0..usize::try_from(count).unwrap_or(0)).map(|i| {
            let word = CStr::from_ptr(*words.add(i));
            word.to_string_lossy().into_owned()
        });
        (&*info, words.collect::<Vec<_>>())
    };
    // SAFETY: a string, by the contract above.
    let target = unsafe { CStr::from_ptr(info.target) };
    let options = Options::parse(words.iter().map(String::as_str));
    let refused = match options {
        _ if !info.system || target != c"x86_64" => "it models x86_64 machines".into(),
        Err(why) => why,
        Ok(options) => {
            *state() = Some(State {
                id,
                machine: Machine::new(options),
                handles: Handles {
                    registers: [ptr::null_mut(); NAMES.len()],
                    buffer: ptr::null_mut(),
                },
                after_guests: BTreeSet::new(),
            });
            // SAFETY: from within the installation, as the API asks.
            unsafe {
                api::qemu_plugin_register_vcpu_init_cb(id, on_cpu);
                api::qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
            }
            return 0;
        }
    };
    say(&format!("it is not loaded: {refused}"));
    1
}

/// Prints to QEMU's standard error.
#[expect(clippy::print_stderr)]
fn say(what: &str) {
    eprintln!("tlb-model: {what}");
}

/// Finds the registers, which are the same for all processors.
extern "C" fn on_cpu(_: Id, _: c_uint) {
    let mut state = state();
    let Some(state) = state.as_mut().filter(|s| s.handles.buffer.is_null()) else {
        return;
    };
    // SAFETY: from within a callback of a processor, as the API asks; the array and the
    // names in it stay, as they are never freed.
    let descriptors = unsafe {
        state.handles.buffer = api::g_byte_array_new();
        let Descriptors { data, len } = *api::qemu_plugin_get_registers();
        std::slice::from_raw_parts(data, len as usize)
    };
    for descriptor in descriptors {
        // SAFETY: a string, by the API.
        let name = unsafe { CStr::from_ptr(descriptor.name) };
        if let Some(at) = NAMES.iter().position(|n| *n == name) {
            state.handles.registers[at] = descriptor.register;
        }
    }
    if state.handles.registers.iter().any(|r| r.is_null()) {
        say("this QEMU does not let registers be read, without which no page is found");
    }
}

/// Asks for what is to be known of a block's instructions.
extern "C" fn on_translation(_: Id, block: *mut Block) {
    let mut state = state();
    let Some(state) = state.as_mut() else { return };
    // SAFETY: all of them are of the block, which is valid during this call.
    let instructions = unsafe {
        let count = api::qemu_plugin_tb_n_insns(block);
        (0..count).map(|i| api::qemu_plugin_tb_get_insn(block, i))
    };
    for instruction in instructions {
        let mut bytes = [0; LONGEST];
        // SAFETY: as above; the buffer is as long as is said.
        let (address, len) = unsafe {
            let to = bytes.as_mut_ptr().cast();
            (
                api::qemu_plugin_insn_vaddr(instruction),
                api::qemu_plugin_insn_data(instruction, to, LONGEST),
            )
        };
        let bytes = &bytes[..len.min(LONGEST)];
        let next = address.wrapping_add(bytes.len() as u64);
        let what = special(bytes);
        let always = matches!(what, Some(Special::Marker | Special::Vmrun));
        if what == Some(Special::Vmrun) {
            state.after_guests.insert(next);
        }
        // SAFETY: as above. What goes along with a call is leaked: there are few such
        // instructions, and QEMU does not say when it forgets one.
        unsafe {
            if state.after_guests.contains(&address) {
                api::qemu_plugin_register_vcpu_insn_exec_cb(
                    instruction,
                    on_leaving,
                    api::NO_REGISTERS,
                    ptr::null_mut(),
                );
            }
            if let Some(what) = what.filter(|_| always || state.machine.counting()) {
                api::qemu_plugin_register_vcpu_insn_exec_cb(
                    instruction,
                    on_special,
                    api::READS_REGISTERS,
                    Box::into_raw(Box::new((what, next))).cast(),
                );
            }
            let told: Option<api::OnAccess> = match what {
                Some(Special::Vmrun) => Some(on_physical),
                Some(Special::Vmstate) => None,
                _ => state.machine.counting().then_some(on_access),
            };
            if let Some(told) = told {
                // The kernel's code lies in the upper half of the address space.
                let kernel = (address >> 63) as usize;
                api::qemu_plugin_register_vcpu_mem_cb(
                    instruction,
                    told,
                    api::READS_REGISTERS,
                    api::READS_AND_WRITES,
                    ptr::without_provenance_mut(kernel),
                );
            }
        }
    }
}

extern "C" fn on_access(cpu: c_uint, access: Access, address: u64, kernel: *mut c_void) {
    let mut state = state();
    let Some(state) = state.as_mut() else { return };
    // SAFETY: a number that QEMU made.
    let len = 1 << unsafe { api::qemu_plugin_mem_size_shift(access) };
    let State {
        machine, handles, ..
    } = state;
    machine.access(cpu as usize, !kernel.is_null(), address, len, handles);
}

extern "C" fn on_physical(cpu: c_uint, _: Access, address: u64, _: *mut c_void) {
    if let Some(state) = state().as_mut() {
        state.machine.physical(cpu as usize, address);
    }
}

extern "C" fn on_leaving(cpu: c_uint, _: *mut c_void) {
    if let Some(state) = state().as_mut() {
        state.machine.leave(cpu as usize);
    }
}

extern "C" fn on_special(cpu: c_uint, what: *mut c_void) {
    let mut state = state();
    let Some(state) = state.as_mut() else { return };
    // SAFETY: what was leaked at translation, and is only read.
    let (what, next) = unsafe { *what.cast::<(Special, u64)>() };
    let handles = state.handles;
    match state.machine.execute(cpu as usize, what, next, &handles) {
        Ok(Then::Nothing) => {}
        // SAFETY: from within a callback, as the API asks; it takes effect after it.
        Ok(Then::Change) => unsafe { api::qemu_plugin_reset(state.id, on_reset) },
        Err(why) => say(&why),
    }
}

/// Everything is forgotten and will be translated anew.
extern "C" fn on_reset(id: Id) {
    // SAFETY: after a reset nothing is registered.
    unsafe { api::qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation) };
}
