// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is made of counts, by counters that show what was written down.

use super::{
    event,
    event::Encoding,
    recorded::{Recorded, Script},
    *,
};

/// The set of a model with five events a side.
fn ice_lake() -> &'static Set {
    let processor = cpu::Processor {
        vendor: "GenuineIntel".into(),
        family: 6,
        model: 0x6a,
    };
    event::set(Some(&processor))
}

/// Nowhere to walk: the readings are written down.
struct Nowhere;

impl sanity::Walk for Nowhere {
    fn far(&self) {}
    fn near(&self) {}
}

fn whole(count: u64) -> Reading {
    Reading {
        count,
        enabled: 1000,
        running: 1000,
    }
}

/// What the check reads: few misses nearby, many more far away; later reads follow.
fn show(counts: &[u64]) -> Script {
    Script::Show(counts.iter().map(|n| whole(*n)).collect())
}

/// Every counter counted 7, but that of the check.
fn sevens() -> Recorded {
    Recorded::all(show(&[7]))
}

/// A PMU that passed its check, with `counters` from then on.
fn passed(counters: Recorded) -> Pmu<Recorded> {
    let misses = ice_lake().misses.encoding;
    let sane = Recorded::all(show(&[3, 30_003]));
    let kept = sanity::check(&sane, misses, Some(1), &Nowhere).unwrap();
    Pmu {
        counters,
        set: ice_lake(),
        paranoid: Some(1),
        _kept: kept,
    }
}

fn tally(counters: Recorded) -> Tally {
    let pmu = passed(counters);
    let seen = pmu.stop(pmu.start());
    pmu.tally(&[seen])
}

fn absent(tally: &Tally) -> Vec<(&str, &str)> {
    let all = tally.unavailable.iter();
    all.map(|(what, why)| (what.as_str(), why.as_str()))
        .collect()
}

#[test]
fn counts_are_named_by_side_and_event_and_added_up_over_threads() {
    let pmu = passed(sevens());
    let threads: Vec<_> = (0..3).map(|_| pmu.stop(pmu.start())).collect();
    let tally = pmu.tally(&threads);
    assert!(absent(&tally).is_empty(), "{tally:?}");
    assert_eq!(tally.counters.len(), 12);
    assert_eq!(tally.counters["pmu.guest.dtlb_load_walks"], 21);
    assert_eq!(tally.counters["pmu.host.cycles"], 21);
}

#[test]
fn the_host_is_started_last_and_stopped_first() {
    let pmu = passed(sevens());
    let running = pmu.start();
    let log = pmu.counters.log();
    let first = log
        .iter()
        .position(|l| l.starts_with("start host"))
        .unwrap();
    let last = log
        .iter()
        .rposition(|l| l.starts_with("start guest"))
        .unwrap();
    assert!(last < first, "{log:?}");
    assert_eq!(log[0], "open guest type 0, config 0x1", "{log:?}");
    pmu.stop(running);
    let log = pmu.counters.log();
    assert!(log[0].starts_with("stop host"), "{log:?}");
    assert!(log[11].starts_with("stop guest"), "{log:?}");
}

