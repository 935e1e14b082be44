// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Verdicts on two runs. `view` is what a reader sees, made once; `words` what a metric
//! says; `sections` turns both into a document, which the writers of reports write down.
//! What programs read has a file each.

mod pair;
mod words;

mod counts;
mod heads;
mod losses;
mod stat;
mod view;

mod csv;
mod github;
mod json;
mod sections;

mod form;

pub use form::{Form, render};
pub use pair::{Pair, Scope};
