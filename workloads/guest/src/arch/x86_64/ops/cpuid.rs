// SPDX-License-Identifier: Apache-2.0 OR MIT
//! CPUID. A processor with hardware virtualisation leaves the guest at each.

use crate::{
    asm,
    samples::{Answer, Room},
};
use abi::{Args, Digest};
use core::arch::x86_64::__cpuid;

/// Where a hypervisor signs, by a convention that KVM keeps
/// (Documentation/virt/kvm/x86/cpuid.rst of the kernel).
const SIGNATURE: u32 = 0x4000_0000;

pub(crate) fn cpuid(args: Args, room: Room) -> Answer {
    let mut samples = room.samples(args.count)?;
    let mut digest = Digest::new();
    for _ in 0..args.count {
        let before = asm::tsc();
        let signature = __cpuid(SIGNATURE);
        let after = asm::tsc();
        samples.push(after - before);
        for word in [signature.ebx, signature.ecx, signature.edx] {
            digest.push(word.into());
        }
    }
    samples.reply(digest.get(), [0; 4])
}
