// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a Linux guest is told of its processor: all that KVM supports, with what
//! differs from vCPU to vCPU, and without what KVM describes inconsistently.

use kvm_bindings::{CpuId, kvm_cpuid_entry2};

/// Leaf 1, ECX: what needs XSAVE, with itself (Intel SDM vol. 2A, CPUID): FMA,
/// XSAVE, OSXSAVE, AVX, F16C.
const NEEDS_XSAVE: u32 = 1 << 12 | 1 << 26 | 1 << 27 | 1 << 28 | 1 << 29;
/// Leaf 1, ECX: the local APIC's timer can be told a time-stamp. KVM leaves the bit
/// to whoever knows that there is an APIC in the kernel.
const TSC_DEADLINE: u32 = 1 << 24;
/// Leaf 1, ECX: a hypervisor is present.
const HYPERVISOR: u32 = 1 << 31;
/// Leaf 7, EBX: what needs AVX: AVX2, and AVX-512's F, DQ, IFMA, PF, ER, CD, BW, VL.
const NEEDS_AVX_7B: u32 =
    1 << 5 | 1 << 16 | 1 << 17 | 1 << 21 | 1 << 26 | 1 << 27 | 1 << 28 | 1 << 30 | 1 << 31;
/// Leaf 7, ECX: AVX-512's VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ; VAES, VPCLMULQDQ;
/// and the protection keys, whose state XSAVE keeps.
const NEEDS_AVX_7C: u32 = 1 << 1 | 1 << 3 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 14;

/// The leaves for vCPU `index` of `vcpus`.
pub(super) fn of(supported: &CpuId, index: u64, vcpus: u64) -> CpuId {
    let mut cpuid = supported.clone();
    let entries = cpuid.as_mut_slice();
    let consistent = xsave_is_consistent(entries);
    for entry in entries.iter_mut() {
        match (entry.function, entry.index) {
            (1, _) => {
                // The APIC's identifier, and how many there are.
                entry.ebx = entry.ebx & 0xffff | (vcpus as u32) << 16 | (index as u32) << 24;
                entry.ecx |= TSC_DEADLINE | HYPERVISOR;
                if !consistent {
                    entry.ecx &= !NEEDS_XSAVE;
                }
            }
            (7, 0) if !consistent => {
                entry.ebx &= !NEEDS_AVX_7B;
                entry.ecx &= !NEEDS_AVX_7C;
            }
            (0xb | 0x1f, _) => entry.edx = index as u32,
            (0xd, _) if !consistent => {
                (entry.eax, entry.ebx, entry.ecx, entry.edx) = (0, 0, 0, 0);
            }
            _ => {}
        }
    }
    cpuid
}

/// Whether leaf 0xD describes every state that it names, within the size that it
/// gives. Under an emulator that offers XSAVE to a nested KVM it does not, and a
/// guest that believes it stumbles over its own FPU state.
fn xsave_is_consistent(entries: &[kvm_cpuid_entry2]) -> bool {
    let leaf = |index| {
        let mut all = entries.iter();
        all.find(|e| e.function == 0xd && e.index == index)
    };
    let Some(main) = leaf(0).filter(|e| e.eax != 0) else {
        return false;
    };
    (2..32).filter(|bit| main.eax >> bit & 1 == 1).all(|bit| {
        leaf(bit).is_some_and(|part| {
            // EAX is its size, EBX where it begins.
            part.eax > 0 && u64::from(part.eax) + u64::from(part.ebx) <= u64::from(main.ecx)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(function: u32, index: u32, [eax, ebx, ecx, edx]: [u32; 4]) -> kvm_cpuid_entry2 {
        kvm_cpuid_entry2 {
            function,
            index,
            eax,
            ebx,
            ecx,
            edx,
            ..Default::default()
        }
    }

    fn leaves(avx: u32) -> CpuId {
        let all = [
            leaf(1, 0, [0, 0xff00_0800, NEEDS_XSAVE | 1, 0]),
            leaf(7, 0, [0, 1 << 5 | 1, 1 << 9, 0]),
            leaf(0xb, 0, [0, 0, 0, 9]),
            leaf(0xd, 0, [7, 832, 832, 0]),
            leaf(0xd, 2, [avx, 576, 0, 0]),
        ];
        CpuId::from_entries(&all).unwrap()
    }

    fn found(cpuid: &CpuId, function: u32) -> kvm_cpuid_entry2 {
        let mut all = cpuid.as_slice().iter();
        *all.find(|e| e.function == function).unwrap()
    }

    #[test]
    fn a_consistent_xsave_stays() {
        let cpuid = of(&leaves(256), 3, 4);
        let one = found(&cpuid, 1);
        assert_eq!(one.ebx, 3 << 24 | 4 << 16 | 0x0800);
        assert_eq!(one.ecx, NEEDS_XSAVE | TSC_DEADLINE | HYPERVISOR | 1);
        assert_eq!(found(&cpuid, 0xb).edx, 3);
        assert_eq!(found(&cpuid, 0xd).eax, 7);
    }

    #[test]
    fn an_inconsistent_one_goes_with_all_that_needs_it() {
        for avx in [0, 257] {
            let cpuid = of(&leaves(avx), 0, 1);
            assert_eq!(found(&cpuid, 1).ecx & NEEDS_XSAVE, 0);
            assert_eq!(found(&cpuid, 7).ebx, 1);
            assert_eq!(found(&cpuid, 7).ecx, 0);
            assert_eq!(found(&cpuid, 0xd).eax, 0);
        }
    }
}
