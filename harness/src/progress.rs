// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How far the run is: a bar on a terminal, a line now and then elsewhere. Whether
//! anybody reads it decides nothing: what cannot be written is not said.

use crate::step::Step;
use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

/// How long nothing is said where there is no terminal.
const QUIET: Duration = Duration::from_secs(5);

/// How many columns the bar has.
const BAR: usize = 24;

/// Back to the beginning of the line, which is cleared.
const CLEAR: &str = "\r\x1b[K";

/// Progress on standard error.
pub(crate) struct Progress {
    done: usize,
    all: usize,
    message: String,
    terminal: bool,
    begun: Instant,
    said: Option<Instant>,
}

impl Progress {
    /// For `steps`, of which none has begun.
    pub(crate) fn new<'a>(steps: impl Iterator<Item = &'a Step>) -> Self {
        Progress {
            done: 0,
            all: steps.count(),
            message: String::new(),
            terminal: stderr().is_terminal(),
            begun: Instant::now(),
            said: None,
        }
    }

    /// `step` is about to begin.
    pub(crate) fn begin(&mut self, step: &Step) {
        self.message = format!("{} block {} · {}", step.cell.testbed, step.block, step.cell);
        if self.terminal {
            self.draw();
        } else if self.said.is_none_or(|t| t.elapsed() >= QUIET) {
            let seconds = self.begun.elapsed().as_secs();
            let (done, all) = (self.done, self.all);
            let _ = writeln!(
                stderr(),
                "{done} of {all} cells in {seconds} s · {}",
                self.message
            );
            self.said = Some(Instant::now());
        }
    }

    /// `n` more steps have ended.
    pub(crate) fn advance(&mut self, n: usize) {
        self.done += n;
        if self.terminal {
            self.draw();
        }
    }

    /// Nothing is to be seen any more.
    pub(crate) fn finish(&self) {
        if self.terminal {
            let _ = write!(stderr(), "{CLEAR}");
        }
    }

    fn draw(&self) {
        let columns = terminal_size::terminal_size_of(stderr()).map_or(80, |(w, _)| w.0.into());
        let line = line(self.done, self.all, self.begun.elapsed(), &self.message);
        // A line that wraps could not be cleared.
        let line: String = line.chars().take(columns).collect();
        let _ = write!(stderr(), "{CLEAR}{line}");
    }
}

/// A bar, the share that is done, the time that the rest takes at this speed, and what
/// is being done.
fn line(done: usize, all: usize, spent: Duration, message: &str) -> String {
    let share = done as f64 / all.max(1) as f64;
    let filled = (share * BAR as f64) as usize;
    let left = match done {
        0 => "?".to_string(),
        _ => clock(spent.mul_f64(all.saturating_sub(done) as f64 / done as f64)),
    };
    let bar: String = (0..BAR)
        .map(|i| if i < filled { '█' } else { '░' })
        .collect();
    let percent = (100.0 * share) as u32;
    format!("{bar} {percent:>3} % · {left} left · {message}")
}

/// `3h05m`, `2m07s`, `9s`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_how_far_it_is() {
        let check = |done, all, seconds, expected: &str| {
            let line = line(done, all, Duration::from_secs(seconds), "m");
            assert_eq!(line, format!("{expected} left · m"));
        };
        check(0, 4, 9, "░░░░░░░░░░░░░░░░░░░░░░░░   0 % · ?");
        check(1, 4, 9, "██████░░░░░░░░░░░░░░░░░░  25 % · 27s");
        check(4, 4, 9, "████████████████████████ 100 % · 0s");
        check(1, 4, 50, "██████░░░░░░░░░░░░░░░░░░  25 % · 2m30s");
        check(1, 4, 4000, "██████░░░░░░░░░░░░░░░░░░  25 % · 3h20m");
        check(0, 0, 0, "░░░░░░░░░░░░░░░░░░░░░░░░   0 % · ?");
    }
}
