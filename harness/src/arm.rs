// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Arms: what is compared with one another, each a strategy in one of its modes.

use crate::{cell::Job, exit::Failure};
use results::{
    Audit, Cell, Testbed,
    audit::Finding,
    cell::{Group, ParamValue, Params},
};
use strategies::{Mode, Strategy, registry};

/// A strategy in one of its modes.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Which strategy.
    pub strategy: &'static Strategy,
    /// Empty for its default mode.
    pub mode: Mode,
}

/// The arms that `words` name, each strategy in registry order with its default
/// mode first; all strategies if there is no word. A word is a strategy's name,
/// after which its own parameters may follow: `guest-memfd-reinsert/access=held`.
/// With `all_modes` a word without parameters stands for every mode.
///
/// # Errors
/// [`Failure::Usage`] for the first word that names nothing.
pub fn arms(words: &[String], all_modes: bool) -> Result<Vec<Arm>, Failure> {
    let mut chosen = Vec::new();
    for word in words {
        let mut parts = word.split('/');
        let name = parts.next().unwrap_or_default();
        let strategy = registry::find(name).ok_or_else(|| unknown(name))?;
        let mode = parts.map(|part| setting(word, part));
        let mode = mode.collect::<Result<Mode, _>>()?;
        strategy.check(&mode).map_err(Failure::Usage)?;
        chosen.push(Arm {
            strategy,
            mode: without_defaults(strategy, mode),
        });
    }
    let mut arms = Vec::new();
    for strategy in registry::ALL {
        for mode in strategy.modes() {
            let named = |arm: &Arm| {
                arm.strategy.name == strategy.name
                    && (arm.mode == mode || all_modes && arm.mode.is_empty())
            };
            let unnamed = words.is_empty() && (all_modes || mode.is_empty());
            if unnamed || chosen.iter().any(named) {
                arms.push(Arm { strategy, mode });
            }
        }
    }
    Ok(arms)
}

/// `NAME=VALUE` of `word`.
fn setting(word: &str, part: &str) -> Result<(String, String), Failure> {
    let pair = part.split_once('=').ok_or_else(|| {
        Failure::Usage(format!(
            "{part:?} of {word:?} is not NAME=VALUE, as in guest-memfd-reinsert/access=held"
        ))
    });
    pair.map(|(name, value)| (name.to_string(), value.to_string()))
}

/// A default that was spelled out makes no other mode.
fn without_defaults(strategy: &Strategy, mode: Mode) -> Mode {
    let is_default = |name: &str, value: &str| {
        let parameter = strategy.parameters.iter().find(|p| p.name == name);
        parameter.is_some_and(|p| p.values.first() == Some(&value))
    };
    mode.into_iter()
        .filter(|(name, value)| !is_default(name, value))
        .collect()
}

fn unknown(name: &str) -> Failure {
    let known = || registry::ALL.iter().map(|s| s.name);
    let hint = workloads::nearest(name, known())
        .map(|n| format!(" (did you mean {n}?)"))
        .unwrap_or_default();
    let all = known().collect::<Vec<_>>().join(", ");
    Failure::Usage(format!(
        "unknown strategy {name:?}{hint}; strategies are {all}"
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str], all_modes: bool) -> Result<Vec<String>, String> {
        let words: Vec<_> = words.iter().map(|w| w.to_string()).collect();
        let group = Group {
            testbed: Testbed::Fake,
            workload: String::new(),
            params: Params::new(),
        };
        match arms(&words, all_modes) {
            Ok(arms) => Ok(arms.iter().map(|a| a.cell(&group).arm()).collect()),
            Err(e) => Err(e.to_string()),
        }
    }

    #[test]
    fn arms_come_in_registry_order() {
        let check = |words: &[&str], expected: &[&str]| {
            assert_eq!(names(words, false).unwrap(), expected, "{words:?}");
        };
        check(&["memfd", "anon"], &["anon", "memfd"]);
        let held = "guest-memfd-reinsert/access=held";
        check(
            &[held, "memfd"],
            &["memfd", "guest-memfd-reinsert access=held"],
        );
        check(
            &[held, "guest-memfd-reinsert"],
            &["guest-memfd-reinsert", "guest-memfd-reinsert access=held"],
        );
        check(
            &["guest-memfd-reinsert/flush=none/access=each"],
            &["guest-memfd-reinsert flush=none"],
        );
        assert_eq!(names(&[], false).unwrap().len(), registry::ALL.len());
        assert_eq!(names(&["guest-memfd-unmapped"], true).unwrap().len(), 3);
        assert!(names(&[], true).unwrap().len() > registry::ALL.len());
    }

    #[test]
    fn mistakes_are_named() {
        let check = |word: &str, expected: &str| {
            let error = names(&[word], false).unwrap_err();
            assert!(
                error.contains(expected) && !error.contains('\n'),
                "{error:?}"
            );
        };
        check("memfd-sekret", "did you mean memfd-secret?");
        check("memfd/flush=none", "memfd has no parameter \"flush\"");
        check("guest-memfd-reinsert/access=long", "access is each or held");
        check("guest-memfd-reinsert/held", "is not NAME=VALUE");
    }
}