#[test]
fn the_check_decides_whether_anything_is_counted() {
    let check = |script, expected: Result<(), &str>| {
        let found = Pmu::checked(Recorded::all(script), ice_lake(), Some(2), &Nowhere);
        match (found, expected) {
            (Ok(_), Ok(())) => {}
            (Err(why), Err(part)) => assert!(why.to_string().contains(part), "{why}"),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    };
    check(show(&[3, 30_003]), Ok(()));
    check(
        show(&[0, 0]),
        Err("not to be trusted: 0 misses in 32768 loads"),
    );
    check(show(&[40_000, 80_000]), Err("40000 in as many"));
    check(Script::NoPlace, Err("no counter left"));
    check(Script::Refuse(libc::EACCES), Err("paranoid is 2"));
    check(
        Script::Refuse(libc::ENOENT),
        Err("does not have this event"),
    );
    let part = Reading {
        running: 430,
        ..whole(3)
    };
    check(Script::Show(vec![part]), Err("43 % of the time"));
}

#[test]
fn what_has_no_counter_or_half_a_one_is_absent_by_name() {
    let (cycles, code) = (
        CYCLES.encoding,
        Encoding {
            kind: 4,
            config: 0x0e85,
        },
    );
    let part = Reading {
        running: 250,
        ..whole(9)
    };
    let counters = sevens().but(Some(code), None, Script::NoPlace).but(
        Some(cycles),
        Some(Side::Host),
        Script::Show(vec![part]),
    );
    let tally = tally(counters);
    assert_eq!(tally.counters.len(), 9);
    let names: Vec<_> = absent(&tally).iter().map(|(what, _)| *what).collect();
    let expected = [
        "pmu.guest.itlb_walks",
        "pmu.host.cycles",
        "pmu.host.itlb_walks",
    ];
    assert_eq!(names, expected);
    assert!(tally.unavailable["pmu.host.cycles"].starts_with("multiplexed: on the PMU for 25 %"));
    assert!(tally.unavailable["pmu.host.itlb_walks"].contains("no counter left"));
}

#[test]
fn one_reason_for_a_side_or_for_both_is_one_line() {
    let lent = Script::Refuse(libc::EOPNOTSUPP);
    let side = tally(sevens().but(None, Some(Side::Guest), lent.clone()));
    assert_eq!(side.counters.len(), 6, "{side:?}");
    assert!(matches!(absent(&side)[..], [("pmu.guest", why)] if why.contains("mediated vPMU")));
    let both = tally(Recorded::all(lent));
    assert!(both.counters.is_empty());
    assert!(matches!(absent(&both)[..], [("pmu", why)] if why.contains("mediated vPMU")));
}

#[test]
fn a_guest_that_ran_unseen_spoils_both_sides() {
    let unseen = || sevens().but(None, Some(Side::Guest), show(&[0]));
    let mixed = tally(unseen());
    assert!(mixed.counters.is_empty());
    assert!(matches!(absent(&mixed)[..], [("pmu", why)] if why.contains("does not tell guest")));
    // Misses may be none; instructions are not.
    let ran = tally(unseen().but(Some(INSTRUCTIONS.encoding), None, show(&[7])));
    assert_eq!(ran.counters["pmu.guest.dtlb_load_walks"], 0);
    assert_eq!(ran.counters["pmu.host.dtlb_load_walks"], 7);
}

#[test]
fn an_event_that_one_thread_lacks_has_no_sum() {
    let pmu = passed(sevens());
    let mut second = pmu.stop(pmu.start());
    second[0] = Err(Absence::Full);
    let tally = pmu.tally(&[pmu.stop(pmu.start()), second]);
    assert_eq!(tally.counters.len(), 11);
    assert_eq!(absent(&tally)[0].0, "pmu.guest.instructions");
}

#[test]
fn a_count_is_whole_to_a_thousandth() {
    let check = |enabled, running, ok: bool| {
        let reading = Reading {
            count: 5,
            enabled,
            running,
        };
        assert_eq!(reading.whole().is_ok(), ok, "{reading:?}");
    };
    check(1000, 1000, true);
    check(1000, 999, true);
    check(1000, 998, false);
    check(1000, 0, false);
    check(0, 0, false);
    check(u64::MAX, u64::MAX, true);
}

#[test]
fn this_machine_counts_or_says_why_not() {
    match ready() {
        Ok(pmu) => assert!(cpu::has_pmu() && pmu.set.events().count() >= 5),
        Err(Absence::NoPmu) => assert!(!cpu::has_pmu()),
        Err(why) => assert!(cpu::has_pmu(), "{why}"),
    }
    assert!(events().contains("instructions (type 0, config 0x1)"));
}
