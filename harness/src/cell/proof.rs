// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What shows that a request did what its workload is named for. A cell whose
//! proof does not hold has no samples.

use super::Stop;
use abi::{Reply, Request};
use strategies::Strategy;
use vm_memory::{Bytes, GuestAddress};
use vmm::{Device, Machine, stats::Stats};
use workloads::{Access, Call};

/// How far a guest's reading of kvm-clock may lie outside the two readings of
/// KVM_GET_CLOCK around it, nanoseconds. Both tell the same clock; what is
/// allowed for is the difference between the host's and the guest's conversion
/// of ticks.
const CLOCK_BOUND: u64 = 1_000_000;

/// Everything that was seen while one request ran on all vCPUs.
pub(crate) struct Seen<'a> {
    pub(crate) requests: &'a [Request],
    pub(crate) replies: &'a [Reply],
    pub(crate) devices: &'a [Device],
    /// What KVM's statistics grew by.
    pub(crate) grown: &'a Stats,
    /// KVM_GET_CLOCK before and after.
    pub(crate) clock: (u64, u64),
}

/// Checks `call`'s proof.
pub(crate) fn check(call: &Call, seen: &Seen<'_>, machine: &Machine) -> Result<(), Stop> {
    counter(call, seen).map_err(Stop::Unproved)?;
    for (vcpu, request) in seen.requests.iter().enumerate() {
        let reply = &seen.replies[vcpu];
        let device = &seen.devices[vcpu];
        access(call, *request, reply, device, seen.clock)
            .and_then(|()| pages(call, *request, machine))
            .map_err(|why| Stop::Unproved(format!("vCPU {vcpu}: {why}")))?;
    }
    Ok(())
}

/// Checks that the strategy was at work: one that quietly did without would be
/// measured as what it is not.
pub(crate) fn check_strategy(
    strategy: &Strategy,
    call: &Call,
    seen: &Seen<'_>,
) -> Result<(), Stop> {
    let grown = |name: &str| seen.grown.get(name).copied().unwrap_or(0);
    let touched: u64 = match call.proof.access {
        Access::Pages => seen.requests.iter().map(|r| r.args.count).sum(),
        _ => 0,
    };
    let unproved = |what: String| Err(Stop::Unproved(format!("{}: {what}", strategy.name)));
    let zaps = grown("direct_map_zaps");
    if strategy.counted.zaps && zaps < touched {
        return unproved(format!(
            "{zaps} pages left the direct map where {touched} were touched for the first time"
        ));
    }
    // Reads only: the one kind of write in these workloads is that of kvm-clock,
    // through a pfn cache, which reinserted its page once when it was made.
    let accesses = grown("guest_mem_reads");
    if strategy.counted.reinserts && accesses > 0 && grown("direct_map_reinserts") == 0 {
        return unproved(format!(
            "KVM read guest memory {accesses} times and reinserted nothing: it took another way"
        ));
    }
    Ok(())
}

fn counter(call: &Call, seen: &Seen<'_>) -> Result<(), String> {
    let operations: u64 = seen.requests.iter().map(|r| r.args.count).sum();
    if call.proof.access == Access::Pages {
        return mapped(seen.grown, operations);
    }
    let names = call.proof.counters;
    let Some(first) = names.first() else {
        return Ok(());
    };
    let grew = names
        .iter()
        .find_map(|name| Some((*name, *seen.grown.get(*name)?)));
    let (name, n) = grew.unwrap_or((first, 0));
    // Each vCPU also leaves once by a port, to say that it is done, which
    // every statistic counts but that of MMIO.
    let done = u64::from(name != "mmio_exits") * seen.requests.len() as u64;
    match operations + done {
        expected if n == expected => Ok(()),
        expected => Err(format!(
            "KVM counted {n} {name} where {expected} were due: another path was taken"
        )),
    }
}

/// KVM's page tables took in at least the pages that were touched.
fn mapped(grown: &Stats, touched: u64) -> Result<(), String> {
    let of = |name| grown.get(name).copied().unwrap_or(0);
    let pages = of("pages_4k") + 512 * of("pages_2m") + 512 * 512 * of("pages_1g");
    match pages >= touched {
        true => Ok(()),
        false => Err(format!(
            "KVM mapped {pages} pages where {touched} were touched for the first time"
        )),
    }
}

fn access(
    call: &Call,
    request: Request,
    reply: &Reply,
    device: &Device,
    clock: (u64, u64),
) -> Result<(), String> {
    let count = request.args.count;
    match call.proof.access {
        Access::Nothing | Access::Pages => Ok(()),
        Access::Read | Access::ClockUpdate if device.reads() != count => Err(format!(
            "the device answered {} reads of {count}",
            device.reads()
        )),
        Access::Write if device.writes() != count => Err(format!(
            "the device took {} writes of {count}",
            device.writes()
        )),
        Access::Read | Access::Write | Access::ClockUpdate => {
            let expected = call.digest(request);
            let written = (call.proof.access == Access::Write).then(|| device.written());
            if Some(reply.digest) != expected || written.is_some_and(|w| Some(w) != expected) {
                return Err("a value was changed on its way between guest and device".into());
            }
            match call.proof.access {
                Access::ClockUpdate => pvclock(reply, clock, "kept its version in"),
                _ => Ok(()),
            }
        }
        Access::Tsc => none("the time-stamp counter", STEPPED, reply.out[0]),
        Access::Pvclock => pvclock(reply, clock, STEPPED),
    }
}

const STEPPED: &str = "stepped backwards in";

fn none(clock: &str, what: &str, times: u64) -> Result<(), String> {
    match times {
        0 => Ok(()),
        n => Err(format!("{clock} {what} {n} reads")),
    }
}

/// `wrong` says what the third result counts.
fn pvclock(reply: &Reply, (before, after): (u64, u64), wrong: &str) -> Result<(), String> {
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
    if first.saturating_add(CLOCK_BOUND) < before || last > after.saturating_add(CLOCK_BOUND) {
        return Err(format!(
            "kvm-clock read {first} to {last} ns, but KVM_GET_CLOCK said {before} before and {after} after"
        ));
    }
    Ok(())
}

/// The host finds in every page what the guest wrote there.
fn pages(call: &Call, request: Request, machine: &Machine) -> Result<(), String> {
    for (address, expected) in call.pages(request) {
        let found: u64 = machine
            .memory()
            .read_obj(GuestAddress(address))
            .map_err(|e| format!("reading guest memory at {address:#x}: {e}"))?;
        if found != expected {
            return Err(format!(
                "the host reads {found:#x} at {address:#x} where the guest wrote {expected:#x}"
            ));
        }
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
            let seen = pvclock(&reply, (5_000_000, 6_000_000), STEPPED);
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
