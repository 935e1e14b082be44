// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a run found of isolation, by testbed: who could read which arm's memory,
//! and whether the arm's claim holds. Claims without evidence are named too.

use crate::model::{Model, entry};
use results::{
    Audit, Run, Testbed,
    audit::{Claim, Finding, Reader, Verdict},
    compare::sort_arms,
};

/// The audits of one testbed, in the order of the arms.
pub(crate) struct Evidence<'a> {
    pub(crate) testbed: Testbed,
    pub(crate) audits: Vec<&'a Audit>,
}

/// Every reader in the order in which they are tried, with its column's name.
pub(crate) const READERS: [(Reader, &str); 3] = [
    (Reader::DirectMap, "direct map"),
    (Reader::ProcessVmReadv, "process_vm_readv"),
    (Reader::ODirect, "O_DIRECT"),
];

/// The evidence of `run`.
pub(crate) fn of(run: &Run) -> Vec<Evidence<'_>> {
    let mut all: Vec<Evidence<'_>> = Vec::new();
    for audit in &run.audits {
        let testbed = audit.testbed;
        let make = || Evidence {
            testbed,
            audits: Vec::new(),
        };
        let evidence = entry(&mut all, |e| e.testbed == testbed, make);
        evidence.audits.push(audit);
    }
    all.sort_by_key(|evidence| evidence.testbed);
    for evidence in &mut all {
        sort_arms(&run.plan, &mut evidence.audits, |a| a.arm_id());
    }
    all
}

/// What `reader` found.
pub(crate) fn finding(audit: &Audit, reader: Reader) -> Option<&Finding> {
    audit.findings.iter().find(|f| f.reader == reader)
}

/// Whether an arm leaves TLB entries of pages that it took out of the page tables.
fn lingers(audit: &Audit) -> bool {
    audit.claim() == Claim::Unflushed
}

/// What [`word`] calls a page that the page tables have not and stale TLB entries may.
pub(crate) const ABSENT: &str = "absent from page tables, reachable by stale TLB entries";

/// The verdict of `reader` in a few words; one that was not tried is unknown.
pub(crate) fn word(audit: &Audit, reader: Reader) -> &'static str {
    match finding(audit, reader).map(|f| f.verdict) {
        Some(Verdict::Readable) => "readable",
        Some(Verdict::Hidden) if reader == Reader::DirectMap && lingers(audit) => ABSENT,
        Some(Verdict::Hidden) => "hidden",
        Some(Verdict::Unknown) | None => "unknown",
    }
}

/// Whether the claim to hide memory holds: `yes`, `NO`, or nothing where it is not made;
/// who leaves stale TLB entries does not make it.
pub(crate) fn holds(audit: &Audit) -> &'static str {
    match (audit.broken(), audit.isolating) {
        (Some(_), _) => "NO",
        (None, true) if lingers(audit) => "",
        (None, true) => "yes",
        (None, false) => "",
    }
}

impl Evidence<'_> {
    /// Who is hidden from the direct map and who is not, in a sentence or two.
    pub(crate) fn summary(&self) -> String {
        let parts = ["hidden", ABSENT, "readable", "unknown"].map(|verdict| {
            let arms = self
                .audits
                .iter()
                .filter(|audit| word(audit, Reader::DirectMap) == verdict);
            let arms: Vec<String> = arms.map(|audit| audit.arm()).collect();
            (verdict, arms.join(", "))
        });
        let parts = parts.into_iter().filter(|(_, arms)| !arms.is_empty());
        let parts: Vec<String> = parts.map(|(v, arms)| format!("{v}: {arms}")).collect();
        format!(
            "In the direct map, {}. {}",
            parts.join("; "),
            self.verdict()
        )
    }

    /// Whether every claim holds, in a sentence.
    pub(crate) fn verdict(&self) -> String {
        let claims = self.audits.iter().filter(|a| a.isolating && !lingers(a));
        let claims = claims.count();
        let broken = self.audits.iter().filter(|a| a.broken().is_some()).count();
        match (broken, claims) {
            (0, 0) => "No arm claims isolation.".to_string(),
            (0, _) => "Every claim to hide memory holds.".to_string(),
            (n, _) => format!("NOT AS CLAIMED: {n} of {} arms.", self.audits.len()),
        }
    }

    /// What `reader` saw: each sight once, with the arms it was of.
    pub(crate) fn sights(&self, reader: Reader) -> Vec<String> {
        let mut sights: Vec<(String, Vec<String>)> = Vec::new();
        for audit in &self.audits {
            let seen = finding(audit, reader);
            let text = seen.map_or("not tried", |f| f.seen.as_str());
            let sight = format!("{}: {text}", word(audit, reader));
            let arms = entry(
                &mut sights,
                |(s, _)| *s == sight,
                || (sight.clone(), vec![]),
            );
            arms.1.push(audit.arm());
        }
        let sights = sights.into_iter();
        sights
            .map(|(sight, arms)| format!("{sight} ({})", arms.join(", ")))
            .collect()
    }
}

/// What must be said at the head of a report: claims that do not hold, and arms
/// with figures whose claim was not checked.
pub(crate) fn cautions(model: &Model<'_>) -> Vec<String> {
    let run = model.run;
    let broken = run.audits.iter().filter_map(Audit::broken);
    let mut cautions: Vec<String> = broken
        .map(|why| why.replacen("isolation not as claimed", "ISOLATION NOT AS CLAIMED", 1))
        .collect();
    for bed in model.beds.iter().filter(|b| b.testbed != Testbed::Fake) {
        let measured = bed.tables().flat_map(|t| &t.arms);
        let measured = measured
            .filter(|arm| arm.figures.is_ok())
            .map(|arm| arm.cell);
        let mut unchecked: Vec<String> = Vec::new();
        for cell in measured {
            let audited = run
                .audits
                .iter()
                .any(|audit| (audit.testbed, audit.arm_id()) == (cell.testbed, cell.arm_id()));
            if model.hides(cell) && !audited && !unchecked.contains(&cell.arm()) {
                unchecked.push(cell.arm());
            }
        }
        if !unchecked.is_empty() {
            let (testbed, arms) = (bed.testbed, unchecked.join(", "));
            cautions.push(format!(
                "Isolation was not checked on {testbed} for: {arms}."
            ));
        }
    }
    cautions
}
