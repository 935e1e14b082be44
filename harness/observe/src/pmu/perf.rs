// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The counters of this machine's PMU, by perf_event_open(2).

use super::{Counters, Reading, Side, event::Encoding};
use perf_event::Builder;
use std::io;

/// The kernel's perf events of the calling thread.
#[derive(Debug)]
pub struct Perf;

impl Counters for Perf {
    type Counter = perf_event::Counter;

    /// A pinned counter: it is on the PMU for as long as its thread runs, or reads end
    /// at once and say so. The kernel gives pinned ones their place in the order in which
    /// they were opened, and shares none out by turns.
    fn open(&self, what: Encoding, side: Side) -> io::Result<Self::Counter> {
        let mut builder = Builder::new();
        let attributes = builder.attrs_mut();
        attributes.type_ = what.kind;
        attributes.config = what.config;
        builder.pinned(true).include_kernel();
        match side {
            Side::Guest => builder.exclude_host(true),
            Side::Host => builder.exclude_guest(true),
        };
        builder.build()
    }

    fn start(&self, counter: &mut Self::Counter) -> io::Result<()> {
        counter.enable()
    }

    fn stop(&self, counter: &mut Self::Counter) -> io::Result<()> {
        counter.disable()
    }

    fn read(&self, counter: &mut Self::Counter) -> io::Result<Reading> {
        let read = counter.read_count_and_time()?;
        Ok(Reading {
            count: read.count,
            enabled: read.time_enabled,
            running: read.time_running,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The time that this thread runs, which every kernel with perf events counts.
    const TASK_CLOCK: Encoding = Encoding { kind: 1, config: 1 };

    #[test]
    fn the_kernel_counts_between_start_and_stop() {
        let count = || -> io::Result<(Reading, Reading)> {
            let mut counter = Perf.open(TASK_CLOCK, Side::Host)?;
            Perf.start(&mut counter)?;
            let spun = (0..1_000_000u64).fold(1, |a, i| std::hint::black_box(a ^ i));
            Perf.stop(&mut counter)?;
            let first = Perf.read(&mut counter)?;
            std::hint::black_box((0..spun).take(1_000_000).count());
            Ok((first, Perf.read(&mut counter)?))
        };
        match count() {
            Ok((first, second)) => {
                assert!(first.count > 0, "{first:?}");
                assert_eq!(first.running, first.enabled);
                assert_eq!(first, second, "it went on after it was stopped");
            }
            // A sandbox may forbid it, and then the kernel says so by one of these.
            Err(e) => {
                let known = [libc::EACCES, libc::EPERM, libc::ENOSYS];
                assert!(e.raw_os_error().is_some_and(|n| known.contains(&n)), "{e}");
            }
        }
    }
}
