// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which backend works with which strategy: straight, by a bounce buffer only, or
//! not at all, and with which errno the kernel says so. From the cells of workloads
//! that have a parameter `backend`, whatever was measured of them.

use super::said::Said;
use crate::{
    clean::shorten,
    document::{self, Field},
    evidence,
    missing::word,
    model::{Bed, Family, Model, entry},
    shape::{BACKEND, BOUNCE, UNBOUNCED},
};
use results::{
    Cell,
    audit::Reader,
    cell::ParamValue,
    compare::{Arm, Hole, Table},
};
use std::fmt;

/// What works on a testbed, and what O_DIRECT saw of guest memory.
pub(super) fn answer(model: &Model<'_>, bed: &Bed<'_>, _: &[&str]) -> Said {
    let mut said = Said::default();
    for matrix in bed.families.iter().filter_map(of) {
        said.sentences.extend(matrix.sentences());
        said.tables.push(matrix.table());
    }
    let all = evidence::of(model.run);
    if let Some(evidence) = all.iter().find(|of| of.testbed == bed.testbed) {
        let sights = evidence.sights(Reader::ODirect);
        let sight = |sight| format!("A page of the guest written to a disk by O_DIRECT, {sight}.");
        said.sentences.extend(sights.into_iter().map(sight));
    }
    said
}

/// A matrix of backends and arms.
struct Matrix {
    /// The family.
    family: String,
    /// The arms, in the order of the report.
    arms: Vec<Field>,
    /// Each backend with a verdict for each arm.
    rows: Vec<(String, Vec<Verdict>)>,
}

/// What became of a backend with an arm. Reasons are as [`word`] has them.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// At least once straight.
    Works,
    /// By a bounce buffer alone, and why not straight, if the kernel said so.
    OnlyBounced(Option<String>),
    /// Not at all, by the word of the kernel.
    Refused(String),
    /// Not at all, for another reason.
    Failed,
    /// Nothing was tried.
    Untried,
}

/// What it is, as a title.
const TITLE: &str = "Which backend works";

/// What the words of [`Verdict::short`] mean.
const SHORT: &str = "An errno: the kernel refuses guest memory to this backend. \
*: by a bounce buffer it works. not here: the machine lacks the arm or the backend. -: not tried.";

