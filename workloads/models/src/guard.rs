// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is checked in every cell before a number of it may be believed.

use crate::CellError;
use abi::{Args, Op, Request};
use observe::memory::{self, Backing};
use results::unit::Bytes;
use std::time::Duration;
use strategies::{GuestRam, Missing, PageSize, Strategy};
use vmm::{Device, Machine};

/// How long a guest may take for one answer. The longest honest one, a GiB of first touches
/// under emulation, takes a tenth of it.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// The most ticks that one iteration of `dec; jnz` may take. A core needs one
/// cycle or two, the lab two instructions; KVM's instruction emulator was seen
/// to need 2 800.
pub const TICKS_PER_ITERATION_MAX: u64 = 50;

/// How long the loop is: 10 µs when native, a blink when emulated.
const ITERATIONS: u64 = 20_000;

/// How often the loop may be tried: another program's turn on this CPU makes one
/// try look slow, an emulator makes all of them slow.
const TRIES: u32 = 5;

/// Refuses a guest whose instructions are emulated.
///
/// # Errors
/// [`CellError::Missing`], or what the machine failed at.
pub fn native(machine: &mut Machine) -> Result<(), CellError> {
    let args = Args {
        count: ITERATIONS,
        ..Args::default()
    };
    let request = Request { op: Op::Spin, args };
    let mut verdict = Ok(());
    for _ in 0..TRIES {
        let reply = match machine.call(request, &mut Device::new(0)) {
            Err(e) if e.is_internal() => return Err(CellError::Missing(gave_up())),
            reply => reply?,
        };
        let ticks = machine.samples(0, request, &reply)?.first().copied();
        verdict = native_at(ticks.unwrap_or(u64::MAX) / ITERATIONS);
        if verdict.is_ok() {
            break;
        }
    }
    verdict.map_err(CellError::Missing)
}

fn native_at(ticks: u64) -> Result<(), Missing> {
    if ticks <= TICKS_PER_ITERATION_MAX {
        return Ok(());
    }
    Err(Missing::new(
        format!(
            "guest instructions are emulated: {ticks} ticks for one iteration of a two-instruction loop, where {TICKS_PER_ITERATION_MAX} are allowed"
        ),
        "a KVM that runs the guest natively, or --on lab",
    ))
}

/// KVM's emulator came upon an instruction that it does not know: a guest that ran
/// natively would not have asked it.
fn gave_up() -> Missing {
    Missing::new(
        "guest instructions are emulated, and KVM's emulator lacks one of them (KVM_EXIT_INTERNAL_ERROR)",
        "a KVM that runs the guest natively, or --on lab",
    )
}

/// Refuses to begin what this machine has no memory for: the kernel would kill
/// something, and perhaps something else.
///
/// # Errors
/// [`CellError::Missing`].
pub fn memory(need: Bytes) -> Result<(), CellError> {
    match memory::available() {
        Some(free) => room_for(need, free).map_err(CellError::Missing),
        None => Ok(()),
    }
}

/// What the process and the kernel need besides the guest's memory: page
/// tables, samples.
const BESIDES: Bytes = Bytes::mib(64);

fn room_for(guest: Bytes, free: Bytes) -> Result<(), Missing> {
    let need = guest.0 + BESIDES.0;
    if free.0 >= need {
        return Ok(());
    }
    let (need, free) = (need >> 20, free.0 >> 20);
    Err(Missing::new(
        format!("not enough memory: {need} MiB needed, {free} MiB available"),
        "free some memory, or choose a smaller mem_mib",
    ))
}

/// Checks the page size that `strategy` promises; returns how many bytes of its
/// memory are mapped by huge pages.
///
/// # Errors
/// What its pages are instead.
pub fn page_size(strategy: &Strategy, ram: &GuestRam) -> Result<u64, String> {
    let address = ram.host_address().addr();
    let backing = memory::backing(address).ok_or("no line for guest memory in /proc/self/smaps")?;
    as_promised(strategy.page_size, backing)?;
    Ok(backing.huge.0)
}

/// Base pages must be all there is. Huge pages must be nearly all: a kernel that
/// finds no free one falls back to base pages without a word.
fn as_promised(promise: PageSize, backing: Backing) -> Result<(), String> {
    let (resident, huge) = (backing.resident.0, backing.huge.0);
    match promise {
        PageSize::Base if huge == 0 => Ok(()),
        PageSize::Base => Err(format!(
            "{huge} bytes of its memory are huge pages, not 4 KiB ones"
        )),
        PageSize::Huge if huge == 0 => Err("none of its memory is huge pages".into()),
        PageSize::Huge if huge * 20 >= resident * 19 => Ok(()),
        PageSize::Huge => Err(format!(
            "only {} of {} MiB are huge pages: the machine's memory is fragmented",
            huge >> 20,
            resident >> 20
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emulated_guest_is_refused() {
        assert!(native_at(2).is_ok());
        assert!(native_at(TICKS_PER_ITERATION_MAX).is_ok());
        let missing = native_at(2800).unwrap_err();
        assert!(
            missing
                .reason
                .starts_with("guest instructions are emulated: 2800 ticks")
        );
    }

    #[test]
    fn a_guest_without_room_is_refused() {
        assert!(room_for(Bytes::mib(64), Bytes::mib(128)).is_ok());
        let missing = room_for(Bytes::mib(1024), Bytes::mib(1000)).unwrap_err();
        assert_eq!(
            missing.reason,
            "not enough memory: 1088 MiB needed, 1000 MiB available"
        );
    }

    #[test]
    fn a_promise_of_huge_pages_is_not_kept_by_a_few() {
        let check = |promise, resident, huge, ok: bool| {
            let backing = Backing {
                resident: Bytes::mib(resident),
                huge: Bytes::mib(huge),
            };
            assert_eq!(as_promised(promise, backing).is_ok(), ok, "{backing:?}");
        };
        check(PageSize::Base, 64, 0, true);
        check(PageSize::Base, 64, 2, false);
        check(PageSize::Huge, 64, 64, true);
        check(PageSize::Huge, 64, 62, true);
        check(PageSize::Huge, 64, 2, false);
        check(PageSize::Huge, 64, 0, false);
    }
}
