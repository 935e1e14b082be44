// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What was found of an arm's isolation: for each way to read memory from
//! outside the guest, whether it found a secret that the VMM had put there.

use crate::{Testbed, cell::Params};
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
    /// Whether the strategy claims to hide guest memory from the direct map.
    pub isolating: bool,
    /// One finding a reader, in the order in which they were tried.
    pub findings: Vec<Finding>,
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

    /// The arm as [`Cell::arm`](crate::Cell::arm) names it.
    pub fn arm(&self) -> String {
        crate::cell::arm(&self.strategy, &self.mode)
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
}
