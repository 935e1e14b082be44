// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What was found of an arm's isolation: for each way to read memory from
//! outside the guest, whether it found a secret that the VMM had put there.

use crate::{
    Testbed,
    cell::{ArmId, Params},
};
use serde::{Deserialize, Serialize};

/// The findings on one arm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The machine.
    pub testbed: Testbed,
    /// The strategy.
    pub strategy: String,
    /// Its own parameters where they are not its defaults.
    #[serde(default, skip_serializing_if = "Params::is_empty")]
    pub mode: Params,
    /// Whether the arm claims to take guest memory out of the direct map's page tables.
    pub isolating: bool,
    /// What it claims more precisely; absent in older records: see [`Audit::claim`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// One finding a reader, in the order in which they were tried.
    pub findings: Vec<Finding>,
}

/// What an arm claims of the host kernel's direct map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// Guest memory is in it, as all memory is.
    Mapped,
    /// Guest memory is neither in its page tables nor in a TLB.
    Hidden,
    /// Guest memory is absent from its page tables, and reachable by stale TLB entries,
    /// because nothing is flushed.
    Unflushed,
}

impl Claim {
    /// Whether guest memory is said to be absent from the page tables.
    pub fn isolates(self) -> bool {
        self != Claim::Mapped
    }
}

/// What one reader found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Who tried to read.
    pub reader: Reader,
    /// Whether it could.
    pub verdict: Verdict,
    /// What was seen, one line: the bytes or the errno.
    pub seen: String,
}

/// A way to guest memory from outside the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reader {
    /// The kernel's direct map, through /proc/kcore at the page's frame.
    DirectMap,
    /// process_vm_readv(2): GUP by another process's address space.
    ProcessVmReadv,
    /// write(2) with O_DIRECT from guest memory: GUP by a block device.
    ODirect,
}

/// What a reader's attempt showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It read the secret.
    Readable,
    /// It was refused, or read something else.
    Hidden,
    /// It could not be tried here.
    Unknown,
}

impl Audit {
    /// What the arm claims. Older records do not say; there a mode that flushes nothing
    /// tells it.
    pub fn claim(&self) -> Claim {
        let flush = self.mode.get("flush").map(ToString::to_string);
        match (self.claim, self.isolating) {
            (Some(claim), _) => claim,
            (None, false) => Claim::Mapped,
            (None, true) if flush.as_deref() == Some("none") => Claim::Unflushed,
            (None, true) => Claim::Hidden,
        }
    }

    /// Why the arm's samples may not be reported under its claim; `None` if its
    /// claim holds. A strategy that claims isolation must have been seen to hide
    /// from the direct map; one that does not must not have been seen to hide,
    /// or the reader proves nothing.
    pub fn broken(&self) -> Option<String> {
        let mut findings = self.findings.iter();
        let (verdict, seen) = match findings.find(|f| f.reader == Reader::DirectMap) {
            Some(finding) => (finding.verdict, finding.seen.as_str()),
            None => (Verdict::Unknown, "not tried"),
        };
        let claim = match (self.isolating, verdict) {
            (true, Verdict::Hidden) | (false, Verdict::Readable | Verdict::Unknown) => return None,
            (true, Verdict::Readable) => {
                "claims to be hidden from the direct map, but was read there"
            }
            (true, Verdict::Unknown) => {
                "claims to be hidden from the direct map, which could not be checked"
            }
            (false, Verdict::Hidden) => {
                "does not claim to be hidden from the direct map, but was not found there"
            }
        };
        Some(format!(
            "isolation not as claimed: {} {claim} ({seen})",
            self.arm()
        ))
    }

    /// Its arm.
    pub fn arm_id(&self) -> ArmId<'_> {
        ArmId {
            strategy: &self.strategy,
            mode: &self.mode,
        }
    }

    /// The name of its arm.
    pub fn arm(&self) -> String {
        self.arm_id().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_must_have_been_seen_to_hold() {
        let check = |isolating, verdict, broken: bool| {
            let audit = Audit {
                testbed: Testbed::Lab,
                strategy: "s".into(),
                mode: Params::new(),
                isolating,
                claim: None,
                findings: vec![Finding {
                    reader: Reader::DirectMap,
                    verdict,
                    seen: "x".into(),
                }],
            };
            assert_eq!(audit.broken().is_some(), broken, "{audit:?}");
        };
        check(true, Verdict::Hidden, false);
        check(true, Verdict::Readable, true);
        check(true, Verdict::Unknown, true);
        check(false, Verdict::Readable, false);
        check(false, Verdict::Unknown, false);
        check(false, Verdict::Hidden, true);
    }

    #[test]
    fn an_older_record_tells_its_claim_by_its_mode() {
        let check = |text: &str, expected| {
            let line = format!(r#"{{"testbed":"lab","strategy":"s","findings":[]{text}}}"#);
            let audit: Audit = serde_json::from_str(&line).unwrap();
            assert_eq!(audit.claim(), expected, "{line}");
        };
        check(r#","isolating":false"#, Claim::Mapped);
        check(r#","isolating":true"#, Claim::Hidden);
        check(
            r#","isolating":true,"mode":{"flush":"none"}"#,
            Claim::Unflushed,
        );
        check(r#","isolating":true,"claim":"unflushed""#, Claim::Unflushed);
    }
}
