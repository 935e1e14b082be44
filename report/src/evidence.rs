// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a run found of isolation, by testbed: who could read which arm's memory,
//! and whether the arm's claim holds. Claims without evidence are named too.

use crate::digest::Digest;
use results::{
    Audit, Run, Testbed,
    audit::{Finding, Reader, Verdict},
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

/// What the readers are, for whoever does not know them.
pub(crate) const ABOUT: &str = "A random secret was put into a page of guest memory; each reader \
then looked for it, after it had found another secret in ordinary memory. direct map: the page's \
frame in /proc/kcore. process_vm_readv, O_DIRECT: access to pinned pages (GUP), by an address \
space and by a block device.";

/// The evidence of `run`.
pub(crate) fn of(run: &Run) -> Vec<Evidence<'_>> {
    let mut all: Vec<Evidence<'_>> = Vec::new();
    for audit in &run.audits {
        match all.iter_mut().find(|e| e.testbed == audit.testbed) {
            Some(evidence) => evidence.audits.push(audit),
            None => all.push(Evidence {
                testbed: audit.testbed,
                audits: vec![audit],
            }),
        }
    }
    all.sort_by_key(|evidence| evidence.testbed);
    for evidence in &mut all {
        sort_arms(&run.plan, &mut evidence.audits, |a| (&a.strategy, &a.mode));
    }
    all
}

/// What `reader` found.
pub(crate) fn finding(audit: &Audit, reader: Reader) -> Option<&Finding> {
    audit.findings.iter().find(|f| f.reader == reader)
}

/// The verdict in one word; a reader that was not tried is unknown.
pub(crate) fn word(finding: Option<&Finding>) -> &'static str {
    match finding.map(|f| f.verdict) {
        Some(Verdict::Readable) => "readable",
        Some(Verdict::Hidden) => "hidden",
        Some(Verdict::Unknown) | None => "unknown",
    }
}

/// What the arm claims.
pub(crate) fn claim(audit: &Audit) -> &'static str {
    match audit.isolating {
        true => "hidden",
        false => "none",
    }
}

/// Whether the claim holds: `yes`, `NO`, or nothing where nothing is claimed.
pub(crate) fn holds(audit: &Audit) -> &'static str {
    match (audit.broken(), audit.isolating) {
        (Some(_), _) => "NO",
        (None, true) => "yes",
        (None, false) => "",
    }
}

impl Evidence<'_> {
    /// Who is hidden from the direct map and who is not, in a sentence or two.
    pub(crate) fn summary(&self) -> String {
        let parts = ["hidden", "readable", "unknown"].map(|verdict| {
            let arms = self
                .audits
                .iter()
                .filter(|audit| word(finding(audit, Reader::DirectMap)) == verdict);
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
        let claims = self.audits.iter().filter(|a| a.isolating).count();
        let broken = self.audits.iter().filter(|a| a.broken().is_some()).count();
        match (broken, claims) {
            (0, 0) => "No arm claims isolation.".to_string(),
            (0, _) => "Every claim of isolation holds.".to_string(),
            (n, _) => format!("NOT AS CLAIMED: {n} of {} arms.", self.audits.len()),
        }
    }

    /// What was seen: each sight once, with its reader and the arms it was of.
    pub(crate) fn sights(&self) -> Vec<(String, Vec<String>)> {
        let mut sights: Vec<(String, Vec<String>)> = Vec::new();
        for (reader, name) in READERS {
            for audit in &self.audits {
                let seen = finding(audit, reader);
                let text = seen.map_or("not tried", |f| f.seen.as_str());
                let sight = format!("{name}, {}: {text}", word(seen));
                match sights.iter_mut().find(|(known, _)| *known == sight) {
                    Some((_, arms)) => arms.push(audit.arm()),
                    None => sights.push((sight, vec![audit.arm()])),
                }
            }
        }
        sights
    }
}

/// What must be said at the head of a report: claims that do not hold, and arms
/// with figures whose claim was not checked.
pub(crate) fn cautions(digest: &Digest<'_>) -> Vec<String> {
    let run = digest.run;
    let broken = run.audits.iter().filter_map(Audit::broken);
    let mut cautions: Vec<String> = broken
        .map(|why| why.replacen("isolation not as claimed", "ISOLATION NOT AS CLAIMED", 1))
        .collect();
    for bed in digest.beds.iter().filter(|b| b.testbed != Testbed::Fake) {
        let measured = bed.tables().flat_map(|t| &t.arms);
        let measured = measured
            .filter(|arm| arm.figures.is_ok())
            .map(|arm| arm.cell);
        let mut unproved: Vec<String> = Vec::new();
        for cell in measured {
            let mut infos = run.plan.strategies.iter();
            let claims = infos.any(|info| info.isolating && info.name == cell.strategy);
            let audited = run.audits.iter().any(|audit| {
                (audit.testbed, &audit.strategy, &audit.mode)
                    == (cell.testbed, &cell.strategy, &cell.mode)
            });
            if claims && !audited && !unproved.contains(&cell.arm()) {
                unproved.push(cell.arm());
            }
        }
        if !unproved.is_empty() {
            let (testbed, arms) = (bed.testbed, unproved.join(", "));
            cautions.push(format!(
                "Isolation was not checked on {testbed} for: {arms}."
            ));
        }
    }
    cautions
}
