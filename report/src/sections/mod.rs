// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a report says of a run, a file a section. A section is a function of the compared
//! record; how its blocks look is for the writers to say. To add one, write a file with
//! such a function and name it in a list below.

mod backends;
mod bounce;
mod catalogue;
mod cautions;
mod counts;
mod coverage;
mod detail;
mod direct_map;
mod families;
mod glance;
mod interference;
mod isolation;
mod machine;
mod misses;
mod missing;
mod moved;
mod overview;
mod questions;
mod reach;
mod reproduce;
mod said;
mod shootdowns;
mod shown;
mod sweep;
mod testbed;
mod threats;
mod title;
mod translation;
mod uncounted;

pub use catalogue::{Question, columns, questions};
pub(crate) use overview::every_workload;

use crate::{
    document::{Block, Document},
    model::Model,
};

type Section = fn(&Model<'_>) -> Vec<Block>;

/// What is read first, in order.
const LEAD: [Section; 3] = [title::section, cautions::section, glance::section];

/// All else, in order.
const BODY: [Section; 9] = [
    questions::section,
    moved::section,
    overview::section,
    coverage::section,
    missing::section,
    threats::section,
    machine::section,
    reproduce::section,
    families::section,
];

/// The report on a run.
pub(crate) fn report(model: &Model<'_>) -> Document {
    let all = |sections: &[Section]| sections.iter().flat_map(|of| of(model)).collect();
    Document {
        lead: all(&LEAD),
        body: all(&BODY),
    }
}
