// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Counters that show what was written down before, so that all that is made of counts
//! is tested where there is no PMU.

use super::{Counters, Reading, Side, event::Encoding};
use std::{cell::RefCell, io};

/// What a kernel does with one event: refuse it, find no place for it, or show readings
/// one after the other.
#[derive(Clone, Debug)]
pub(super) enum Script {
    Refuse(i32),
    NoPlace,
    Show(Vec<Reading>),
}

/// Counters by a table; the last entry that fits is used.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    table: Vec<(Option<Encoding>, Option<Side>, Script)>,
    /// Everything that was done, in order.
    log: RefCell<Vec<String>>,
}

impl Recorded {
    /// Every event of every side does as `script` says.
    pub(super) fn all(script: Script) -> Self {
        Recorded::default().but(None, None, script)
    }

    /// But `what`, or everything, on `side`, or both, does as `script` says.
    pub(super) fn but(
        mut self,
        what: Option<Encoding>,
        side: Option<Side>,
        script: Script,
    ) -> Self {
        self.table.push((what, side, script));
        self
    }

    /// What was done since this was last asked.
    pub(super) fn log(&self) -> Vec<String> {
        self.log.take()
    }

    fn note(&self, did: &str, counter: &Counter) {
        let (what, side) = (counter.what, counter.side.name());
        self.log.borrow_mut().push(format!("{did} {side} {what}"));
    }
}

/// One of them.
#[derive(Debug)]
pub(super) struct Counter {
    what: Encoding,
    side: Side,
    started: bool,
    script: Script,
}

impl Counters for Recorded {
    type Counter = Counter;

    fn open(&self, what: Encoding, side: Side) -> io::Result<Counter> {
        let fits = |(w, s, _): &&(Option<Encoding>, Option<Side>, Script)| {
            w.is_none_or(|w| w == what) && s.is_none_or(|s| s == side)
        };
        let script = self.table.iter().rev().find(fits);
        let script = script.map_or(Script::NoPlace, |(_, _, script)| script.clone());
        if let Script::Refuse(errno) = script {
            return Err(io::Error::from_raw_os_error(errno));
        }
        let counter = Counter {
            what,
            side,
            started: false,
            script,
        };
        self.note("open", &counter);
        Ok(counter)
    }

    fn start(&self, counter: &mut Counter) -> io::Result<()> {
        self.note("start", counter);
        counter.started = true;
        Ok(())
    }

    fn stop(&self, counter: &mut Counter) -> io::Result<()> {
        self.note("stop", counter);
        counter.started = false;
        Ok(())
    }

    fn read(&self, counter: &mut Counter) -> io::Result<Reading> {
        assert!(!counter.started, "{counter:?} is read while it counts");
        match &mut counter.script {
            Script::Show(readings) if !readings.is_empty() => Ok(readings.remove(0)),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
