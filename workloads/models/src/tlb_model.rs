// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab's TLB model, seen from inside: a window of a measurement is marked, and the
//! model, if there is one, says what it counted in it.

use abi::tlb;
use results::{counter, record::Counters};
use serde::{Deserialize, Serialize};
use vmm::ModelCounts;

/// What a row calls it that lacks its counts.
pub(crate) const NAME: &str = counter::model::ORIGIN.word;

/// What the names of its counters begin with.
pub const PREFIX: &str = counter::model::ORIGIN.prefix;

/// Whether the machine that a cell runs on models TLBs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlbModel {
    /// It was not asked for.
    #[default]
    Unasked,
    /// It does.
    Here,
    /// It was asked for and is not there: the reason.
    Absent(String),
}

impl TlbModel {
    /// It was not asked for, which is not worth a word.
    pub fn is_unasked(&self) -> bool {
        *self == TlbModel::Unasked
    }

    /// Begins a window. Windows do not overlap, and what runs on other CPUs meanwhile
    /// is counted as well.
    pub(crate) fn begin(&self) -> Window {
        Window(match self {
            TlbModel::Here => Some(ModelCounts::new()).filter(|tally| tally.begin()),
            TlbModel::Unasked | TlbModel::Absent(_) => None,
        })
    }

    /// Why `counters` have nothing of it, though it was asked for.
    pub(crate) fn silence(&self, counters: &Counters) -> Option<String> {
        if counters.keys().any(|name| name.starts_with(PREFIX)) {
            return None;
        }
        match self {
            TlbModel::Unasked => None,
            TlbModel::Absent(why) => Some(why.clone()),
            TlbModel::Here => Some("the model did not answer the cell".into()),
        }
    }
}

/// A window that was begun.
#[must_use]
pub(crate) struct Window(Option<Box<ModelCounts>>);

impl Window {
    /// Ends it: the counts, by `model.<space>.<count>`; none without a model.
    pub(crate) fn end(self) -> Counters {
        let counted = self.0.and_then(|tally| tally.end());
        counted.map_or_else(Counters::new, |words| named(&words))
    }
}

fn named(words: &[u64; tlb::WORDS - tlb::FIRST]) -> Counters {
    let count = |space: &'static str| tlb::COUNTS.map(|count| format!("{PREFIX}{space}.{count}"));
    let names = tlb::SPACES.into_iter().flat_map(count);
    let rest = ["unresolved", "flushed_all"].map(|name| format!("{PREFIX}{name}"));
    names.chain(rest).zip(words.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_name() {
        let counters = named(&std::array::from_fn(|i| i as u64 + tlb::FIRST as u64));
        let check = |name: &str, at: usize| assert_eq!(counters[name], at as u64, "{name}");
        check("model.kernel.accesses", tlb::FIRST);
        check("model.user.l2_misses", tlb::FIRST + 6);
        check("model.guest.walk_steps", tlb::UNRESOLVED - 1);
        check("model.unresolved", tlb::UNRESOLVED);
        check("model.flushed_all", tlb::FLUSHED_ALL);
        assert_eq!(counters.len(), tlb::WORDS - 1);
    }

    /// The tests run where there is none.
    #[test]
    fn silence_is_explained_if_it_was_asked_for() {
        let check = |model: TlbModel, expected: Option<&str>| {
            let counters = model.begin().end();
            assert_eq!(counters, Counters::new());
            assert_eq!(model.silence(&counters).as_deref(), expected);
        };
        check(TlbModel::Unasked, None);
        check(TlbModel::Absent("no QEMU".into()), Some("no QEMU"));
        check(TlbModel::Here, Some("the model did not answer the cell"));
        let some: Counters = [("model.user.accesses".to_string(), 1)].into();
        assert_eq!(TlbModel::Here.silence(&some), None);
    }
}
