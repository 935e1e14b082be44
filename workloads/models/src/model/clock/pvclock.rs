// SPDX-License-Identifier: Apache-2.0 OR MIT
//! kvm-clock: where each vCPU has it, and what its readings must be.

use crate::{
    BadParameter, Parameters,
    request::{Requests, Stage},
};
use abi::{Reply, layout};
use vmm::Machine;

/// How far a guest's reading of kvm-clock may lie outside the two readings of KVM_GET_CLOCK
/// around it, nanoseconds. Both tell the same clock; what is allowed for is the difference
/// between the host's and the guest's conversion of ticks.
const BOUND: u64 = 1_000_000;

/// How far apart the vCPUs' clocks lie, bytes: `clock_page` is `apart` (a page each, the
/// default) or `shared` (all in one page, a cache line each).
pub(super) fn stride(params: &Parameters<'_>) -> Result<u64, BadParameter> {
    params.word("clock_page", &[("apart", layout::PAGE), ("shared", 64)])
}

/// Has KVM keep the clock of each vCPU where `requests` reads it.
pub(super) fn enable(machine: &mut Machine, requests: &Requests) -> Result<(), vmm::Error> {
    for vcpu in machine.vcpus() {
        let own = requests.of_vcpu(Stage::Measurement, vcpu.index());
        vcpu.enable_pvclock(own.args.address)?;
    }
    Ok(())
}

/// It never did what it must not.
pub(super) fn none(clock: &str, what: &str, times: u64) -> Result<(), String> {
    match times {
        0 => Ok(()),
        n => Err(format!("{clock} {what} {n} reads")),
    }
}

/// The clock moved forwards, lies within the host's readings of the same clock, and has a
/// version that KVM wrote. `wrong` says what the third result counts.
pub(super) fn check(reply: &Reply, (before, after): (u64, u64), wrong: &str) -> Result<(), String> {
    let [first, last, times, version] = reply.out;
    none("kvm-clock", wrong, times)?;
    if version == 0 || version % 2 == 1 {
        return Err(format!(
            "KVM never wrote the clock page: its version is {version}"
        ));
    }
    if last <= first {
        return Err(format!(
            "kvm-clock did not advance: {first} ns, then {last} ns"
        ));
    }
    if first.saturating_add(BOUND) < before || last > after.saturating_add(BOUND) {
        return Err(format!(
            "kvm-clock read {first} to {last} ns, but KVM_GET_CLOCK said {before} before and {after} after"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_must_advance_and_agree_with_the_host() {
        let check = |out, expected: &str| {
            let reply = Reply {
                out,
                ..Reply::default()
            };
            let seen = check(&reply, (5_000_000, 6_000_000), "stepped backwards in");
            let text = seen.err().unwrap_or_default();
            assert!(
                text.contains(expected) && text.is_empty() == expected.is_empty(),
                "{text:?}"
            );
        };
        check([5_100_000, 5_900_000, 0, 2], "");
        check([4_500_000, 6_500_000, 0, 2], "");
        check([5_100_000, 5_900_000, 1, 2], "stepped backwards in 1");
        check([5_100_000, 5_900_000, 0, 0], "never wrote");
        check([5_100_000, 5_900_000, 0, 3], "never wrote");
        check([5_100_000, 5_100_000, 0, 2], "did not advance");
        check([3_900_000, 5_900_000, 0, 2], "KVM_GET_CLOCK");
        check([5_100_000, 7_100_000, 0, 2], "KVM_GET_CLOCK");
        check([5_100_000, u64::MAX, 0, 2], "KVM_GET_CLOCK");
    }
}
