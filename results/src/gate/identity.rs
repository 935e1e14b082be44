// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What two runs must have in common to be compared: the same machine under the
//! same kernel, or for the lab the same kernel in the same emulator. A difference
//! is refused unless it is what the comparison is about.

use crate::{Fingerprint, Testbed};
use serde::Serialize;
use std::{collections::BTreeSet, fmt, str::FromStr};

/// A side of a run's identity that a comparison may be allowed to cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// The processor and how KVM virtualises on it.
    Machine,
    /// The kernel that is measured: the host's, or the lab's.
    Kernel,
    /// What an administrator sets: huge pages, the clock source.
    Settings,
    /// The emulator of the lab, whichever it is: its version decides its counts.
    Qemu,
    /// What Linux guests boot.
    Guest,
}

/// The facts of a host that must agree.
const HOST: &[(Aspect, &[&str])] = &[
    (
        Aspect::Machine,
        &[
            "machine",
            "cpu.model",
            "cpu.family/model/stepping",
            "cpu.microcode",
            "cpu.online",
            "cpu.smt",
            "kvm.flavour",
            "virtualised",
        ],
    ),
    (
        Aspect::Kernel,
        &[
            "kernel",
            "kernel.version",
            "kernel.config",
            "kernel.cmdline",
            "kernel.hz",
            "mitigations",
        ],
    ),
    (
        Aspect::Settings,
        &["clocksource", "thp.enabled", "thp.shmem"],
    ),
];

/// Those of a lab. What it runs on does not matter: instructions do not mind.
const LAB: &[(Aspect, &[&str])] = &[
    (Aspect::Kernel, &["lab.kernel"]),
    (Aspect::Qemu, &["lab.cpu", "lab.memory", "lab.cmdline"]),
];

/// What further identifies the lab's kernel, in records that say it: the compiler
/// decides the counts, and the image holds all that does.
const LAB_BUILD: &[&str] = &["lab.kernel.compiler", "lab.kernel.image"];

/// What a lab has besides its emulator, whose fact has its name: `lab.qemu`. Its value
/// is a version, then in brackets the build.
const BESIDES_EMULATOR: &[&str] = &["lab.kernel", "lab.cpu", "lab.memory", "lab.cmdline"];

/// Whether a fact is that of an emulator.
fn is_emulator(fact: &str) -> bool {
    let name = fact.strip_prefix("lab.");
    name.is_some_and(|name| !name.contains(['.', '-'])) && !BESIDES_EMULATOR.contains(&fact)
}

/// The facts of emulators that either record has.
fn emulators<'f>(baseline: &'f Fingerprint, current: &'f Fingerprint) -> BTreeSet<&'f str> {
    let facts = baseline.facts.iter().chain(&current.facts);
    let names = facts.map(|fact| fact.name.as_str());
    names.filter(|name| is_emulator(name)).collect()
}

/// Those of Linux guests, of which a run without such guests has none.
const GUEST: &[&str] = &["guest.kernel", "guest.initrd", "guest.cmdline"];

/// A fact that differs between two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The testbed whose figures it makes incomparable.
    pub testbed: Testbed,
    /// Which side of the identity.
    pub aspect: Aspect,
    /// The fact's name.
    pub fact: String,
    /// Its value in the baseline, `absent` if it has none.
    pub baseline: String,
    /// Its value in the current run.
    pub current: String,
    /// What counts said where both are builds of one version: why they are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Difference {
    /// Whether both sides are builds of one version: whether they count alike is for
    /// counts to say.
    pub(super) fn is_rebuild(&self) -> bool {
        let version = |value: &str| value.split(' ').next().map(str::to_string);
        match self.fact.as_str() {
            fact if is_emulator(fact) => version(&self.baseline) == version(&self.current),
            fact => LAB_BUILD.contains(&fact),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference {
            testbed,
            fact,
            baseline,
            current,
            ..
        } = self;
        write!(
            f,
            "{fact} differs ({testbed} {baseline:?}, now {current:?})"
        )
    }
}

