// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How far the run is: a bar on a terminal, a line a block elsewhere.

use crate::probe::Probed;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use results::{Cell, cell::Group};
use std::{
    io::{IsTerminal, stderr},
    time::Instant,
};

/// Progress on standard error.
pub(crate) struct Progress {
    bar: ProgressBar,
    lines: bool,
    blocks: u32,
    block: Option<u32>,
    begun: Instant,
}

impl Progress {
    /// For one warm-up and `blocks` blocks of every able strategy and group.
    pub(crate) fn new(groups: &[Group], probed: &[Probed], blocks: u32) -> Self {
        let able = probed.iter().filter(|p| p.refusal.is_none()).count();
        let cells = (groups.len() * able) as u64 * (u64::from(blocks) + 1);
        let lines = !stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            Some(cells),
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
            blocks,
            block: None,
            begun: Instant::now(),
        }
    }

    pub(crate) fn begin(&mut self, block: u32, cell: &Cell) {
        self.bar
            .set_message(format!("block {block}/{} · {cell}", self.blocks));
        if self.lines && self.block != Some(block) {
            let seconds = self.begun.elapsed().as_secs();
            match block {
                0 => eprintln!(
                    "warm-up block of {} cells",
                    self.bar.length().unwrap_or(0) / (u64::from(self.blocks) + 1)
                ),
                n => eprintln!("block {n} of {} · {seconds} s so far", self.blocks),
            }
        }
        self.block = Some(block);
    }

    pub(crate) fn end(&self) {
        self.bar.inc(1);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
