// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is counted, by the model of the processor.
//!
//! A name means one thing: Intel's walks that completed, AMD's misses of the second
//! level and the kernel's generic misses have different names, so that they are not
//! compared. The encodings are those of Intel's event lists (perfmon: Skylake-X, Ice Lake-X,
//! Sapphire Rapids) and of AMD's Processor Programming References for families 17h, 19h
//! and 1Ah; the models, those of Linux's tools/perf/pmu-events/arch/x86/mapfile.csv. The
//! generic events are those of include/uapi/linux/perf_event.h.

use crate::cpu::Processor;
use std::{fmt, ops::RangeInclusive};

const PERF_TYPE_HARDWARE: u32 = 0;
const PERF_TYPE_HW_CACHE: u32 = 3;
const PERF_TYPE_RAW: u32 = 4;

/// What perf_event_open(2) has to be told of an event: `type` and `config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Encoding {
    /// A `PERF_TYPE_*`.
    pub kind: u32,
    /// Which event of that type.
    pub config: u64,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            PERF_TYPE_RAW => write!(f, "raw {:#06x}", self.config),
            kind => write!(f, "type {kind}, config {:#x}", self.config),
        }
    }
}

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// What it is, as in the record: `pmu.guest.<name>`.
    pub name: &'static str,
    /// How the kernel calls it.
    pub encoding: Encoding,
}

const fn raw(name: &'static str, config: u64) -> Event {
    let kind = PERF_TYPE_RAW;
    Event {
        name,
        encoding: Encoding { kind, config },
    }
}

/// A miss of cache `which` by operation `op`: `config` is cache, operation << 8 and
/// result << 16, of which 1 is a miss.
const fn miss(name: &'static str, which: u64, op: u64) -> Event {
    let (kind, config) = (PERF_TYPE_HW_CACHE, which | op << 8 | 1 << 16);
    Event {
        name,
        encoding: Encoding { kind, config },
    }
}

const fn generic(name: &'static str, config: u64) -> Event {
    let kind = PERF_TYPE_HARDWARE;
    Event {
        name,
        encoding: Encoding { kind, config },
    }
}

/// PERF_COUNT_HW_INSTRUCTIONS.
pub(super) const INSTRUCTIONS: Event = generic("instructions", 1);
/// PERF_COUNT_HW_CPU_CYCLES.
pub(super) const CYCLES: Event = generic("cycles", 0);

/// The events for some models of one family.
#[derive(Debug)]
pub(super) struct Set {
    /// What the models are called.
    pub(super) called: &'static str,
    vendor: &'static str,
    family: u32,
    models: &'static [RangeInclusive<u32>],
    /// Translations of data that no TLB had; what the sanity check wants to see grow.
    pub(super) misses: Event,
    rest: &'static [Event],
}

impl Set {
    /// Everything that is counted, the most telling first: where the processor has
    /// fewer counters, the last ones go without.
    pub(super) fn events(&self) -> impl Iterator<Item = Event> + use<'_> {
        [INSTRUCTIONS, self.misses, CYCLES]
            .into_iter()
            .chain(self.rest.iter().copied())
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |e: Event| format!("{} ({})", e.name, e.encoding);
        let events: Vec<_> = self.events().map(named).collect();
        write!(f, "{}: {}", self.called, events.join(", "))
    }
}

/// The events for `processor`: those of its model, or the generic ones.
pub(super) fn set(processor: Option<&Processor>) -> &'static Set {
    let of = |set: &&Set| {
        processor.is_some_and(|p| {
            (p.vendor.as_str(), p.family) == (set.vendor, set.family)
                && set.models.iter().any(|models| models.contains(&p.model))
        })
    };
    MODELS.iter().find(of).unwrap_or(&GENERIC)
}

/// For a model that [`MODELS`] does not have. What the kernel takes for a miss is its own
/// choice for each model.
static GENERIC: Set = Set {
    called: "generic events",
    vendor: "",
    family: 0,
    models: &[],
    misses: miss("dtlb_load_misses", 3, 0),
    rest: &[miss("dtlb_store_misses", 3, 1), miss("itlb_misses", 4, 0)],
};

/// Of Skylake and Ice Lake.
const WALKS: Event = raw("dtlb_load_walks", 0x0e08);
const STORE_WALKS: Event = raw("dtlb_store_walks", 0x0e49);
const CODE_WALKS: Event = raw("itlb_walks", 0x0e85);
const WALK_CYCLES: Event = raw("dtlb_load_walk_cycles", 0x1008);

/// Of AMD: loads and stores together.
const MISSES: Event = raw("dtlb_l2_misses", 0xf045);

