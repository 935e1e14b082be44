// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is to be done, fixed before anything is: the cells, and the order of
//! the arms within each block.

use crate::exit::Failure;
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use results::{Cell, Plan, Testbed, cell::Group, run::StrategyInfo};
use strategies::{Strategy, registry};
use workloads::{Profile, Workload};

/// What a command line selects.
#[derive(Debug)]
pub struct Selection {
    /// In registry order.
    pub strategies: Vec<&'static Strategy>,
    /// In definition order.
    pub workloads: Vec<Workload>,
    /// Which parameters.
    pub profile: Profile,
    /// How many blocks count.
    pub blocks: u32,
    /// The seed of the order.
    pub seed: u64,
}

/// The strategies called `names`, in registry order; all if there are none.
///
/// # Errors
/// [`Failure::Usage`] for the first unknown name, with the nearest known one.
pub fn strategies(names: &[String]) -> Result<Vec<&'static Strategy>, Failure> {
    let known = || registry::ALL.iter().map(|s| s.name);
    for name in names {
        if registry::find(name).is_none() {
            let nearest = workloads::nearest(name, known());
            let hint = nearest
                .map(|n| format!(" (did you mean {n}?)"))
                .unwrap_or_default();
            let all = known().collect::<Vec<_>>().join(", ");
            return Err(Failure::Usage(format!(
                "unknown strategy {name:?}{hint}; strategies are {all}"
            )));
        }
    }
    let chosen = |s: &&&Strategy| names.is_empty() || names.iter().any(|n| n == s.name);
    Ok(registry::ALL.iter().filter(chosen).copied().collect())
}

impl Selection {
    /// The plan for `testbed`, as it is recorded.
    pub fn plan(&self, testbed: Testbed) -> Plan {
        let mut cells = Vec::new();
        for group in self.groups(testbed) {
            cells.extend(self.strategies.iter().map(|s| cell(&group, s)));
        }
        Plan {
            seed: self.seed,
            profile: self.profile.name().to_string(),
            blocks: self.blocks,
            // All of them, so that a strategy's colour and place in a report do
            // not depend on what else was selected.
            strategies: registry::ALL.iter().map(|s| info(s)).collect(),
            workloads: self.workloads.iter().map(Workload::info).collect(),
            cells,
        }
    }

    /// What is compared: each workload with each combination of parameters.
    pub fn groups(&self, testbed: Testbed) -> Vec<Group> {
        let of = |w: &Workload| {
            let id = w.id.clone();
            w.cells(self.profile).into_iter().map(move |params| Group {
                testbed,
                workload: id.clone(),
                params,
            })
        };
        self.workloads.iter().flat_map(of).collect()
    }
}

fn info(s: &Strategy) -> StrategyInfo {
    StrategyInfo {
        name: s.name.to_string(),
        about: s.about.to_string(),
        isolating: s.isolating,
    }
}

/// The cell of `strategy` in `group`.
pub fn cell(group: &Group, strategy: &Strategy) -> Cell {
    Cell {
        testbed: group.testbed,
        strategy: strategy.name.to_string(),
        workload: group.workload.clone(),
        params: group.params.clone(),
    }
}

/// The order of `arms` in `block` of group number `group`: a function of the
/// seed and the two numbers alone, so that a run can be repeated and any part
/// of it be repeated by itself.
pub fn order<T: Copy>(arms: &[T], seed: u64, group: usize, block: u32) -> Vec<T> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream((group as u64) << 32 | u64::from(block));
    let mut order = arms.to_vec();
    order.shuffle(&mut random);
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_order_is_random_and_repeatable() {
        let arms = ["a", "b", "c", "d"];
        let orders: Vec<_> = (0..200).map(|block| order(&arms, 7, 0, block)).collect();
        assert_eq!(
            orders,
            (0..200)
                .map(|block| order(&arms, 7, 0, block))
                .collect::<Vec<_>>()
        );
        assert_ne!(
            orders,
            (0..200)
                .map(|block| order(&arms, 8, 0, block))
                .collect::<Vec<_>>()
        );
        assert_ne!(
            orders,
            (0..200)
                .map(|block| order(&arms, 7, 1, block))
                .collect::<Vec<_>>()
        );
        // Every arm comes first in about a quarter of the blocks.
        for arm in arms {
            let first = orders.iter().filter(|o| o[0] == arm).count();
            assert!(
                (30..=70).contains(&first),
                "{arm} is first {first} times in 200"
            );
        }
        let distinct: BTreeSet<_> = orders.iter().collect();
        assert_eq!(distinct.len(), 24);
    }

    /// Recorded seeds must mean the same order for ever.
    #[test]
    fn the_order_is_stable_between_versions() {
        assert_eq!(order(&[0, 1, 2, 3, 4], 1, 2, 3), [4, 1, 2, 3, 0]);
    }

    #[test]
    fn unknown_strategies_get_a_suggestion() {
        let error = strategies(&["memfd-sekret".into()])
            .unwrap_err()
            .to_string();
        assert!(error.contains("did you mean memfd-secret?"), "{error}");
        assert_eq!(strategies(&[]).unwrap().len(), registry::ALL.len());
        let two = strategies(&["memfd".into(), "anon".into()]).unwrap();
        assert_eq!(
            two.iter().map(|s| s.name).collect::<Vec<_>>(),
            ["anon", "memfd"]
        );
    }
}
