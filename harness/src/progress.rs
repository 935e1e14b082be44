// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How far the run is: a bar on a terminal, a line now and then elsewhere.

use crate::step::Step;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{IsTerminal, stderr},
    time::{Duration, Instant},
};

/// How long nothing is said where there is no terminal.
const QUIET: Duration = Duration::from_secs(5);

/// Progress on standard error.
pub(crate) struct Progress {
    bar: ProgressBar,
    lines: bool,
    begun: Instant,
    said: Option<Instant>,
}

impl Progress {
    /// For `steps`, of which none has begun.
    pub(crate) fn new<'a>(steps: impl Iterator<Item = &'a Step>) -> Self {
        let lines = !stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            Some(steps.count() as u64),
            match lines {
                true => ProgressDrawTarget::hidden(),
                false => ProgressDrawTarget::stderr_with_hz(10),
            },
        );
        let style = "{bar:24} {percent:>3} % · {eta} left · {msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Progress {
            bar,
            lines,
            begun: Instant::now(),
            said: None,
        }
    }

    /// `step` is about to begin.
    pub(crate) fn begin(&mut self, step: &Step) {
        let message = format!("{} block {} · {}", step.cell.testbed, step.block, step.cell);
        if self.lines && self.said.is_none_or(|t| t.elapsed() >= QUIET) {
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
            let seconds = self.begun.elapsed().as_secs();
            eprintln!("{done} of {all} cells in {seconds} s · {message}");
            self.said = Some(Instant::now());
        }
        self.bar.set_message(message);
    }

    /// `n` more steps have ended.
    pub(crate) fn advance(&self, n: usize) {
        self.bar.inc(n as u64);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
