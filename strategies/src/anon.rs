// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `anon`: private anonymous memory, what a VMM uses when nobody asks.

use crate::{Counted, GuestRam, Missing, PageSize, Strategy, mapping::Mapping};

pub(crate) static ANON: Strategy = Strategy {
    name: "anon",
    about: "MAP_PRIVATE anonymous, 4 KiB pages; direct map intact; KVM uses the user mapping",
    isolating: false,
    differs_from: Some("memfd"),
    page_size: PageSize::Base,
    counted: Counted::NOTHING,
    parameters: &[],
    allocate: |_, len, _| {
        let mapping = Mapping::anonymous(len)?;
        mapping.advise(libc::MADV_NOHUGEPAGE, "MADV_NOHUGEPAGE")?;
        Ok(GuestRam::anonymous(mapping))
    },
    explain: Missing::plain,
};
