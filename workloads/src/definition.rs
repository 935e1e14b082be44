// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Definitions: the tables of `definitions/*.toml`.
//!
//! ```toml
//! [[workload]]
//! id = "mmio/user-read"          # family/name
//! model = "mmio-read"            # what the guest does
//! summary = "one line"
//! analysis = "prose for the report"
//! view = "latency"               # latency, phases or histogram
//! headline = "latency"           # the series that the comparison shows
//! detail = "latency"             # optional: the one that figures and tails show
//! params = { cpus = [1], mem_mib = [64], count = [500] }
//! quick = { count = [200] }      # replaces a list for the quick profile
//! full = { mem_mib = [4096] }    # likewise for the full profile
//! lab = { mem_mib = [512] }      # likewise in the lab, unless quick does
//! fresh = true                   # optional: the lab boots for each of its cells
//! ```
//!
//! Each parameter is a list; a workload has one cell per combination.

use crate::{Error, Profile, nearest};
use models::Model;
use results::{
    Testbed,
    cell::{ParamValue, Params},
    run::{View, WorkloadInfo},
};
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;

/// The definition files. A file holds one family, or families that are alike: what leaves
/// the guest is in `exit.toml`.
const FILES: &[(&str, &str)] = &[
    (
        "calibrate.toml",
        include_str!("../definitions/calibrate.toml"),
    ),
    ("boot.toml", include_str!("../definitions/boot.toml")),
    ("exit.toml", include_str!("../definitions/exit.toml")),
    ("clock.toml", include_str!("../definitions/clock.toml")),
    ("fault.toml", include_str!("../definitions/fault.toml")),
    ("tlb.toml", include_str!("../definitions/tlb.toml")),
    ("virtio.toml", include_str!("../definitions/virtio.toml")),
];

type Lists = BTreeMap<String, Vec<ParamValue>>;

/// One workload as defined.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// `family/name`.
    pub id: String,
    /// What is done.
    #[serde(deserialize_with = "model")]
    pub model: &'static Model,
    /// One line.
    pub summary: String,
    /// Prose for the report: what it measures, what it does not.
    pub analysis: String,
    /// How a report draws it.
    pub view: View,
    /// The series that the comparison shows.
    pub headline: String,
    /// The series of single operations, where that is not the headline.
    #[serde(default)]
    pub detail: Option<String>,
    /// Whether a cell looks at the machine as it was before there was a VM, and so must be
    /// the first of its boot: a direct map that another has split stays split.
    #[serde(default)]
    pub fresh: bool,
    params: Lists,
    #[serde(default)]
    quick: Lists,
    #[serde(default)]
    full: Lists,
    #[serde(default)]
    lab: Lists,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    workload: Vec<Workload>,
}

/// The model of that name.
fn model<'de, D: Deserializer<'de>>(name: D) -> Result<&'static Model, D::Error> {
    let name = String::deserialize(name)?;
    models::find(&name).ok_or_else(|| {
        let hint = nearest(&name, models::all().map(|model| model.name))
            .map(|n| format!("; did you mean {n}?"))
            .unwrap_or_default();
        de::Error::custom(format!("unknown model `{name}`{hint}"))
    })
}

/// All workloads that come with this version, in the order of the files.
///
/// # Errors
/// [`Error::Definition`], which a test of this crate rules out.
pub fn all() -> Result<Vec<Workload>, Error> {
    let mut all = Vec::new();
    for (name, text) in FILES {
        all.extend(parse(name, text)?);
    }
    Ok(all)
}

/// The workloads of one file.
fn parse(name: &str, text: &str) -> Result<Vec<Workload>, Error> {
    let wrong = |what: String| Error::Definition {
        file: name.to_string(),
        what,
    };
    let file: File = toml::from_str(text).map_err(|e| {
        let line = e
            .span()
            .map_or(1, |s| text[..s.start].lines().count().max(1));
        wrong(format!("line {line}: {}", e.message().replace('\n', " ")))
    })?;
    for w in &file.workload {
        if w.id.split('/').filter(|part| !part.is_empty()).count() != 2 {
            return Err(wrong(format!(
                "id {:?} is not of the form family/name",
                w.id
            )));
        }
        for (table, lists) in [("quick", &w.quick), ("full", &w.full), ("lab", &w.lab)] {
            if let Some(name) = lists.keys().find(|name| !w.params.contains_key(*name)) {
                let what = format!("{}: {table} has {name:?}, params has not", w.id);
                return Err(wrong(what));
            }
        }
        for profile in Profile::ALL {
            for testbed in [Testbed::Host, Testbed::Lab] {
                for params in w.cells(profile, testbed) {
                    w.model.experiment(&params).map_err(|e| Error::Param {
                        workload: w.id.clone(),
                        name: e.name,
                        what: e.what,
                    })?;
                }
            }
        }
    }
    Ok(file.workload)
}

