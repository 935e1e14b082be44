// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `guest-memfd-unmapped`: a guest_memfd whose pages leave the direct map on
//! their first use. KVM reaches them through the user mapping; what needs a
//! kernel address for long (pfn caches, as for kvm-clock) reinserts the page.

use crate::{
    PageSize, Strategy,
    direct_map::{self, Flush},
    guest_memfd::{self, FLAG_INIT_SHARED, FLAG_MMAP},
    parameter::Setting,
};

/// GUEST_MEMFD_FLAG_NO_DIRECT_MAP of our kernel, the number of the public
/// proposal. Other trees give it other meanings, so that a kernel that takes it
/// is not yet one that hides anything: the audit finds out.
pub(crate) const FLAG_NO_DIRECT_MAP: u64 = 1 << 2;

/// All that an unmapped guest_memfd is made with.
pub(crate) const FLAGS: u64 = FLAG_MMAP | FLAG_INIT_SHARED | FLAG_NO_DIRECT_MAP;

pub(crate) static GUEST_MEMFD_UNMAPPED: Strategy = Strategy {
    name: "guest-memfd-unmapped",
    about: "guest_memfd NO_DIRECT_MAP, 4 KiB pages; direct map removed; KVM uses the user mapping, pfn caches reinsert",
    differs_from: Some("guest-memfd"),
    page_size: PageSize::Base,
    parameters: &[Flush::PARAMETER],
    refuse: Strategy::ANY_MODE,
    claims: |mode| direct_map::claims(mode, None),
    allocate: |vm, len, mode| {
        direct_map::choose(vm, mode, None)?;
        guest_memfd::allocate(vm, len, FLAGS)
    },
    explain: direct_map::explain,
};
