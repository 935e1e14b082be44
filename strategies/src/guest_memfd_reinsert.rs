// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `guest-memfd-reinsert`: an unmapped guest_memfd that KVM reaches by putting
//! the page back into the direct map for as long as it needs it, for every
//! access: no user mapping is needed, and none is used.

use crate::{
    PageSize, Strategy,
    direct_map::{self, Access, Flush},
    guest_memfd,
    guest_memfd_unmapped::FLAGS,
    parameter::Setting,
};

pub(crate) static GUEST_MEMFD_REINSERT: Strategy = Strategy {
    name: "guest-memfd-reinsert",
    about: "guest_memfd NO_DIRECT_MAP, 4 KiB pages; direct map removed; KVM reinserts pages for each access",
    differs_from: Some("guest-memfd-unmapped"),
    page_size: PageSize::Base,
    parameters: &[Access::PARAMETER, Flush::PARAMETER],
    refuse: Strategy::ANY_MODE,
    claims: |mode| direct_map::claims(mode, Some(mode.get())),
    allocate: |vm, len, mode| {
        direct_map::choose(vm, mode, Some(mode.get()))?;
        guest_memfd::allocate(vm, len, FLAGS)
    },
    explain: direct_map::explain,
};
