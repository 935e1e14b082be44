// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is to be done, fixed before anything is: the cells, and the order of
//! the arms within each block.

use crate::{
    arm::{self, Arm},
    execute::{LAB_CPUS, TestbedInstance},
    guest::Guest,
    step::Step,
};
use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use results::{
    Cell, Plan, Testbed, Unit,
    cell::{Group, ParamValue, Params},
    run::{Fact, StrategyInfo},
};
use std::collections::BTreeMap;
use strategies::{Strategy, registry};
use workloads::{Profile, Workload};

/// What a command line selects.
#[derive(Debug)]
pub struct Selection {
    /// What is compared, in registry order, the default mode of each strategy
    /// before its others.
    pub arms: Vec<Arm>,
    /// In definition order.
    pub workloads: Vec<Workload>,
    /// Which parameters.
    pub profile: Profile,
    /// How many blocks count, if the command line says so.
    pub blocks: Option<u32>,
    /// The seed of the order.
    pub seed: u64,
    /// What a Linux guest boots; `None` if there is no kernel for one.
    pub guest: Option<Guest>,
    /// Cells that are slowed down on purpose, by so many nanoseconds at each exit to
    /// the VMM.
    pub delays: BTreeMap<Cell, u64>,
}

impl Selection {
    /// What the guest of `cell` boots, if it is a Linux.
    pub fn guest_of(&self, cell: &Cell) -> Option<Guest> {
        let mut all = self.workloads.iter();
        let workload = all.find(|w| w.id == cell.workload)?;
        self.guest.clone().filter(|_| workload.model.boots_linux)
    }

    /// Whether any of its workloads boots a Linux.
    pub fn boots_linux(&self) -> bool {
        self.workloads.iter().any(|w| w.model.boots_linux)
    }

    /// The plan for `instances`, as it is recorded.
    pub fn plan<'a>(&self, instances: impl Iterator<Item = &'a TestbedInstance>) -> Plan {
        let mut cells = Vec::new();
        let mut blocks = 0;
        for instance in instances {
            blocks = blocks.max(self.blocks(instance.testbed));
            for group in self.groups(instance) {
                cells.extend(self.arms.iter().map(|arm| arm::cell(arm, &group)));
            }
        }
        Plan {
            seed: self.seed,
            profile: self.profile.name().to_string(),
            blocks,
            // All of them, so that a strategy's colour and place in a report do
            // not depend on what else was selected.
            strategies: registry::ALL.iter().map(|s| info(s)).collect(),
            workloads: self.workloads.iter().map(Workload::info).collect(),
            cells,
        }
    }

    /// The strategies of its arms, each once.
    pub fn strategies(&self) -> Vec<&'static Strategy> {
        let mut all: Vec<&'static Strategy> = self.arms.iter().map(Arm::strategy).collect();
        all.dedup_by_key(|s| s.name);
        all
    }

    /// Every cell of every block in the order in which they are to be carried
    /// out: block by block, group by group, the arms of each group shuffled. On
    /// a machine that measures time block 0 is the warm-up; one that counts
    /// instructions has none, and starts with block 1.
    pub fn steps(&self, instance: &TestbedInstance, arms: &[Arm]) -> Vec<Step> {
        let first = u32::from(instance.testbed.unit() == Unit::Insn);
        let groups = self.groups(instance);
        let mut steps = Vec::new();
        let arms: Vec<_> = arms.iter().collect();
        for block in first..=self.blocks(instance.testbed) {
            for (number, group) in groups.iter().enumerate() {
                let order = order(&arms, self.seed, number, block);
                steps.extend((0..).zip(order).map(|(order, arm)| Step {
                    cell: arm::cell(arm, group),
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
        self.blocks.unwrap_or(match testbed.unit() {
            Unit::Insn => 1,
            Unit::Ns => self.profile.blocks(),
        })
    }

    /// What is compared: each workload with each combination of parameters.
    pub fn groups(&self, instance: &TestbedInstance) -> Vec<Group> {
        let group = |w: &Workload, params: &Params| Group {
            testbed: instance.testbed,
            workload: w.id.clone(),
            params: params.clone(),
        };
        let mut groups = Vec::new();
        for w in &self.workloads {
            for mut params in w.cells(self.profile, instance.testbed) {
                if let Some(kernel) = &instance.kernel {
                    params.insert("kernel".into(), ParamValue::Text(kernel.clone()));
                }
                if instance.cpus.is_empty() {
                    groups.push(group(w, &params));
                }
                for cpus in &instance.cpus {
                    params.insert(LAB_CPUS.into(), ParamValue::Int(*cpus));
                    groups.push(group(w, &params));
                }
            }
        }
        groups
    }
}

/// What a report says about `s`.
pub fn info(s: &'static Strategy) -> StrategyInfo {
    let parameters = s.parameters.iter().map(|parameter| Fact {
        name: parameter.name.to_string(),
        value: parameter.describe(),
    });
    StrategyInfo {
        name: s.name.to_string(),
        about: s.about.to_string(),
        isolating: s.claims().claim.isolates(),
        differs_from: s.differs_from.map(str::to_string),
        parameters: parameters.collect(),
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
}
