// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What shows that a request did what its workload is named for. A cell whose
//! proof does not hold has no samples.

use super::{
    Stop,
    setup::{Saw, pages_in},
    virtio,
};
use abi::{Digest, Reply, Request, chase, truncate, value};
use results::counter::kvm;
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
    /// What was set up, and saw this.
    pub(crate) ready: Saw,
}

/// Checks `call`'s proof.
pub(crate) fn check(call: &Call, seen: &Seen<'_>, machine: &Machine) -> Result<(), Stop> {
    virtio::interrupted(call, seen)?;
    counter(call, seen).map_err(Stop::Unproved)?;
    ready(call, seen).map_err(Stop::Unproved)?;
    for (vcpu, request) in seen.requests.iter().enumerate() {
        let reply = &seen.replies[vcpu];
        let device = &seen.devices[vcpu];
        access(call, *request, reply, device, seen)
            .and_then(|()| pages(call, *request, machine))
            .map_err(|why| Stop::Unproved(format!("vCPU {vcpu}: {why}")))?;
        last_written(call, *request, machine, vcpu)?;
    }
    Ok(())
}

/// Pages that the requests touch for the first time.
pub(crate) fn touched(call: &Call, requests: &[Request]) -> u64 {
    match call.proof.access.touches() {
        true => requests.iter().map(|r| r.args.count).sum(),
        false => 0,
    }
}

