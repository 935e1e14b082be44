// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The operations: one function each. Setting one up costs nothing that is
//! measured; between two readings of the TSC there is the operation alone.

// UNSAFETY: MMIO and ports have no safe form; addresses come from the host.
#![expect(unsafe_code)]

// One module for each file in `ops/`, found by the build script.
include!(concat!(env!("OUT_DIR"), "/ops.rs"));

use crate::{
    arch::ops as arch,
    memory::Words,
    samples::{Answer, Room},
};
use abi::{Op, Request, Status, layout};

/// The match over all operations: each has the arguments of its request and the room of
/// its vCPU, and says first how many samples it leaves.
macro_rules! dispatch {
    ($($(#[$doc:meta])* $name:ident = $number:literal => $($function:ident)::+,)*) => {
        /// Carries out `request`, leaving its samples in `room`.
        ///
        /// # Errors
        /// The [`Status`] to answer with, if the request cannot be carried out.
        ///
        /// # Safety
        /// The addresses of the request are mapped, for writing where the operation
        /// writes, and hold nothing that this program relies on. IOPL is 3.
        pub unsafe fn run(request: Request, room: Room) -> Answer {
            let args = request.args;
            // SAFETY: every operation needs what this function's contract gives.
            unsafe {
                match request.op {
                    $(Op::$name => $($function)::+(args, room),)*
                }
            }
        }
    };
}

abi::for_each_op!(dispatch);

/// Reads the request of `vcpu` from its command page, carries it out and
/// writes the reply.
///
/// # Safety
/// As [`run`], and the areas of [`layout`] are mapped.
pub unsafe fn serve(vcpu: u64) {
    // SAFETY: the layout is mapped, by the contract above.
    let (page, room) = unsafe {
        let samples = Words::new(layout::samples(vcpu), layout::SAMPLES_MAX);
        let scratch = Words::new(layout::scratch(vcpu), layout::PAGE / 8);
        (
            Words::new(layout::command(vcpu), abi::WORDS as u64),
            Room::new(samples, scratch),
        )
    };
    let words = core::array::from_fn(|i| page.get((abi::word::OP + i) as u64));
    let status = match Request::from_words(words) {
        // SAFETY: as above.
        Ok(request) => match unsafe { run(request, room) } {
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
    use abi::{Args, Digest, Reply, value};
    use std::{vec, vec::Vec};

    /// Runs `request` on memory of this process.
    fn check(op: Op, args: Args, room: usize) -> (Result<Reply, Status>, Vec<u64>) {
        let mut buffer = vec![7u64; room];
        let mut scratch = vec![0u64; 8];
        // SAFETY: the buffer outlives the call, and so does whatever memory the
        // callers below put into `args.address`.
        let reply = unsafe {
            let words = Words::new(buffer.as_mut_ptr().expose_provenance() as u64, room as u64);
            let scratch = Words::new(scratch.as_mut_ptr().expose_provenance() as u64, 8);
            run(Request { op, args }, Room::new(words, scratch))
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
            ..Args::default()
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
    fn a_touch_in_random_order_leaves_the_same_pages() {
        let mut arena = vec![0u64; 10 * 512];
        let address = arena.as_mut_ptr().expose_provenance() as u64;
        let args = Args {
            count: 10,
            batch: 1,
            address,
            stride: 4096,
            seed: 3,
            shuffle: 9,
            ..Args::default()
        };
        assert_eq!(check(Op::Touch, args, 10).0.unwrap().samples, 10);
        for (i, page) in arena.chunks(512).enumerate() {
            assert_eq!(page[0], value(3, i as u64));
        }
    }

    #[test]
    fn a_chase_passes_every_place_and_ends_where_it_must() {
        for stride in [64, 4096] {
            let mut arena = vec![0u64; 11 * 512];
            let args = Args {
                count: 3,
                batch: 16,
                address: arena.as_mut_ptr().expose_provenance() as u64,
                stride,
                width: 10,
                shuffle: 7,
                ..Args::default()
            };
            let reply = check(Op::Chase, args, 3).0.unwrap();
            assert_eq!(reply.samples, 3);
            assert_eq!(reply.out[..2], [10, abi::chase::after(&args, 48)]);
            assert_eq!(
                arena.iter().filter(|word| **word != 0).count(),
                10,
                "each place is its own"
            );
        }
        let args = Args::default();
        assert_eq!(check(Op::Chase, args, 3).0, Err(Status::BadArgs));
    }

    #[test]
    fn loads_have_the_width_that_was_asked_for() {
        let word = [0x1122_3344_5566_7788u64];
        let address = word.as_ptr().expose_provenance() as u64;
        for width in [1, 2, 4, 8] {
            let args = Args {
                count: 1,
                address,
                width,
                ..Args::default()
            };
            let mut digest = Digest::new();
            digest.push(abi::truncate(word[0], width));
            let reply = check(Op::MmioRead, args, 1).0.unwrap();
            assert_eq!(reply.digest, digest.get(), "{width} bytes");
        }
    }

    #[test]
    fn a_load_across_two_pages_loads() {
        let word = [0xdead_beefu64];
        let args = Args {
            count: 1,
            address: word.as_ptr().expose_provenance() as u64,
            ..Args::default()
        };
        let mut digest = Digest::new();
        digest.push(0xdead_beef);
        let reply = check(Op::MmioReadAcross, args, 1).0.unwrap();
        assert_eq!(reply.digest, digest.get());
    }

    #[test]
    fn string_instructions_move_every_value() {
        let device = [1u32, 2, 3, 4];
        let args = Args {
            count: 2,
            batch: 4,
            address: device.as_ptr().expose_provenance() as u64,
            ..Args::default()
        };
        let mut digest = Digest::new();
        (0..2).for_each(|_| device.iter().for_each(|v| digest.push((*v).into())));
        let (reply, _) = check(Op::MmioCopyIn, args, 2);
        assert_eq!(reply.unwrap().digest, digest.get());
        // 17 elements do not fit the 64 bytes of scratch.
        let args = Args { batch: 17, ..args };
        assert_eq!(check(Op::MmioCopyIn, args, 2).0, Err(Status::BadArgs));
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
