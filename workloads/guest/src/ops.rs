// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The operations: one function each. Setting one up costs nothing that is
//! measured; between two readings of the TSC there is the operation alone.

// UNSAFETY: MMIO and ports have no safe form; addresses come from the host.
#![expect(unsafe_code)]

use crate::{
    asm,
    memory::Words,
    pvclock::{self, Snapshot},
    samples::Samples,
};
use abi::{Args, Digest, Op, Reply, Request, Status, layout, port, value};

/// Carries out `request`, leaving its samples in `buffer`.
///
/// # Errors
/// The [`Status`] to answer with, if the request cannot be carried out.
///
/// # Safety
/// The addresses of the request are mapped, for writing where the operation
/// writes, and hold nothing that this program relies on.
pub unsafe fn run(request: Request, buffer: Words) -> Result<Reply, Status> {
    let args = request.args;
    let wanted = match request.op {
        Op::Spin => 1,
        Op::Touch => args.count.div_ceil(args.batch.max(1)),
        Op::Sum | Op::Hang | Op::Panic => 0,
        Op::MmioRead | Op::MmioWrite | Op::PortRead | Op::Tsc | Op::Pvclock | Op::PvclockUpdate => {
            args.count
        }
    };
    if wanted > buffer.len() {
        return Err(Status::BadArgs);
    }
    let mut samples = Samples::new(buffer, wanted);
    let s = &mut samples;
    // SAFETY: every operation below needs what this function's contract gives.
    let (digest, out) = unsafe {
        match request.op {
            Op::Spin => spin(args, s),
            Op::MmioRead => exchange(args, s, |_| asm::load_u32(args.address)),
            Op::MmioWrite => exchange(args, s, |v| {
                asm::store_u32(args.address, v);
                v
            }),
            Op::PortRead => exchange(args, s, |_| asm::in_u32::<{ port::DATA as u8 }>()),
            Op::Tsc => tsc(args, s),
            Op::Pvclock => pvclock(args, s),
            Op::PvclockUpdate => pvclock_update(args, s),
            Op::Touch => touch(args, s),
            Op::Sum => sum(args),
            Op::Hang => hang(),
            Op::Panic => panic!("asked to, with seed {}", args.seed),
        }
    };
    Ok(Reply {
        digest,
        samples: samples.len(),
        out,
    })
}

type Answer = (u64, [u64; 4]);

fn spin(args: Args, samples: &mut Samples) -> Answer {
    let before = asm::tsc();
    asm::spin(args.count);
    samples.push(asm::tsc() - before);
    (0, [0; 4])
}

/// `count` timed calls of `access`, each handed the next value of the sequence;
/// the digest is over what each returned.
#[inline(always)]
fn exchange(args: Args, samples: &mut Samples, access: impl Fn(u32) -> u32) -> Answer {
    let mut digest = Digest::new();
    for i in 0..args.count {
        let sent = value(args.seed, i) as u32;
        let before = asm::tsc();
        let seen = access(sent);
        let after = asm::tsc();
        samples.push(after - before);
        digest.push(seen.into());
    }
    (digest.get(), [0; 4])
}

fn tsc(args: Args, samples: &mut Samples) -> Answer {
    let (mut last, mut backwards) = (0, 0);
    for _ in 0..args.count {
        let before = asm::tsc();
        for _ in 0..args.batch {
            let now = asm::tsc();
            backwards += u64::from(now < last);
            last = now;
        }
        samples.push(asm::tsc() - before);
    }
    (0, [backwards, 0, 0, 0])
}

/// # Safety
/// A pvclock structure is mapped at `args.address`.
unsafe fn pvclock(args: Args, samples: &mut Samples) -> Answer {
    // SAFETY: by the contract above; only read.
    let page = unsafe { Words::new(args.address, pvclock::WORDS) };
    let read = || Snapshot::read(&page).at(asm::tsc());
    let first = read();
    let (mut last, mut backwards) = (first, 0);
    for _ in 0..args.count {
        let before = asm::tsc();
        for _ in 0..args.batch {
            let now = read();
            backwards += u64::from(now < last);
            last = now;
        }
        samples.push(asm::tsc() - before);
    }
    let version = Snapshot::read(&page).version().into();
    (0, [first, last, backwards, version])
}

/// # Safety
/// A pvclock structure is mapped at `args.address`, and IOPL is 3.
unsafe fn pvclock_update(args: Args, samples: &mut Samples) -> Answer {
    // SAFETY: by the contract above; only read.
    let page = unsafe { Words::new(args.address, pvclock::WORDS) };
    let mut digest = Digest::new();
    let mut version = Snapshot::read(&page).version();
    let first = Snapshot::read(&page).at(asm::tsc());
    let (mut last, mut missed) = (first, 0);
    for _ in 0..args.count {
        let before = asm::tsc();
        // SAFETY: by the contract above.
        let seen = unsafe { asm::in_u32::<{ port::DATA as u8 }>() };
        let clock = Snapshot::read(&page);
        last = clock.at(asm::tsc());
        samples.push(asm::tsc() - before);
        digest.push(seen.into());
        missed += u64::from(clock.version() == version);
        version = clock.version();
    }
    (digest.get(), [first, last, missed, version.into()])
}

