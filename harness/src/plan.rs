// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is to be done, fixed before anything is: the cells, and the order of
//! the arms within each block.

use crate::{cell::Job, exit::Failure};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use results::{
    Audit, Cell, Plan, Testbed,
    audit::Finding,
    cell::{Group, ParamValue, Params},
    run::StrategyInfo,
};
use strategies::{Mode, Strategy, registry};
use workloads::{Profile, Workload};

/// Where cells run: a testbed, and for a lab of somebody else's kernels, which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bed {
    /// The testbed.
    pub testbed: Testbed,
    /// What tells this kernel from the others of the run; `None` if it is ours.
    pub kernel: Option<String>,
}

impl Bed {
    /// `testbed`, with its own kernel.
    pub fn of(testbed: Testbed) -> Self {
        Bed {
            testbed,
            kernel: None,
        }
    }
}

/// The parameter of every lab cell that says how many CPUs the lab has.
pub const LAB_CPUS: &str = "lab_cpus";

/// What a command line selects.
#[derive(Debug)]
pub struct Selection {
    /// In registry order.
    pub strategies: Vec<&'static Strategy>,
    /// Whether each strategy runs in every mode or in its default one only.
    pub all_modes: bool,
    /// In definition order.
    pub workloads: Vec<Workload>,
    /// Which parameters.
    pub profile: Profile,
    /// How many blocks count, if the command line says so.
    pub blocks: Option<u32>,
    /// How many CPUs the lab has; one group each.
    pub lab_cpus: Vec<u64>,
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
    /// The plan for `beds`, as it is recorded.
    pub fn plan(&self, beds: &[Bed]) -> Plan {
        let mut cells = Vec::new();
        for group in beds.iter().flat_map(|bed| self.groups(bed)) {
            cells.extend(self.arms().iter().map(|arm| arm.cell(&group)));
        }
        Plan {
            seed: self.seed,
            profile: self.profile.name().to_string(),
            blocks: beds
                .iter()
                .map(|b| self.blocks(b.testbed))
                .max()
                .unwrap_or(0),
            // All of them, so that a strategy's colour and place in a report do
            // not depend on what else was selected.
            strategies: registry::ALL.iter().map(|s| info(s)).collect(),
            workloads: self.workloads.iter().map(Workload::info).collect(),
            cells,
        }
    }

    /// What is compared with one another, the default mode of each strategy
    /// before its others.
    pub fn arms(&self) -> Vec<Arm> {
        let of = |strategy: &&'static Strategy| {
            let modes = strategy.modes().into_iter();
            let strategy = *strategy;
            modes
                .filter(|mode| self.all_modes || mode.is_empty())
                .map(move |mode| Arm { strategy, mode })
                .collect::<Vec<_>>()
        };
        self.strategies.iter().flat_map(of).collect()
    }

    /// Every cell of every block in the order in which they are to be carried
    /// out: block by block, group by group, the arms of each group shuffled. On
    /// a machine that measures time block 0 is the warm-up; one that counts
    /// instructions has none, and starts with block 1.
    pub fn steps(&self, bed: &Bed, arms: &[Arm]) -> Vec<Step> {
        let first = u32::from(bed.testbed == Testbed::Lab);
        let groups = self.groups(bed);
        let mut steps = Vec::new();
        let arms: Vec<_> = arms.iter().collect();
        for block in first..=self.blocks(bed.testbed) {
            for (number, group) in groups.iter().enumerate() {
                let order = order(&arms, self.seed, number, block);
                steps.extend((0..).zip(order).map(|(order, arm)| Step {
                    cell: arm.cell(group),
                    block,
                    order,
                }));
            }
        }
        steps
    }

    /// How many blocks count on `testbed`. Where there is no noise, one does,
    /// unless more were asked for.
    pub fn blocks(&self, testbed: Testbed) -> u32 {
        match testbed {
            Testbed::Lab => self.blocks.unwrap_or(1),
            Testbed::Host | Testbed::Fake => self.blocks.unwrap_or(self.profile.blocks()),
        }
    }

    /// What is compared: each workload with each combination of parameters.
    pub fn groups(&self, bed: &Bed) -> Vec<Group> {
        let group = |w: &Workload, params: &Params| Group {
            testbed: bed.testbed,
            workload: w.id.clone(),
            params: params.clone(),
        };
        let mut groups = Vec::new();
        for w in &self.workloads {
            for mut params in w.cells(self.profile, bed.testbed) {
                if let Some(kernel) = &bed.kernel {
                    params.insert("kernel".into(), ParamValue::Text(kernel.clone()));
                }
                if bed.testbed != Testbed::Lab {
                    groups.push(group(w, &params));
                    continue;
                }
                for cpus in &self.lab_cpus {
                    params.insert(LAB_CPUS.into(), ParamValue::Int(*cpus));
                    groups.push(group(w, &params));
                }
            }
        }
        groups
    }
}

fn info(s: &Strategy) -> StrategyInfo {
    StrategyInfo {
        name: s.name.to_string(),
        about: s.about.to_string(),
        isolating: s.isolating,
    }
}

/// A strategy in one of its modes.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Which strategy.
    pub strategy: &'static Strategy,
    /// Empty for its default mode.
    pub mode: Mode,
}

/// A cell in its place within the run.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is to be measured.
    pub cell: Cell,
    /// In which block.
    pub block: u32,
    /// In which place within the block.
    pub order: u32,
}

impl Arm {
    /// The job that examines its isolation.
    pub fn audit(&self, testbed: Testbed) -> Job {
        Job::Audit {
            testbed,
            strategy: self.strategy.name.to_string(),
            mode: self.mode.clone(),
        }
    }

    /// The audit that `findings` make.
    pub fn audited(&self, testbed: Testbed, findings: Vec<Finding>) -> Audit {
        Audit {
            testbed,
            strategy: self.strategy.name.to_string(),
            mode: words(&self.mode),
            isolating: self.strategy.isolating,
            findings,
        }
    }

    /// Its cell in `group`.
    pub fn cell(&self, group: &Group) -> Cell {
        Cell {
            testbed: group.testbed,
            strategy: self.strategy.name.to_string(),
            workload: group.workload.clone(),
            params: group.params.clone(),
            mode: words(&self.mode),
        }
    }
}

fn words(mode: &Mode) -> Params {
    let word = |(name, value): (&String, &String)| (name.clone(), ParamValue::Text(value.clone()));
    mode.iter().map(word).collect()
}

/// The mode that a cell's record names.
pub fn mode(cell: &Cell) -> Mode {
    let pair = |(name, value): (&String, &ParamValue)| (name.clone(), value.to_string());
    cell.mode.iter().map(pair).collect()
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
