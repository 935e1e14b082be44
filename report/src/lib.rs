// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Turns a recorded run into something to read: a page, a mail, a table.
//!
//! Everything here is a pure function of [`results::Run`]: no clock, no disk, no
//! environment. The same record gives the same bytes, today and on another machine, so that
//! anybody who doubts a report can make it again from the raw samples, and so that tests
//! compare whole documents.
//!
//! The way of a run: [`results::compare`] makes figures and ratios; `model` puts them in the
//! order of a report; `sections` says what is to be read, a file a section, in the blocks of
//! `document`; `write` writes blocks down, a file a format. Records are untrusted: each
//! writer escapes names for itself, and `clean` takes control characters out of the
//! finished document.
#![forbid(unsafe_code)]

mod choice;
mod clean;
mod error;
mod number;
mod shell;
mod wrap;

mod document;
mod shape;

mod bounce;
mod chase;
mod counters;
mod evidence;
mod missing;
mod model;
mod prose;
mod samples;

mod calibration;
mod export;
mod figure;
mod sections;
mod write;

mod format;
mod readme;

pub mod verdict;

pub use calibration::calibration;
pub use document::{Figure, Worth};
pub use error::Error;
pub use export::{Export, export};
pub use figure::{cost, figures};
pub use format::{Format, html, markdown, render, terminal, text};
pub use readme::{overview_table, pivot};
pub use samples::write_samples;
pub use sections::{Question, columns, questions};