fn counter(call: &Call, seen: &Seen<'_>) -> Result<(), String> {
    let operations: u64 = seen.requests.iter().map(|r| r.args.count).sum();
    if call.proof.access.touches() {
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
    let done = u64::from(name != kvm::MMIO_EXITS.name) * seen.requests.len() as u64;
    match operations * call.proof.times + done {
        expected if n == expected => Ok(()),
        expected => Err(format!(
            "KVM counted {n} {name} where {expected} were due: another path was taken"
        )),
    }
}

/// KVM's page tables took in at least the pages that were touched.
fn mapped(grown: &Stats, touched: u64) -> Result<(), String> {
    let pages = pages_in(grown);
    match pages >= touched {
        true => Ok(()),
        false => Err(format!(
            "KVM mapped {pages} pages where {touched} were touched for the first time"
        )),
    }
}

/// What was set up saw what it must.
fn ready(call: &Call, seen: &Seen<'_>) -> Result<(), String> {
    let operations: u64 = seen.requests.iter().map(|r| r.args.count).sum();
    let rehearsed = seen.requests.iter().any(|r| r.args == call.rehearsal.args);
    match (call.proof.access, seen.ready) {
        (Access::Notify, Saw::Rings(n)) if n == operations => Ok(()),
        (Access::Notify, saw) => Err(format!(
            "the eventfd was signalled {} times of {operations}",
            if let Saw::Rings(n) = saw { n } else { 0 }
        )),
        // Both are set up after the rehearsal.
        (Access::PagesAgain | Access::PagesServed, _) if rehearsed => Ok(()),
        (Access::PagesAgain, Saw::Lost(n)) if n >= operations => Ok(()),
        (Access::PagesAgain, saw) => Err(format!(
            "KVM had lost {} pages before where {operations} were touched again",
            if let Saw::Lost(n) = saw { n } else { 0 }
        )),
        (access, Saw::Virtio(count)) if access.drives() => virtio::check(call, seen, count),
        (access, _) if access.drives() => Err("there was no virtio device".into()),
        (Access::PagesServed, Saw::Served(n)) if n == operations => Ok(()),
        (Access::PagesServed, saw) => Err(format!(
            "userfaultfd served {} faults where {operations} pages were touched: the guest's faults take another way",
            if let Saw::Served(n) = saw { n } else { 0 }
        )),
        _ => Ok(()),
    }
}

fn access(
    call: &Call,
    request: Request,
    reply: &Reply,
    device: &Device,
    seen: &Seen<'_>,
) -> Result<(), String> {
    let values = call.values(request);
    let (reads, writes) = match call.proof.access {
        Access::Read | Access::ReadCold | Access::ClockUpdate | Access::Rewrite => (values, 0),
        Access::Write => (0, values),
        _ => (0, 0),
    };
    if (device.reads(), device.writes()) != (reads, writes) {
        return Err(format!(
            "the device answered {} reads of {reads} and took {} writes of {writes}",
            device.reads(),
            device.writes()
        ));
    }
    let expected = call.digest(request);
    let written = (call.proof.access == Access::Write).then(|| device.written());
    if expected.is_some_and(|e| e != reply.digest || written.is_some_and(|w| w != e)) {
        return Err("a value was changed on its way between guest and device".into());
    }
    match call.proof.access {
        Access::Nothing | Access::Read | Access::Write | Access::Notify => Ok(()),
        Access::Pages | Access::PagesAgain | Access::PagesServed => Ok(()),
        Access::BlockRead | Access::BlockWrite | Access::Frames => match reply.out {
            [0, 0, _, 0] => Ok(()),
            [_, _, status, step] if step > 0 => Err(format!(
                "the driver gave up at step {step}; the device's status is {status:#x}"
            )),
            [bad, words, ..] => Err(format!(
                "{bad} requests ended with an error, {words} words were not those that were due"
            )),
        },
        Access::Chase => chase(request, reply),
        Access::ReadCold => match reply.out[0] {
            0 => Ok(()),
            n => Err(format!("{n} page-table entries were never walked over")),
        },
        Access::Register => register(request, reply, seen.ready),
        // What the host finds there is checked by `last_written`.
        Access::RegisterWrite => Ok(()),
        Access::Tsc => none("the time-stamp counter", STEPPED, reply.out[0]),
        Access::Pvclock => pvclock(reply, seen.clock, STEPPED),
        Access::ClockUpdate => pvclock(reply, seen.clock, "kept its version, or stepped back, in"),
        Access::Rewrite => match reply.out {
            [0, version, ..] if version > 0 => Ok(()),
            [missed, ..] => Err(format!(
                "KVM did not rewrite the structure before {missed} of {} reads",
                request.args.count
            )),
        },
        // One reading comes before the first sample.
        Access::Timer if device.exits() != request.args.count + 1 => Err(format!(
            "the VMM answered {} timer reads of {}",
            device.exits(),
            request.args.count + 1
        )),
        Access::Timer => match reply.out {
            [first, last, 0, _] if last > first => Ok(()),
            [first, last, back, _] => Err(format!(
                "the timer went from {first} to {last}, {back} times backwards"
            )),
        },
    }
}

/// The chase passed every place, and ended where the host says that it must.
fn chase(request: Request, reply: &Reply) -> Result<(), String> {
    let args = request.args;
    let end = chase::after(&args, args.count * args.batch);
    match reply.out {
        [passed, at, ..] if (passed, at) == (args.width, end) => Ok(()),
        [passed, at, ..] => Err(format!(
            "a chase passed {passed} of {} places and ended at {at:#x}, not at {end:#x}",
            args.width
        )),
    }
}

/// Every read gave the register's content, which the host knows.
fn register(request: Request, reply: &Reply, ready: Saw) -> Result<(), String> {
    let Saw::Content(content) = ready else {
        return Err("no interrupt controller was set up".into());
    };
    let mut digest = Digest::new();
    (0..request.args.count).for_each(|_| digest.push(content.into()));
    match reply.digest == digest.get() {
        true => Ok(()),
        false => Err(format!(
            "the guest read something else than {content:#x} from the register"
        )),
    }
}

/// The register of the local APIC holds the vector and the mask bit of what the
/// guest wrote last. While the APIC is off its entries stay masked.
fn last_written(call: &Call, request: Request, machine: &Machine, vcpu: usize) -> Result<(), Stop> {
    if call.proof.access != Access::RegisterWrite {
        return Ok(());
    }
    const VECTOR: u64 = 0xff;
    let args = request.args;
    let found = machine.lapic_register(vcpu, args.address)?;
    let last = truncate(value(args.seed, args.count - 1), 4);
    match u64::from(found) & VECTOR == last & VECTOR {
        true => Ok(()),
        false => Err(Stop::Unproved(format!(
            "the register holds {found:#x}, but {last:#x} was written last"
        ))),
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
    content(machine, call.pages(request))
}

/// The host finds each word at its guest-physical address.
pub(super) fn content(
    machine: &Machine,
    words: impl Iterator<Item = (u64, u64)>,
) -> Result<(), String> {
    for (address, expected) in words {
        let found: u64 = machine
            .memory()
            .read_obj(GuestAddress(address))
            .map_err(|e| format!("reading guest memory at {address:#x}: {e}"))?;
        if found != expected {
            return Err(format!(
                "the host reads {found:#x} at {address:#x} where {expected:#x} must be"
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