/// # Safety
/// The pages are mapped and ours to write.
unsafe fn touch(args: Args, samples: &mut Samples) -> Answer {
    let every = args.batch.max(1);
    let begin = asm::tsc();
    for i in 0..args.count {
        // SAFETY: by the contract above.
        let page = unsafe { Words::new(args.address + i * args.stride, 1) };
        if i % every == 0 {
            let before = asm::tsc();
            page.set(0, value(args.seed, i));
            samples.push(asm::tsc() - before);
        } else {
            page.set(0, value(args.seed, i));
        }
    }
    (0, [asm::tsc() - begin, 0, 0, 0])
}

/// # Safety
/// The pages are mapped.
unsafe fn sum(args: Args) -> Answer {
    let mut digest = Digest::new();
    for i in 0..args.count {
        // SAFETY: by the contract above; only read.
        digest.push(unsafe { Words::new(args.address + i * args.stride, 1) }.get(0));
    }
    (digest.get(), [0; 4])
}

fn hang() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Reads the request of `vcpu` from its command page, carries it out and
/// writes the reply.
///
/// # Safety
/// As [`run`], and the areas of [`layout`] are mapped.
pub unsafe fn serve(vcpu: u64) {
    // SAFETY: the layout is mapped, by the contract above.
    let (page, buffer) = unsafe {
        (
            Words::new(layout::command(vcpu), abi::WORDS as u64),
            Words::new(layout::samples(vcpu), layout::SAMPLES_MAX),
        )
    };
    let words = core::array::from_fn(|i| page.get((abi::word::OP + i) as u64));
    let status = match Request::from_words(words) {
        // SAFETY: as above.
        Ok(request) => match unsafe { run(request, buffer) } {
            Ok(reply) => {
                page.set(abi::word::DIGEST as u64, reply.digest);
                page.set(abi::word::SAMPLES as u64, reply.samples);
                for (i, out) in (abi::word::OUT as u64..).zip(reply.out) {
                    page.set(i, out);
                }
                Status::Done
            }
            Err(status) => status,
        },
        Err(_) => Status::UnknownOp,
    };
    page.set(abi::word::STATUS as u64, status as u64);
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{vec, vec::Vec};

    /// Runs `request` on memory of this process.
    fn check(op: Op, args: Args, room: usize) -> (Result<Reply, Status>, Vec<u64>) {
        let mut buffer = vec![7u64; room];
        // SAFETY: the buffer outlives the call, and so does whatever memory the
        // callers below put into `args.address`.
        let reply = unsafe {
            let words = Words::new(buffer.as_mut_ptr().expose_provenance() as u64, room as u64);
            run(Request { op, args }, words)
        };
        (reply, buffer)
    }

    #[test]
    fn touch_writes_each_page_and_samples_every_batch() {
        let mut arena = vec![0u64; 10 * 512];
        let address = arena.as_mut_ptr().expose_provenance() as u64;
        let args = Args {
            count: 10,
            batch: 4,
            address,
            stride: 4096,
            seed: 3,
        };
        let (reply, _) = check(Op::Touch, args, 3);
        assert_eq!(reply.unwrap().samples, 3);
        for (i, page) in arena.chunks(512).enumerate() {
            assert_eq!(page[0], value(3, i as u64));
        }
        let mut digest = Digest::new();
        (0..10).for_each(|i| digest.push(value(3, i)));
        assert_eq!(check(Op::Sum, args, 0).0.unwrap().digest, digest.get());
    }

    #[test]
    fn more_samples_than_fit_are_refused_before_anything_runs() {
        let args = Args {
            count: 5,
            batch: 1,
            ..Args::default()
        };
        assert_eq!(check(Op::Tsc, args, 4), (Err(Status::BadArgs), vec![7; 4]));
    }

    #[test]
    fn clock_reads_leave_a_sample_a_batch() {
        let args = Args {
            count: 4,
            batch: 8,
            ..Args::default()
        };
        let (reply, samples) = check(Op::Tsc, args, 4);
        assert_eq!(
            reply.unwrap(),
            Reply {
                digest: 0,
                samples: 4,
                out: [0; 4]
            }
        );
        assert!(samples.iter().all(|s| *s > 0));
    }

    #[test]
    fn a_kvm_clock_that_ticks_is_read_forwards() {
        // version 2, timestamp 0, system time 0, one nanosecond a tick.
        let page = [2u64, 0, 0, 1 << 31 | 1 << 32];
        let address = page.as_ptr().expose_provenance() as u64;
        let args = Args {
            count: 2,
            batch: 5,
            address,
            ..Args::default()
        };
        let [first, last, backwards, version] = check(Op::Pvclock, args, 2).0.unwrap().out;
        assert!(first < last && backwards == 0 && version == 2);
    }
}
