// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where things lie in the memory of a Linux guest. All that the VMM writes below
//! 1 MiB is free for the kernel's use once it has read it.

use crate::Error;

/// Segment descriptors, which the boot protocol wants to be there.
pub(super) const GDT: u64 = 0x5000;
/// The code in front of the kernel.
pub(super) const STUB: u64 = 0x6000;
/// `struct boot_params`.
pub(super) const ZERO_PAGE: u64 = 0x7000;
/// PML4, PDPT, and a page directory a GiB.
pub(super) const PAGE_TABLES: u64 = 0x9000;
/// The kernel's command line.
pub(super) const CMDLINE: u64 = 0x2_0000;
/// The end of conventional memory. The tables for several processors lie in its
/// last KiB, where a kernel looks for them (MP specification 1.4, chapter 4).
pub(super) const MP_TABLE: u64 = 0x9_fc00;
/// Where the memory below 1 MiB ends.
pub(super) const LOW_END: u64 = 0xa_0000;
/// Where the rest begins.
pub(super) const HIGH: u64 = 0x10_0000;
/// Where KVM may put the three pages that it needs on processors without real mode
/// for guests: right below the firmware of a PC.
pub(super) const TSS: u64 = 0xfffb_d000;

const PAGE: u64 = 4096;

/// Where an initrd of `len` bytes begins: as high as it can be, after `kernel_end`
/// and at or below `highest`.
///
/// # Errors
/// [`Error::Config`] if it does not fit.
pub(super) fn initrd(len: u64, memory: u64, kernel_end: u64, highest: u64) -> Result<u64, Error> {
    let end = memory.min(highest.saturating_add(1));
    let at = end.checked_sub(len).map(|at| at / PAGE * PAGE);
    at.filter(|at| *at >= kernel_end).ok_or_else(|| {
        let mib = |n: u64| n.div_ceil(1 << 20);
        Error::Config(format!(
            "an initrd of {} MiB does not fit into {} MiB of memory after a kernel that ends at {} MiB: choose a larger mem_mib or a smaller --guest-initrd",
            mib(len),
            memory >> 20,
            mib(kernel_end)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_initrd_lies_at_the_end_or_not_at_all() {
        let mib = |n: u64| n << 20;
        let at = |len, memory| initrd(len, memory, mib(40), 0x37ff_ffff).ok();
        assert_eq!(at(5000, mib(128)), Some(mib(128) - 8192));
        assert_eq!(at(mib(88), mib(128)), Some(mib(40)));
        assert_eq!(at(mib(88) + 1, mib(128)), None);
        assert_eq!(at(mib(200), mib(128)), None);
        // The kernel says how high it can be.
        assert_eq!(at(4096, mib(1024)), Some(0x3800_0000 - 4096));
        let error = initrd(mib(200), mib(128), mib(40), u64::MAX).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("200 MiB does not fit into 128 MiB") && error.contains("mem_mib"));
    }
}
