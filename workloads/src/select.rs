// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Selecting workloads by pattern.

use crate::{Error, Workload, nearest};
use glob::Pattern;

/// The workloads that match any of `patterns`, in definition order; all of
/// them if there is no pattern.
///
/// # Errors
/// [`Error::NoMatch`] for the first pattern that matches nothing, and
/// [`Error::BadPattern`].
pub fn select(all: Vec<Workload>, patterns: &[String]) -> Result<Vec<Workload>, Error> {
    if patterns.is_empty() {
        return Ok(all);
    }
    let mut compiled = Vec::new();
    for text in patterns {
        let pattern = Pattern::new(text).map_err(|e| Error::BadPattern {
            pattern: text.clone(),
            what: e.msg.to_string(),
        })?;
        if !all.iter().any(|w| pattern.matches(&w.id)) {
            return Err(Error::NoMatch {
                pattern: text.clone(),
                nearest: nearest(text, all.iter().map(|w| w.id.as_str())),
            });
        }
        compiled.push(pattern);
    }
    let matches = |w: &Workload| compiled.iter().any(|p| p.matches(&w.id));
    Ok(all.into_iter().filter(matches).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(patterns: &[&str]) -> Result<Vec<String>, Error> {
        let patterns: Vec<_> = patterns.iter().map(|p| p.to_string()).collect();
        let chosen = select(crate::all().unwrap(), &patterns)?;
        Ok(chosen.into_iter().map(|w| w.id).collect())
    }

    #[test]
    fn patterns_select_and_mistakes_are_named() {
        let user = ["mmio/user-read", "mmio/user-write"];
        assert_eq!(ids(&["mmio/user-*"]).unwrap(), user);
        assert_eq!(ids(&["*/user-write", "mmio/user-*"]).unwrap().len(), 2);
        assert_eq!(ids(&[]).unwrap().len(), crate::all().unwrap().len());
        let text = |p: &str| ids(&[p]).unwrap_err().to_string();
        assert!(text("mmio/user-reed").contains("did you mean mmio/user-read?"));
        assert!(text("zzz*").contains("no workload matches \"zzz*\"; `unmapbench list`"));
        assert!(text("[").contains("not a pattern"));
    }
}
