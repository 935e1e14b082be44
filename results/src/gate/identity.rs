// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What two runs must have in common to be compared: the same machine under the
//! same kernel, or for the lab the same kernel in the same emulator. A difference
//! is refused unless it is what the comparison is about.

use crate::{Fingerprint, Testbed};
use serde::Serialize;
use std::{fmt, str::FromStr};

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
    /// The emulator of the lab, whose version decides its counts.
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
    (
        Aspect::Qemu,
        &["lab.qemu", "lab.cpu", "lab.memory", "lab.cmdline"],
    ),
];

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
            });
        }
    };
    for (aspect, names) in facts {
        for name in *names {
            compare(*aspect, name, false);
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
