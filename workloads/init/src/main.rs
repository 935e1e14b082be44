// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The first process of the Linux guest. It tells the VMM that it runs, how much
//! memory and how many CPUs it has been given, leaves a line on the console and
//! ends the machine. It needs no file but /dev/mem and /dev/kmsg, no library and
//! no mount; a disk it looks for in the kernel's own list of devices.
#![no_std]
#![no_main]
// UNSAFETY: the stack that a process begins with, and writes to a device.
#![expect(unsafe_code)]

use abi::{init, pattern};
use arch::{MMAP, MOUNT, OPEN, READ, REBOOT, SCHED_GETAFFINITY, SYNC, SYSINFO, WRITE, call};
use core::ffi::CStr;

#[cfg(target_arch = "x86_64")]
#[path = "arch/x86_64/mod.rs"]
mod arch;

const READ_WRITE: usize = 2;
const MAP_SHARED: usize = 1;
const PROT_READ_WRITE: usize = 3;
/// What reboot(2) wants to see first, and the command that restarts.
const REBOOT_MAGIC: [usize; 3] = [0xfee1_dead, 0x2812_1969, 0x0123_4567];

const LINE: &[u8] = b"<5>unmapbench: init runs, and ends the machine\n";

/// `stack` is what a process finds on its stack: the number of its arguments, then
/// where each is.
extern "C" fn main(stack: *const usize) -> ! {
    let vmm = Channel::find();
    vmm.write(init::REACHED, init::MAGIC);
    vmm.write(init::MEMORY, memory_kib());
    vmm.write(init::CPUS, cpus());
    if has_argument(stack, init::DISK_ARGUMENT) {
        vmm.write(init::DISK, disk());
    }
    let log = call(OPEN, [c"/dev/kmsg".as_ptr().addr(), READ_WRITE, 0, 0, 0, 0]);
    if log >= 0 {
        call(
            WRITE,
            [log as usize, LINE.as_ptr().addr(), LINE.len(), 0, 0, 0],
        );
    }
    call(SYNC, [0; 6]);
    vmm.write(init::LEAVING, init::MAGIC);
    let [first, second, command] = REBOOT_MAGIC;
    call(REBOOT, [first, second, command, 0, 0, 0]);
    // The kernel panics when its first process ends, and the VMM sees that.
    arch::die()
}

/// The way to the VMM.
#[derive(Clone, Copy)]
enum Channel {
    /// By ports.
    Ports,
    /// By a mapped page of the device.
    Page(*mut u32),
    /// There is none. The VMM sees that it was told nothing.
    None,
}

impl Channel {
    fn find() -> Self {
        if arch::allow_ports(init::PORT, init::SIZE) {
            return Channel::Ports;
        }
        let memory = call(OPEN, [c"/dev/mem".as_ptr().addr(), READ_WRITE, 0, 0, 0, 0]);
        if memory < 0 {
            return Channel::None;
        }
        let page = init::PAGE as usize;
        let prot = PROT_READ_WRITE;
        match call(MMAP, [0, 4096, prot, MAP_SHARED, memory as usize, page]) {
            // Errors are the last page of the address space.
            failed if (-4095..0).contains(&failed) => Channel::None,
            address => Channel::Page(core::ptr::with_exposed_provenance_mut(address as usize)),
        }
    }

    fn write(self, register: u64, value: u32) {
        match self {
            // SAFETY: this process may use the ports; they touch no memory.
            Channel::Ports => unsafe { arch::write_port(init::PORT + register as u16, value) },
            // SAFETY: the page is mapped for good, and `register` lies in it.
            Channel::Page(page) => unsafe {
                arch::store(page.byte_add(register as usize), value);
            },
            Channel::None => {}
        }
    }
}

/// What sysinfo(2) calls total memory, KiB.
fn memory_kib() -> u32 {
    // struct sysinfo is 112 bytes: uptime, three loads, totalram, …; the unit of
    // memory is the 32-bit word at 104.
    let mut info = [0u64; 14];
    if call(
        SYSINFO,
        [info.as_mut_ptr().expose_provenance(), 0, 0, 0, 0, 0],
    ) != 0
    {
        return 0;
    }
    let unit = (info[13] as u32).max(1);
    (info[4] * u64::from(unit) / 1024) as u32
}

/// How many CPUs this process may run on.
fn cpus() -> u32 {
    let mut mask = [0u64; 128];
    let size = core::mem::size_of_val(&mask);
    let address = mask.as_mut_ptr().expose_provenance();
    match call(SCHED_GETAFFINITY, [0, size, address, 0, 0, 0]) {
        n if n > 0 => mask.iter().map(|word| word.count_ones()).sum(),
        _ => 0,
    }
}

/// Whether one of the arguments is `wanted`.
fn has_argument(stack: *const usize, wanted: &CStr) -> bool {
    // SAFETY: a process begins with this on its stack, and keeps it; each argument ends
    // with a zero, and so does `wanted`. Volatile, so that the comparison does not become a call.
    let is = |at: *const u8| unsafe {
        let mut bytes = (0..).zip(wanted.to_bytes_with_nul());
        bytes.all(|(i, byte)| at.add(i).read_volatile() == *byte)
    };
    // SAFETY: as above.
    unsafe { (1..=*stack).any(|i| is(*stack.add(i).cast::<*const u8>())) }
}

/// Reads the disk; how many words are right.
fn disk() -> u32 {
    let (kind, place) = (c"devtmpfs".as_ptr().addr(), c"/dev".as_ptr().addr());
    call(MOUNT, [kind, place, kind, 0, 0, 0]);
    let file = call(OPEN, [c"/dev/vda".as_ptr().addr(), 0, 0, 0, 0, 0]);
    let mut right = 0;
    let mut words = [0u64; 512];
    let mut number = 0;
    while number < init::DISK_WORDS && file >= 0 {
        let size = core::mem::size_of_val(&words);
        let to = words.as_mut_ptr().expose_provenance();
        // Anything but all of them is an end; blocks of a disk come whole.
        if call(READ, [file as usize, to, size, 0, 0, 0]) != size as isize {
            break;
        }
        for word in &words {
            right += u32::from(*word == pattern(init::DISK_SEED, number));
            number += 1;
        }
    }
    right
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    arch::die()
}
