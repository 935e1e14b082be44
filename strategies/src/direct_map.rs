// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How KVM treats memory that is not in the direct map: the capability of our
//! kernel, see `kernel/` beside this crate's sources. It is set per VM, before
//! the first vCPU.

use crate::{Claims, Error, Evidence, HostAccess, Mode, Refusal, Stage, parameter::setting};
use kvm_bindings::kvm_enable_cap;
use kvm_ioctls::VmFd;
use results::{
    Missing,
    audit::Claim,
    counter::{Counter, kvm},
};

/// KVM_CAP_DIRECT_MAP_MODE: far from upstream's numbers, which collide between
/// trees.
const CAP_DIRECT_MAP_MODE: u32 = 0x756e_6d00;

/// KVM reaches guest memory by temporary reinsertion.
const REINSERT: u64 = 1 << 0;
/// Reinserted pages stay until the vCPU enters the guest again.
const HOLD: u64 = 1 << 1;
/// No TLB flush after a page left the direct map.
const NO_FLUSH: u64 = 1 << 2;
/// Whole TLBs are flushed instead of the page's range.
const FLUSH_ALL: u64 = 1 << 3;

setting! {
    /// The flush after a page has left the direct map.
    Flush, "flush", "TLB flush after a page leaves the direct map", {
        Range = "range", "the page's range";
        Full = "full", "whole TLBs";
        None = "none", "no flush: stale TLB entries still reach the page";
    }
}

setting! {
    /// How KVM reaches a page that is not in the direct map, for as long as it needs it.
    Access, "access", "how long a page stays in the direct map after KVM reinserted it", {
        Each = "each", "for one access";
        Held = "held", "until the vCPU enters the guest again";
    }
}

impl Access {
    /// The bits of the capability, and what grows when KVM reads guest memory this way.
    fn kernel(self) -> (u64, &'static [Counter]) {
        match self {
            Access::Each => (REINSERT, &[kvm::DIRECT_MAP_REINSERTS]),
            Access::Held => (
                REINSERT | HOLD,
                &[kvm::DIRECT_MAP_REINSERTS, kvm::DIRECT_MAP_HELD_WINDOWS],
            ),
        }
    }
}

impl Flush {
    /// The bits of the capability, what does not grow, and what is claimed.
    fn kernel(self) -> (u64, Option<Counter>, Claim) {
        match self {
            Flush::Range => (0, None, Claim::Hidden),
            Flush::Full => (FLUSH_ALL, None, Claim::Hidden),
            Flush::None => (NO_FLUSH, Some(kvm::DIRECT_MAP_FLUSHES), Claim::Unflushed),
        }
    }
}

/// What guest_memfd outside the direct map claims. KVM reaches it by `access`, or by the
/// user mapping.
pub(crate) fn claims(mode: &Mode, access: Option<Access>) -> Claims {
    let (_, never, claim) = mode.get::<Flush>().kernel();
    Claims {
        claim,
        host_access: HostAccess::Maps,
        evidence: Evidence {
            touched: Some(kvm::DIRECT_MAP_ZAPS),
            freed: Some(kvm::DIRECT_MAP_RESTORES),
            read: access.map_or(&[], |access| access.kernel().1),
            never,
        },
    }
}

/// Sets what `mode` asks for, with KVM's accesses by `access`. The default needs no call.
pub(crate) fn choose(vm: &VmFd, mode: &Mode, access: Option<Access>) -> Result<(), Error> {
    let bits = mode.get::<Flush>().kernel().0 | access.map_or(0, |access| access.kernel().0);
    if bits == 0 {
        return Ok(());
    }
    let cap = kvm_enable_cap {
        cap: CAP_DIRECT_MAP_MODE,
        args: [bits, 0, 0, 0],
        ..Default::default()
    };
    vm.enable_cap(&cap).map_err(|e| {
        let call = format!("KVM_ENABLE_CAP(KVM_CAP_DIRECT_MAP_MODE, {bits:#x})");
        Error::new(call, e.into()).at(Stage::Mode)
    })
}

/// What a refusal means, for every strategy that takes guest_memfd out of the direct map.
pub(crate) fn explain(mode: &Mode, refusal: &Refusal) -> Missing {
    let seen = &refusal.seen;
    let reason = match refusal.stage {
        Stage::Mode if !mode.is_default() => {
            let words = mode.params();
            let words = words.iter().map(|(name, value)| format!(" {name}={value}"));
            format!(
                "this kernel has no such access to memory outside the direct map:{} ({seen})",
                words.collect::<String>()
            )
        }
        Stage::Mode | Stage::Allocate => {
            format!("this kernel cannot take guest_memfd out of the direct map ({seen})")
        }
        _ => seen.clone(),
    };
    Missing::new(reason, "needs the lab kernel")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Setting;
    use results::cell::{ParamValue, Params};

    fn mode(flush: &str) -> Mode {
        let params = Params::from([("flush".to_string(), ParamValue::Text(flush.into()))]);
        Mode::parse(&[Flush::PARAMETER], &params).unwrap()
    }

    #[test]
    fn what_is_not_flushed_is_not_hidden() {
        let check = |flush: &str, claim, never| {
            let claims = claims(&mode(flush), None);
            assert_eq!(
                (claims.claim, claims.evidence.never),
                (claim, never),
                "{flush}"
            );
        };
        check("range", Claim::Hidden, None);
        check("full", Claim::Hidden, None);
        check("none", Claim::Unflushed, Some(kvm::DIRECT_MAP_FLUSHES));
    }

    #[test]
    fn a_refused_mode_is_not_a_refused_allocation() {
        let check = |stage, expected: &str| {
            let refusal = Refusal {
                stage,
                errno: Some(libc::EINVAL),
                seen: "CALL".into(),
            };
            assert_eq!(explain(&mode("none"), &refusal).reason, expected);
        };
        check(
            Stage::Mode,
            "this kernel has no such access to memory outside the direct map: flush=none (CALL)",
        );
        check(
            Stage::Allocate,
            "this kernel cannot take guest_memfd out of the direct map (CALL)",
        );
    }
}
