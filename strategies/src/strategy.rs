// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a strategy is.

use crate::{Error, GuestRam, Mode, Parameter, Refusal};
use kvm_ioctls::VmFd;
use results::{
    Missing,
    audit::Claim,
    counter::{Counter, kvm},
};
use std::collections::BTreeMap;

/// The page size a strategy promises for guest memory in the host's page
/// tables. It is checked in every cell: an arm that got another page size
/// would measure page size and call it isolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSize {
    /// 4 KiB only.
    Base,
    /// 2 MiB wherever an aligned 2 MiB of memory was touched.
    Huge,
}

/// A guest-memory strategy. What depends on its mode is asked of an [`Arm`](crate::Arm).
pub struct Strategy {
    /// The name on the command line and in records.
    pub name: &'static str,
    /// One line for a person: backing, page size, direct map, access path.
    pub about: &'static str,
    /// The strategy that it differs from in the fewest things: in being hidden, in how
    /// KVM reaches it, in the page size or in what is behind it. `None` for the baseline.
    pub differs_from: Option<&'static str>,
    /// The page size it promises.
    pub page_size: PageSize,
    /// Its own parameters.
    pub parameters: &'static [&'static Parameter],
    /// Why a mode would corrupt data or mean nothing; `None` if it is valid.
    pub(crate) refuse: fn(&Mode) -> Option<&'static str>,
    /// What it claims in a mode.
    pub(crate) claims: fn(&Mode) -> Claims,
    /// Memory of a number of bytes, zero-filled, for a VM that has no vCPU yet. The
    /// memory must outlive every memslot made of it.
    pub(crate) allocate: fn(&VmFd, u64, &Mode) -> Result<GuestRam, Error>,
    /// What it means that a kernel refuses the strategy in a mode.
    pub(crate) explain: fn(&Mode, &Refusal) -> Missing,
}

impl Strategy {
    /// What it claims with its defaults.
    pub fn claims(&'static self) -> Claims {
        (self.claims)(&Mode::default())
    }

    /// Every mode is valid.
    pub(crate) const ANY_MODE: fn(&Mode) -> Option<&'static str> = |_| None;
}

/// What a strategy claims in a mode. Every claim is checked before a number is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Whether guest memory is hidden from the host kernel.
    pub claim: Claim,
    /// How the VMM reaches guest memory.
    pub host_access: HostAccess,
    /// What KVM's statistics show of it.
    pub evidence: Evidence,
}

impl Claims {
    /// Those of ordinary memory.
    pub(crate) const ORDINARY: Claims = Claims {
        claim: Claim::Mapped,
        host_access: HostAccess::Maps,
        evidence: Evidence::NONE,
    };
}

/// How the VMM reaches guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostAccess {
    /// It maps it.
    Maps,
    /// It may not map it. Data crosses by a buffer that both sides share.
    Bounces,
}

/// What KVM's statistics show while a strategy is at work. A strategy that did without
/// would be measured as what it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Grows by one at least with each page that is touched for the first time.
    pub touched: Option<Counter>,
    /// Grows by one at least with each page that is given back.
    pub freed: Option<Counter>,
    /// Each grows when KVM reads guest memory.
    pub read: &'static [Counter],
    /// Does not grow.
    pub never: Option<Counter>,
}

/// What was seen of a strategy at work.
#[derive(Clone, Copy, Debug)]
pub struct AtWork<'a> {
    /// Pages that were touched for the first time.
    pub touched: u64,
    /// Pages that were given back.
    pub freed: u64,
    /// What KVM's statistics grew by meanwhile, by their names.
    pub grown: &'a BTreeMap<String, u64>,
}

impl Evidence {
    /// Nothing special shows.
    pub(crate) const NONE: Evidence = Evidence {
        touched: None,
        freed: None,
        read: &[],
        never: None,
    };

    /// Checks that it shows in what was `seen`.
    ///
    /// # Errors
    /// What does not show, one line.
    pub fn check(&self, seen: AtWork<'_>) -> Result<(), String> {
        let grown = |counter: Counter| seen.grown.get(counter.name).copied().unwrap_or(0);
        let pages = [
            (self.touched, seen.touched, "touched for the first time"),
            (self.freed, seen.freed, "given back"),
        ];
        for (counter, least, what) in pages {
            if let Some(counter) = counter
                && grown(counter) < least
            {
                let n = grown(counter);
                return Err(format!(
                    "KVM counted {n} {} where {least} pages were {what}",
                    counter.name
                ));
            }
        }
        // Reads only: the one kind of write in the workloads is that of kvm-clock, through
        // a pfn cache, which reinserted its page once when it was made.
        let reads = grown(kvm::GUEST_MEM_READS);
        let idle = self.read.iter().find(|counter| grown(**counter) == 0);
        if let (1.., Some(counter)) = (reads, idle) {
            return Err(format!(
                "KVM read guest memory {reads} times and counted no {}: it took another way",
                counter.name
            ));
        }
        match self.never.map(|counter| (counter.name, grown(counter))) {
            Some((name, n @ 1..)) => Err(format!("KVM counted {n} {name} where none are due")),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Strategy").field(&self.name).finish()
    }
}

/// The explanation of a refusal that the strategy knows nothing special about.
pub(crate) fn plain(_: &Mode, refusal: &Refusal) -> Missing {
    Missing::new(
        refusal.seen.clone(),
        "this strategy runs on any stock kernel: see the kernel log for why this one refuses",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_that_does_not_show_is_named() {
        let evidence = Evidence {
            touched: Some(kvm::DIRECT_MAP_ZAPS),
            freed: Some(kvm::DIRECT_MAP_RESTORES),
            read: &[kvm::DIRECT_MAP_REINSERTS, kvm::DIRECT_MAP_HELD_WINDOWS],
            never: Some(kvm::DIRECT_MAP_FLUSHES),
        };
        let check = |touched, freed, counts: &[(Counter, u64)], expected: &str| {
            let grown = counts
                .iter()
                .map(|(c, n)| (c.name.to_string(), *n))
                .collect();
            let seen = AtWork {
                touched,
                freed,
                grown: &grown,
            };
            let error = evidence.check(seen).err().unwrap_or_default();
            assert!(
                error.contains(expected) && error.is_empty() == expected.is_empty(),
                "{error:?}"
            );
        };
        let [zaps, restores] = [kvm::DIRECT_MAP_ZAPS, kvm::DIRECT_MAP_RESTORES];
        check(0, 0, &[], "");
        check(3, 0, &[(zaps, 3)], "");
        check(
            3,
            0,
            &[(zaps, 2)],
            "2 direct_map_zaps where 3 pages were touched",
        );
        check(
            0,
            3,
            &[(restores, 2)],
            "2 direct_map_restores where 3 pages were given back",
        );
        let [reads, inserts] = [kvm::GUEST_MEM_READS, kvm::DIRECT_MAP_REINSERTS];
        let held = kvm::DIRECT_MAP_HELD_WINDOWS;
        check(0, 0, &[(reads, 9)], "no direct_map_reinserts");
        check(
            0,
            0,
            &[(reads, 9), (inserts, 9)],
            "no direct_map_held_windows",
        );
        check(0, 0, &[(reads, 9), (inserts, 9), (held, 1)], "");
        check(
            0,
            0,
            &[(kvm::DIRECT_MAP_FLUSHES, 1)],
            "1 direct_map_flushes where none",
        );
    }
}