static MODELS: [Set; 7] = [
    Set {
        called: "Intel Skylake to Comet Lake, Skylake-SP, Cascade Lake",
        vendor: "GenuineIntel",
        family: 6,
        models: &[
            0x4e..=0x4e,
            0x55..=0x55,
            0x5e..=0x5e,
            0x8e..=0x8e,
            0x9e..=0x9e,
            0xa5..=0xa6,
        ],
        misses: WALKS,
        // The cycles leave out the walks of EPT, which have an event of their own.
        rest: &[
            STORE_WALKS,
            CODE_WALKS,
            WALK_CYCLES,
            raw("ept_walk_cycles", 0x104f),
        ],
    },
    Set {
        called: "Intel Ice Lake to Rocket Lake, Ice Lake-SP",
        vendor: "GenuineIntel",
        family: 6,
        models: &[
            0x6a..=0x6a,
            0x6c..=0x6c,
            0x7d..=0x7e,
            0x8c..=0x8d,
            0xa7..=0xa7,
        ],
        misses: WALKS,
        rest: &[STORE_WALKS, CODE_WALKS, WALK_CYCLES],
    },
    Set {
        called: "Intel Sapphire Rapids, Emerald Rapids, Granite Rapids",
        vendor: "GenuineIntel",
        family: 6,
        models: &[0x8f..=0x8f, 0xad..=0xae, 0xcf..=0xcf],
        misses: raw("dtlb_load_walks", 0x0e12),
        rest: &[
            raw("dtlb_store_walks", 0x0e13),
            raw("itlb_walks", 0x0e11),
            raw("dtlb_load_walk_cycles", 0x1012),
        ],
    },
    Set {
        called: "AMD Zen 2",
        vendor: "AuthenticAMD",
        family: 0x17,
        models: &[0x30..=0xff],
        misses: MISSES,
        rest: &[raw("itlb_l2_misses", 0xff85)],
    },
    Set {
        called: "AMD Zen 3",
        vendor: "AuthenticAMD",
        family: 0x19,
        models: &[0x00..=0x0f, 0x20..=0x2f, 0x40..=0x5f],
        misses: MISSES,
        rest: &[raw("itlb_l2_misses", 0xff85)],
    },
    Set {
        called: "AMD Zen 4",
        vendor: "AuthenticAMD",
        family: 0x19,
        models: &[0x10..=0x1f, 0x60..=0xaf],
        misses: MISSES,
        rest: &[raw("itlb_l2_misses", 0x0f85)],
    },
    Set {
        called: "AMD Zen 5",
        vendor: "AuthenticAMD",
        family: 0x1a,
        models: &[0x00..=0x2f, 0x40..=0x4f, 0x60..=0x7f],
        misses: MISSES,
        rest: &[raw("itlb_l2_misses", 0x0f85)],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_model_has_its_events_and_a_stranger_the_generic_ones() {
        let check = |vendor: &str, family, model, expected: &[&str]| {
            let vendor = vendor.to_string();
            let processor = Processor {
                vendor,
                family,
                model,
            };
            let text = set(Some(&processor)).to_string();
            for part in expected {
                assert!(text.contains(part), "{processor:?}: {text} without {part}");
            }
        };
        let intel = "GenuineIntel";
        let walks = "dtlb_load_walks (raw 0x0e08)";
        check(
            intel,
            6,
            0x55,
            &["Cascade", walks, "ept_walk_cycles (raw 0x104f)"],
        );
        check(
            intel,
            6,
            0x6a,
            &["Ice Lake", walks, "itlb_walks (raw 0x0e85)"],
        );
        check(
            intel,
            6,
            0xcf,
            &["Emerald", "dtlb_store_walks (raw 0x0e13)"],
        );
        let amd = "AuthenticAMD";
        check(amd, 0x17, 0x31, &["Zen 2", "itlb_l2_misses (raw 0xff85)"]);
        check(amd, 0x19, 0x01, &["Zen 3", "dtlb_l2_misses (raw 0xf045)"]);
        check(amd, 0x19, 0x11, &["Zen 4", "itlb_l2_misses (raw 0x0f85)"]);
        check(amd, 0x1a, 0x02, &["Zen 5", "cycles (type 0, config 0x0)"]);
        let misses = "dtlb_load_misses (type 3, config 0x10003)";
        check(amd, 0x17, 0x01, &["generic", misses]);
        check(intel, 0x19, 0x01, &["generic", misses]);
        check("HygonGenuine", 0x18, 0x00, &["generic", misses]);
        assert!(std::ptr::eq(set(None), &GENERIC));
    }

    #[test]
    fn no_model_is_in_two_sets_and_no_name_or_event_twice_in_one() {
        for (i, set) in MODELS.iter().enumerate() {
            for other in &MODELS[i + 1..] {
                let kin = (set.vendor, set.family) == (other.vendor, other.family);
                let both = |a: &RangeInclusive<u32>| {
                    let meets =
                        |b: &RangeInclusive<u32>| a.start() <= b.end() && b.start() <= a.end();
                    other.models.iter().any(meets)
                };
                assert!(
                    !kin || !set.models.iter().any(both),
                    "{} and {}",
                    set.called,
                    other.called
                );
            }
        }
        for set in MODELS.iter().chain([&GENERIC]) {
            let all: Vec<_> = set.events().collect();
            let names: BTreeSet<_> = all.iter().map(|e| e.name).collect();
            let encodings: BTreeSet<_> = all.iter().map(|e| e.encoding).collect();
            assert_eq!(
                (names.len(), encodings.len()),
                (all.len(), all.len()),
                "{set}"
            );
        }
    }
}