impl Workload {
    /// The parameters of each cell under `profile` on `testbed`: every
    /// combination, the last parameter by name varying fastest.
    pub fn cells(&self, profile: Profile, testbed: Testbed) -> Vec<Params> {
        let mut cells = vec![Params::new()];
        for (name, all) in &self.params {
            let values = self.values(name, all, profile, testbed);
            cells = cells
                .iter()
                .flat_map(|cell| {
                    values.iter().map(move |value| {
                        let mut cell = cell.clone();
                        cell.insert(name.clone(), value.clone());
                        cell
                    })
                })
                .collect();
        }
        cells
    }

    /// The values of parameter `name`, which are `all` unless a table says otherwise.
    fn values<'a>(
        &'a self,
        name: &str,
        all: &'a [ParamValue],
        profile: Profile,
        testbed: Testbed,
    ) -> &'a [ParamValue] {
        let tables = [
            (&self.quick, profile == Profile::Quick),
            (&self.lab, testbed == Testbed::Lab),
            (&self.full, profile == Profile::Full),
        ];
        let mut applying = tables.iter().filter(|(_, applies)| *applies);
        let found = applying.find_map(|(lists, _)| lists.get(name));
        found.map_or(all, Vec::as_slice)
    }

    /// Every parameter with all values that any profile but `quick` gives it.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &[ParamValue])> {
        self.params
            .iter()
            .map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// What a report needs to know.
    pub fn info(&self) -> WorkloadInfo {
        WorkloadInfo {
            id: self.id.clone(),
            summary: self.summary.clone(),
            analysis: self.analysis.trim().to_string(),
            view: self.view,
            headline: self.headline.clone(),
            detail: self.detail.clone(),
            phases: self.model.phases.iter().map(|p| p.to_string()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        let all = all().unwrap();
        for (i, w) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|v| v.id != w.id), "{} twice", w.id);
            assert!(w.analysis.trim().len() > 200, "{} needs an analysis", w.id);
            assert!(
                !w.summary.contains('\n') && w.summary.len() <= 72,
                "{}",
                w.id
            );
            assert!(
                w.info().phases.is_empty() == (w.view != View::Phases),
                "{}",
                w.id
            );
        }
    }

    const GOOD: &str = r#"
        [[workload]]
        id = "mmio/x"
        model = "mmio-read"
        summary = "s"
        analysis = "a"
        view = "latency"
        headline = "latency"
        params = { cpus = [1, 2], mem_mib = [64], count = [500, 600, 700] }
        quick = { count = [9] }
    "#;

    #[test]
    fn cells_are_all_combinations() {
        let w = &parse("x", GOOD).unwrap()[0];
        assert_eq!(w.cells(Profile::Report, Testbed::Host).len(), 6);
        let quick = w.cells(Profile::Quick, Testbed::Host);
        assert_eq!(quick.len(), 2);
        assert!(quick.iter().all(|p| p["count"] == ParamValue::Int(9)));
    }

    #[test]
    fn mistakes_are_named_with_file_and_line() {
        let check = |from: &str, to: &str, expected: &str| {
            let error = parse("mmio.toml", &GOOD.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
            assert!(!error.contains('\n'), "{error:?}");
        };
        check(
            "summary",
            "sumary",
            "mmio.toml: line 5: unknown field `sumary`",
        );
        check(
            "mmio-read",
            "mmio-reed",
            "mmio.toml: line 4: unknown model `mmio-reed`; did you mean mmio-read?",
        );
        check("\"mmio/x\"", "\"mmio\"", "not of the form family/name");
        check("{ count = [9] }", "{ size = [9] }", "quick has \"size\"");
        check("[500, 600", "[500, 1000000", "parameter count");
        check("mem_mib = [64]", "mem_mib = [1]", "parameter mem_mib");
        check("count = [9]", "count = [\"many\"]", "parameter count");
        check(
            "count = [500",
            "size = [1], count = [500",
            "parameter size: is unknown",
        );
        check("view = \"latency\"", "", "missing field `view`");
        check(
            "quick = {",
            "lab = { size = [1] }\n quick = {",
            "lab has \"size\"",
        );
    }
}