impl Aspect {
    /// Every aspect.
    pub const ALL: [Aspect; 5] = [
        Aspect::Machine,
        Aspect::Kernel,
        Aspect::Settings,
        Aspect::Qemu,
        Aspect::Guest,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Aspect::Machine => "machine",
            Aspect::Kernel => "kernel",
            Aspect::Settings => "settings",
            Aspect::Qemu => "qemu",
            Aspect::Guest => "guest",
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Aspect {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Aspect::ALL.into_iter().find(|a| a.name() == word);
        found.ok_or_else(|| {
            let all = Aspect::ALL.map(Aspect::name).join(", ");
            format!("{word:?} is no aspect of a run; there are {all}")
        })
    }
}

/// What differs between the machines of two runs, as far as it bears on `testbed`.
/// Invented numbers come from no machine.
pub fn differences(
    testbed: Testbed,
    baseline: &Fingerprint,
    current: &Fingerprint,
) -> Vec<Difference> {
    let facts = match testbed {
        Testbed::Host => HOST,
        Testbed::Lab => LAB,
        Testbed::Fake => return Vec::new(),
    };
    let mut found = Vec::new();
    let mut compare = |aspect, fact: &str, optional: bool| {
        let [a, b] = [baseline, current].map(|f| values(f, fact));
        let comparable = a.is_some() && b.is_some() || !optional;
        if comparable && a != b {
            let shown = |v: Option<String>| v.unwrap_or_else(|| "absent".into());
            found.push(Difference {
                testbed,
                aspect,
                fact: fact.to_string(),
                baseline: shown(a),
                current: shown(b),
                reason: None,
            });
        }
    };
    for (aspect, names) in facts {
        for name in *names {
            compare(*aspect, name, false);
        }
    }
    if testbed == Testbed::Lab {
        for name in emulators(baseline, current) {
            compare(Aspect::Qemu, name, false);
        }
        for name in LAB_BUILD {
            compare(Aspect::Kernel, name, false);
        }
    }
    for name in GUEST {
        compare(Aspect::Guest, name, true);
    }
    found
}

/// All values of a fact: a lab of several kernels has as many.
fn values(host: &Fingerprint, name: &str) -> Option<String> {
    let all = host.facts.iter().filter(|fact| fact.name == name);
    let all: Vec<&str> = all.map(|fact| fact.value.as_str()).collect();
    (!all.is_empty()).then(|| all.join(" + "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(facts: &[(&str, &str)]) -> Fingerprint {
        let mut host = Fingerprint::default();
        for (name, value) in facts {
            host.push(name, Some(value.to_string()));
        }
        host
    }

    #[test]
    fn each_testbed_has_its_own_identity() {
        fn check(
            testbed: Testbed,
            a: &[(&str, &str)],
            b: &[(&str, &str)],
            expected: &[(Aspect, &str)],
        ) {
            let found = differences(testbed, &host(a), &host(b));
            let found: Vec<_> = found.iter().map(|d| (d.aspect, d.fact.as_str())).collect();
            assert_eq!(found, expected, "{a:?} {b:?}");
        }
        let (lab, real) = (Testbed::Lab, Testbed::Host);
        let emulator = |v| [("lab.qemu", v), ("kernel", v), ("lab.kernel", "k")];
        check(lab, &emulator("7.2"), &emulator("7.2"), &[]);
        check(
            lab,
            &emulator("7.2"),
            &emulator("10.0"),
            &[(Aspect::Qemu, "lab.qemu")],
        );
        check(
            real,
            &emulator("7.2"),
            &emulator("10.0"),
            &[(Aspect::Kernel, "kernel")],
        );
        check(Testbed::Fake, &emulator("7.2"), &emulator("10.0"), &[]);
        check(
            real,
            &[("cpu.model", "x")],
            &[],
            &[(Aspect::Machine, "cpu.model")],
        );
        // A run without Linux guests says nothing of their kernel.
        check(lab, &[("guest.kernel", "a")], &[], &[]);
        check(
            lab,
            &[("guest.kernel", "a")],
            &[("guest.kernel", "b")],
            &[(Aspect::Guest, "guest.kernel")],
        );
        check(
            lab,
            &[("lab.kernel", "a"), ("lab.kernel", "b")],
            &[("lab.kernel", "a")],
            &[(Aspect::Kernel, "lab.kernel")],
        );
        let built = |by| [("lab.kernel.compiler", by)];
        let compiler = (Aspect::Kernel, "lab.kernel.compiler");
        check(lab, &built("gcc 12"), &built("gcc 14"), &[compiler]);
        // An old record does not say what built its kernel: counts have to.
        check(lab, &[], &built("gcc 14"), &[compiler]);
        check(real, &built("gcc 12"), &built("gcc 14"), &[]);
        // Another emulator has a fact of another name.
        let bochs = |v| [("lab.bochs", v), ("kernel", v), ("lab.kernel", "k")];
        let [by_bochs, by_qemu] = ["lab.bochs", "lab.qemu"].map(|name| (Aspect::Qemu, name));
        check(lab, &bochs("3.0"), &bochs("3.0"), &[]);
        check(lab, &bochs("3.0"), &bochs("3.1"), &[by_bochs]);
        check(lab, &bochs("3.0"), &emulator("7.2"), &[by_bochs, by_qemu]);
        check(lab, &[("lab.tlb-model", "zen3")], &[], &[]);
    }

    #[test]
    fn a_rebuild_has_the_version_of_what_it_rebuilds() {
        let check = |fact: &str, baseline: &str, current: &str, expected: bool| {
            let difference = Difference {
                testbed: Testbed::Lab,
                aspect: Aspect::Qemu,
                fact: fact.into(),
                baseline: baseline.into(),
                current: current.into(),
                reason: None,
            };
            assert_eq!(difference.is_rebuild(), expected, "{difference}");
        };
        check(
            "lab.qemu",
            "7.2.22 (Debian a+b2)",
            "7.2.22 (Debian a+b3)",
            true,
        );
        check("lab.qemu", "7.2.22 (Debian a+b2)", "7.2.22", true);
        check("lab.qemu", "7.2.22 (Debian a)", "7.2.2 (Debian a)", false);
        check("lab.qemu", "absent", "7.2.22", false);
        check("lab.kernel.compiler", "gcc 12", "gcc 14", true);
        check("lab.kernel.image", "12ab", "34cd", true);
        check("lab.kernel", "7.3.4", "7.3.4-x", false);
        check("lab.cpu", "EPYC a", "EPYC b", false);
    }

    #[test]
    fn names_are_read_back() {
        for aspect in Aspect::ALL {
            assert_eq!(aspect.to_string().parse(), Ok(aspect));
        }
        let error = "moon".parse::<Aspect>().unwrap_err();
        assert!(error.contains("machine, kernel"), "{error}");
    }
}