/// The matrix of `family`; `None` if it has no backends.
fn of(family: &Family<'_>) -> Option<Matrix> {
    let tables = || family.workloads.iter().flat_map(|w| &w.tables);
    let mut backends: Vec<String> = Vec::new();
    let mut arms: Vec<&Cell> = Vec::new();
    for table in tables() {
        let Some(backend) = param(table, BACKEND) else {
            continue;
        };
        if !backends.contains(&backend) {
            backends.push(backend);
        }
        for arm in &table.arms {
            if arms.iter().all(|known| known.arm() != arm.cell.arm()) {
                arms.push(arm.cell);
            }
        }
    }
    let verdict = |backend: &String, arm: &&Cell| {
        let of = tables().filter(|t| param(t, BACKEND).as_ref() == Some(backend));
        let tried: Vec<(bool, &Arm<'_>)> = of
            .filter_map(|t| {
                let arm = t.arms.iter().find(|a| a.cell.arm() == arm.arm())?;
                let bounced = param(t, BOUNCE).is_some_and(|word| word != UNBOUNCED);
                Some((bounced, arm))
            })
            .collect();
        Verdict::of(&tried)
    };
    let rows: Vec<_> = backends
        .iter()
        .map(|b| (b.clone(), arms.iter().map(|arm| verdict(b, arm)).collect()))
        .collect();
    (!rows.is_empty()).then(|| Matrix {
        family: family.name.clone(),
        arms: arms.iter().map(|arm| Field::arm(arm)).collect(),
        rows,
    })
}

fn param(table: &Table<'_>, name: &str) -> Option<String> {
    table.group.params.get(name).map(ParamValue::to_string)
}

impl Matrix {
    /// Arms down, for they have long names; an errno in place of words.
    fn table(&self) -> document::Table {
        /// A backend's name beyond this is cut.
        const NAME: usize = 24;
        let names = self.rows.iter().map(|(name, _)| shorten(name, NAME));
        let columns: Vec<String> = std::iter::once("strategy".into()).chain(names).collect();
        let title = format!("{TITLE}: {}", self.family);
        let mut table = document::Table::new(title, "", &columns);
        table.about = SHORT.to_string();
        for (i, arm) in self.arms.iter().enumerate() {
            let words = self.rows.iter();
            let words = words.map(|(_, verdicts)| verdicts[i].short().into());
            table.push("", std::iter::once(arm.clone()).chain(words).collect());
        }
        table
    }

    /// Of each backend, which arms have which verdict; one sentence if it works with all.
    fn sentences(&self) -> Vec<String> {
        let sentence = |(backend, verdicts): &(String, Vec<Verdict>)| {
            let mut said: Vec<(String, Vec<&str>)> = Vec::new();
            let tried = verdicts.iter().zip(&self.arms);
            for (verdict, arm) in tried.filter(|(verdict, _)| **verdict != Verdict::Untried) {
                let word = verdict.to_string();
                let known = entry(&mut said, |(w, _)| *w == word, || (word.clone(), vec![]));
                known.1.push(&arm.text);
            }
            let said = said
                .iter()
                .map(|(word, arms)| match arms.len() == self.arms.len() {
                    true => format!("{word} with every arm"),
                    false => format!("{word} with {}", arms.join(", ")),
                });
            let said: Vec<String> = said.collect();
            (!said.is_empty()).then(|| format!("backend {backend}: {}.", said.join("; ")))
        };
        self.rows.iter().filter_map(sentence).collect()
    }
}

impl Verdict {
    /// Of what was tried, each with whether it was by a bounce buffer.
    fn of(tried: &[(bool, &Arm<'_>)]) -> Self {
        let works = |bounced: bool| {
            let mut of = tried.iter().filter(|(b, _)| *b == bounced);
            of.any(|(_, arm)| arm.figures.is_ok())
        };
        let missing = || {
            tried
                .iter()
                .filter_map(|(_, arm)| arm.figures.as_ref().err())
        };
        let refused = |hole: &&Hole| matches!(hole, Hole::Missing { .. });
        let refusal = missing().find(refused).map(word);
        match (works(false), works(true), refusal) {
            (true, _, _) => Verdict::Works,
            (false, true, why) => Verdict::OnlyBounced(why),
            (false, false, Some(why)) => Verdict::Refused(why),
            (false, false, None) if missing().next().is_some() => Verdict::Failed,
            (false, false, None) => Verdict::Untried,
        }
    }

    /// In a word, where there is room for no more.
    fn short(&self) -> String {
        match self {
            Verdict::Works => "works".into(),
            Verdict::OnlyBounced(Some(why)) => format!("{why}*"),
            Verdict::OnlyBounced(None) => "bounced*".into(),
            Verdict::Refused(why) => why.clone(),
            Verdict::Failed => "failed".into(),
            Verdict::Untried => "-".into(),
        }
    }
}

impl fmt::Display for Verdict {
    /// Nothing where nothing was tried.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Works => f.write_str("works"),
            Verdict::OnlyBounced(Some(why)) => write!(f, "only bounced ({why})"),
            Verdict::OnlyBounced(None) => f.write_str("only bounced"),
            Verdict::Refused(why) => write!(f, "refused ({why})"),
            Verdict::Failed => f.write_str("failed"),
            Verdict::Untried => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_has_a_long_and_a_short_form() {
        let check = |verdict: Verdict, long: &str, short: &str| {
            assert_eq!([verdict.to_string(), verdict.short()], [long, short]);
        };
        let why = || "EFAULT".to_string();
        check(Verdict::Works, "works", "works");
        let bounced = Verdict::OnlyBounced(Some(why()));
        check(bounced, "only bounced (EFAULT)", "EFAULT*");
        check(Verdict::OnlyBounced(None), "only bounced", "bounced*");
        check(Verdict::Refused(why()), "refused (EFAULT)", "EFAULT");
        check(Verdict::Failed, "failed", "failed");
        check(Verdict::Untried, "", "-");
    }
}
