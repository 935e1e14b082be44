// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Turns a recorded run into something to read: a page, a mail, a table.
//!
//! Everything here is a pure function of [`results::Run`]: no clock, no disk, no
//! environment. The same record gives the same bytes, today and on another
//! machine, so that a report can be made again from the raw samples by whoever
//! doubts it, and so that tests compare whole documents.
//!
//! The way of a run: [`results::compare`] makes figures and ratios; `digest`
//! puts them in the order of a report and collects what every form must say
//! (holes, warnings, what moved); one file a [`Format`] writes it down. Records
//! are untrusted: each form escapes names for itself, and `clean` takes control
//! characters out of the finished document.
#![forbid(unsafe_code)]

mod answer;
mod bounce;
mod calibration;
mod choice;
mod clean;
mod counters;
mod detail;
mod digest;
mod direct_map;
mod error;
mod evidence;
mod export;
mod format;
mod gap;
mod grid;
mod number;
mod prose;
mod wrap;

mod figure;
mod html;
mod markdown;
mod matrix;
mod pivot;
mod samples;
mod terminal;
mod text;
mod tlb;

pub mod verdict;

pub use answer::{Question, columns, questions};
pub use calibration::calibration;
pub use error::Error;
pub use export::{Export, export};
pub use figure::{Figure, Worth, cost, figures};
pub use format::{Format, render};
pub use html::html;
pub use markdown::{markdown, overview_table};
pub use pivot::pivot;
pub use samples::write_samples;
pub use terminal::terminal;
pub use text::text;
