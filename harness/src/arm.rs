// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Arms as the command line names them, and in records.

use crate::{exit::Failure, job::Job};
use results::{
    Audit, Cell, ParamValue, Testbed,
    audit::Finding,
    cell::{Group, Params},
};
pub use strategies::Arm;
use strategies::registry;

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
        let params = parts.map(|part| setting(word, part));
        let params = params.collect::<Result<Params, _>>()?;
        chosen.push(Arm::new(strategy, &params).map_err(Failure::Usage)?);
    }
    let wanted = |arm: &Arm| {
        let named = |chosen: &Arm| {
            let every = all_modes && chosen.mode().is_default();
            chosen == arm || every && chosen.strategy().name == arm.strategy().name
        };
        let unnamed = words.is_empty() && (all_modes || arm.mode().is_default());
        unnamed || chosen.iter().any(named)
    };
    let all = registry::ALL.iter().flat_map(|s| Arm::all(s));
    Ok(all.filter(wanted).collect())
}

/// `NAME=VALUE` of `word`.
fn setting(word: &str, part: &str) -> Result<(String, ParamValue), Failure> {
    let pair = part.split_once('=').ok_or_else(|| {
        Failure::Usage(format!(
            "{part:?} of {word:?} is not NAME=VALUE, as in guest-memfd-reinsert/access=held"
        ))
    });
    pair.map(|(name, value)| (name.to_string(), ParamValue::Text(value.to_string())))
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

/// The job that examines the isolation of `arm`.
pub fn audit(arm: &Arm, testbed: Testbed) -> Job {
    Job::Audit {
        testbed,
        strategy: arm.strategy().name.to_string(),
        mode: arm.mode().params(),
    }
}

/// The audit of `arm` that `findings` make.
pub fn audited(arm: &Arm, testbed: Testbed, findings: Vec<Finding>) -> Audit {
    let claim = arm.claims().claim;
    Audit {
        testbed,
        strategy: arm.strategy().name.to_string(),
        mode: arm.mode().params(),
        isolating: claim.isolates(),
        claim: Some(claim),
        findings,
    }
}

/// The cell of `arm` in `group`.
pub fn cell(arm: &Arm, group: &Group) -> Cell {
    Cell {
        testbed: group.testbed,
        strategy: arm.strategy().name.to_string(),
        workload: group.workload.clone(),
        params: group.params.clone(),
        mode: arm.mode().params(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str], all_modes: bool) -> Result<Vec<String>, String> {
        let words: Vec<_> = words.iter().map(|w| w.to_string()).collect();
        match arms(&words, all_modes) {
            Ok(arms) => Ok(arms.iter().map(Arm::to_string).collect()),
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
        check("memfd/flush=none", "memfd: no parameter \"flush\"");
        check("guest-memfd-reinsert/access=long", "access is each or held");
        check("guest-memfd-reinsert/held", "is not NAME=VALUE");
    }
}
