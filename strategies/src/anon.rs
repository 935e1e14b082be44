// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `anon`: private anonymous memory, what a VMM uses by default.

use crate::{Claims, GuestRam, PageSize, Strategy, mapping::Mapping, strategy};

pub(crate) static ANON: Strategy = Strategy {
    name: "anon",
    about: "MAP_PRIVATE anonymous, 4 KiB pages; direct map intact; KVM uses the user mapping",
    differs_from: Some("memfd"),
    page_size: PageSize::Base,
    parameters: &[],
    refuse: Strategy::ANY_MODE,
    claims: |_| Claims::ORDINARY,
    allocate: |_, len, _| {
        let mapping = Mapping::anonymous(len)?;
        mapping.advise(libc::MADV_NOHUGEPAGE, "MADV_NOHUGEPAGE")?;
        Ok(GuestRam::anonymous(mapping))
    },
    explain: strategy::plain,
};
