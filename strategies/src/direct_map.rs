// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How KVM treats memory that is not in the direct map: the capability of our
//! kernel, see `kernel/` beside this crate's sources. It is set per VM, before
//! the first vCPU.

use crate::{
    Error,
    strategy::{Mode, Parameter},
};
use kvm_bindings::kvm_enable_cap;
use kvm_ioctls::VmFd;

/// KVM_CAP_DIRECT_MAP_MODE: far from upstream's numbers, which collide between
/// trees.
const CAP_DIRECT_MAP_MODE: u32 = 0x756e_6d00;

/// KVM reaches guest memory by temporary reinsertion.
pub(crate) const REINSERT: u64 = 1 << 0;
/// Reinserted pages stay until the vCPU enters the guest again.
const HOLD: u64 = 1 << 1;
/// No TLB flush after a page left the direct map. Hides nothing: it tells the
/// cost of the flush from that of the rest.
const NO_FLUSH: u64 = 1 << 2;
/// Whole TLBs are flushed instead of the page's range.
const FLUSH_ALL: u64 = 1 << 3;

/// The flush after a page has left the direct map.
pub(crate) const FLUSH: Parameter = Parameter {
    name: "flush",
    values: &["range", "full", "none"],
    about: "TLB flush after a page leaves the direct map: its range, everything, or none (insecure)",
};

/// How long a page stays reinserted.
pub(crate) const ACCESS: Parameter = Parameter {
    name: "access",
    values: &["each", "held"],
    about: "a reinserted page leaves again after each access, or at the next VM entry",
};

/// Sets what `mode` asks for on top of `base`. The default needs no call.
pub(crate) fn choose(vm: &VmFd, mode: &Mode, base: u64) -> Result<(), Error> {
    let is = |name: &str, value: &str| mode.get(name).is_some_and(|v| v == value);
    let bit = |on: bool, bit: u64| if on { bit } else { 0 };
    let bits = base
        | bit(is(ACCESS.name, "held"), HOLD)
        | bit(is(FLUSH.name, "none"), NO_FLUSH)
        | bit(is(FLUSH.name, "full"), FLUSH_ALL);
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
        Error::new(call, e.into())
    })
}
