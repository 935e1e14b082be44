// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Answers that are more than tables of arms, by the word with which a question asks for
//! them: `shows = "isolation"`.

use super::{
    backends, direct_map, interference, isolation, reach, said::Said, shootdowns, testbed,
};
use crate::model::{Bed, Model};

/// What a testbed says. The words are the ids of the question's workloads.
pub(super) type Shows = fn(&Model<'_>, &Bed<'_>, &[&str]) -> Said;

/// Every such answer.
pub(super) const ALL: [(&str, Shows); 7] = [
    ("isolation", isolation::answer),
    ("backends", backends::answer),
    ("direct-map", direct_map::answer),
    ("shootdowns", shootdowns::answer),
    ("interference", interference::answer),
    ("translation", reach::answer),
    ("testbed", testbed::answer),
];

/// The answer called `name`.
pub(super) fn named(name: &str) -> Option<Shows> {
    let found = ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, shows)| *shows)
}
