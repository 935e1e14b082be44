// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The bare side: nothing but the system calls.

use abi::{layout, port};
use kvm_bindings::{
    CpuId, KVM_EXIT_IO, KVM_EXIT_MMIO, KVM_MAX_CPUID_ENTRIES, kvm_regs, kvm_run,
    kvm_run__bindgen_ty_1__bindgen_ty_6, kvm_sregs, kvm_userspace_memory_region,
};
use kvm_ioctls::{Kvm, VcpuExit, VcpuFd, VmFd};
use std::{os::fd::AsRawFd, ptr};
use strategies::{Arm, GuestRam, Strategy};
use vm_memory::{Bytes, GuestAddress};
use vmm::Machine;

/// A vCPU whose file descriptor is borrowed, run by raw ioctls.
pub(crate) struct BareVcpu {
    fd: i32,
    run: *mut kvm_run,
}

impl BareVcpu {
    /// A second mapping of the vCPU's kvm_run; it lives as long as the process.
    pub(crate) fn of(vcpu: &VcpuFd) -> Self {
        let fd = vcpu.as_raw_fd();
        // SAFETY: a new shared mapping of the page that the kernel offers.
        let run = unsafe {
            let prot = libc::PROT_READ | libc::PROT_WRITE;
            libc::mmap(ptr::null_mut(), 4096, prot, libc::MAP_SHARED, fd, 0)
        };
        assert_ne!(run, libc::MAP_FAILED);
        BareVcpu {
            fd,
            run: run.cast(),
        }
    }

    /// The least loop that lets `answer` serve the payload's MMIO accesses; returns how
    /// many there were.
    pub(crate) fn run_until_done(&mut self, mut answer: impl FnMut(&mut Mmio)) -> u64 {
        const KVM_RUN: libc::c_ulong = 0xae80;
        let mut exits = 0;
        loop {
            // SAFETY: the vCPU is stopped, and this thread runs it alone.
            let result = unsafe { libc::ioctl(self.fd, KVM_RUN, 0) };
            assert_eq!(result, 0, "KVM_RUN: {}", std::io::Error::last_os_error());
            // SAFETY: the mapping holds a kvm_run, and the kernel has returned.
            let run = unsafe { &mut *self.run };
            match run.exit_reason {
                KVM_EXIT_MMIO => {
                    // SAFETY: the exit reason says which member is in use.
                    answer(unsafe { &mut run.__bindgen_anon_1.mmio });
                    exits += 1;
                }
                KVM_EXIT_IO => {
                    // SAFETY: the exit reason says which member is in use.
                    let io = unsafe { run.__bindgen_anon_1.io };
                    assert_eq!(io.port, port::DONE);
                    return exits;
                }
                other => panic!("exit {other}"),
            }
        }
    }
}

/// An access, as kvm_run tells of it.
pub(crate) type Mmio = kvm_run__bindgen_ty_1__bindgen_ty_6;

/// Answers reads with the sequence that the test device has; for one request.
pub(crate) fn sequence() -> impl FnMut(&mut Mmio) {
    let mut reads = 0;
    move |mmio| {
        mmio.data = abi::value(1, reads).to_le_bytes();
        reads += 1;
    }
}

/// Everything that a boot needs, prepared, so that a boot is copies and calls.
pub(crate) struct BareBoot {
    image: Vec<(u64, Vec<u8>)>,
    sregs: kvm_sregs,
}

impl BareBoot {
    /// Learns from a started `machine` what its memory must hold at the start.
    pub(crate) fn like(machine: &mut Machine) -> Self {
        let mut image = Vec::new();
        let tables = layout::PAGE_TABLES..layout::PVCLOCK;
        let payload = layout::PAYLOAD..layout::SAMPLES;
        for page in tables.chain(payload).step_by(layout::PAGE as usize) {
            let mut bytes = vec![0; layout::PAGE as usize];
            machine
                .memory()
                .read_slice(&mut bytes, GuestAddress(page))
                .expect("within memory");
            if bytes.iter().any(|b| *b != 0) {
                image.push((page, bytes));
            }
        }
        let sregs = machine.vcpus()[0]
            .fd()
            .get_sregs()
            .expect("a stopped vCPU has registers");
        BareBoot { image, sregs }
    }

    /// The same machine, by the ioctls alone, up to the payload's first answer.
    pub(crate) fn boot(&self, kvm: &Kvm, strategy: &'static Strategy) -> (VcpuFd, VmFd, GuestRam) {
        let vm = kvm.create_vm().expect("KVM_CREATE_VM");
        let ram = Arm::of(strategy)
            .allocate(&vm, layout::MEMORY_MIN)
            .expect("memory");
        let region = kvm_userspace_memory_region {
            slot: 0,
            flags: 0,
            guest_phys_addr: 0,
            memory_size: ram.len() as u64,
            userspace_addr: ram.host_address().addr() as u64,
        };
        // SAFETY: the caller drops the memory after the VM.
        unsafe { vm.set_user_memory_region(region) }.expect("KVM_SET_USER_MEMORY_REGION");
        for (address, bytes) in &self.image {
            // SAFETY: within the mapping, which is larger than the image.
            unsafe {
                let to = ram.host_address().add(*address as usize);
                ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
            }
        }
        let cpuid: CpuId = kvm
            .get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)
            .expect("CPUID");
        let mut vcpu = vm.create_vcpu(0).expect("KVM_CREATE_VCPU");
        vcpu.set_cpuid2(&cpuid).expect("KVM_SET_CPUID2");
        vcpu.set_sregs(&self.sregs).expect("KVM_SET_SREGS");
        let regs = kvm_regs {
            rip: layout::PAYLOAD,
            rsp: layout::stack_top(0),
            rflags: 0x3002,
            ..Default::default()
        };
        vcpu.set_regs(&regs).expect("KVM_SET_REGS");
        for expected in [port::START, port::DONE] {
            match vcpu.run().expect("KVM_RUN") {
                VcpuExit::IoOut(port, _) if port == expected => {}
                other => panic!("{other:?}"),
            }
        }
        (vcpu, vm, ram)
    }
}
