// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A counter of the PMU: what a source of them can do, and what one shows.

use super::{Absence, event::Encoding};
use std::io;

/// Whose events are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The guest's alone.
    Guest,
    /// All but the guest's.
    Host,
}

impl Side {
    pub(super) const BOTH: [Side; 2] = [Side::Guest, Side::Host];

    pub(super) fn name(self) -> &'static str {
        match self {
            Side::Guest => "guest",
            Side::Host => "host",
        }
    }
}

/// What one counter shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Events since it was opened, while it was started.
    pub count: u64,
    /// Nanoseconds for which it was started and its thread ran.
    pub enabled: u64,
    /// Nanoseconds of them for which it was on the PMU.
    pub running: u64,
}

impl Reading {
    /// The count, if it was on the PMU for as good as all the time: to a thousandth,
    /// which is less than starting and stopping takes.
    pub(super) fn whole(self) -> Result<u64, Absence> {
        let (running, enabled) = (u128::from(self.running), u128::from(self.enabled));
        match running > 0 && running * 1000 >= enabled * 999 {
            true => Ok(self.count),
            false => Err(Absence::Partial {
                percent: (running * 100 / enabled.max(1)) as u64,
            }),
        }
    }
}

/// A source of counters.
pub trait Counters {
    /// A counter of the thread that opened it.
    type Counter;

    /// Opens a counter of `what` on `side`, at rest.
    ///
    /// # Errors
    /// What the kernel says.
    fn open(&self, what: Encoding, side: Side) -> io::Result<Self::Counter>;

    /// Lets it count.
    ///
    /// # Errors
    /// What the kernel says.
    fn start(&self, counter: &mut Self::Counter) -> io::Result<()>;

    /// Stops it.
    ///
    /// # Errors
    /// What the kernel says.
    fn stop(&self, counter: &mut Self::Counter) -> io::Result<()>;

    /// What it counted so far.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if there was no place for it on the PMU.
    fn read(&self, counter: &mut Self::Counter) -> io::Result<Reading>;
}
