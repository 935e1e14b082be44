// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How often the methods are right, by simulation. Seeds are fixed, so that each
//! test has one outcome; the bounds leave room for what so many trials scatter.

use super::{
    simulate::{Normals, share},
    *,
};

const TRIALS: usize = 1_000;

/// Noise as blocks have it: normal in logs, and one in ten much slower.
fn disturbed(normals: &mut Normals, n: usize) -> Vec<f64> {
    let noise = normals.take(n);
    let disturb = |v: f64| match normals.uniform() < 0.1 {
        true => v + 8.0,
        false => v,
    };
    noise.into_iter().map(disturb).collect()
}

fn within(found: f64, least: f64, most: f64, what: &str) {
    assert!((least..=most).contains(&found), "{what}: {found}");
}

#[test]
fn paired_intervals_cover_what_they_claim() {
    for n in [5, 15, 30] {
        let mut normals = Normals::new(n as u64);
        let covered = share(TRIALS, || {
            !median_interval(&normals.take(n), 1).unwrap().excludes(0.0)
        });
        within(covered, 0.93, 0.97, &format!("{n} pairs"));
    }
}

/// Normal, lopsided and disturbed noise alike. The exact coverage for 5 and 5, 1 -
/// 2·4/252, is 96.8 %, which so many trials may round up.
#[test]
fn unpaired_intervals_cover_what_they_claim() {
    let covers = |a: &[f64], b: &[f64]| {
        let interval = shift(a, b).unwrap().interval.unwrap();
        !interval.excludes(0.0)
    };
    let exp = |x: Vec<f64>| x.into_iter().map(f64::exp).collect::<Vec<_>>();
    for (n, m) in [(5, 5), (10, 10), (15, 15), (15, 30), (30, 30), (50, 50)] {
        let mut normals = Normals::new((n * m) as u64);
        let plain = share(TRIALS, || covers(&normals.take(n), &normals.take(m)));
        let skewed = share(TRIALS, || {
            covers(&exp(normals.take(n)), &exp(normals.take(m)))
        });
        let rough = share(TRIALS, || {
            covers(&disturbed(&mut normals, n), &disturbed(&mut normals, m))
        });
        let most = if n == 5 { 0.975 } else { 0.97 };
        for found in [plain, skewed, rough] {
            within(found, 0.93, most, &format!("{n} and {m} blocks"));
        }
    }
}

/// A test at a level is wrong that often and not more, whatever the noise.
#[test]
fn permutation_tests_keep_their_level() {
    let mut normals = Normals::new(3);
    let trials = 5_000;
    for (level, least, most) in [(0.05, 0.042, 0.056), (0.01, 0.006, 0.013)] {
        let flipped = share(trials, || {
            let (a, b) = (disturbed(&mut normals, 15), disturbed(&mut normals, 15));
            let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
            sign_flip(&differences) <= level
        });
        within(flipped, least, most, "sign flips");
        let dealt = share(trials, || {
            let (a, b) = (disturbed(&mut normals, 15), disturbed(&mut normals, 15));
            rank_sum(&a, &b) <= level
        });
        within(dealt, least, most, "rank sums");
    }
}

/// A true difference as large as the least detectable one is found in four of five
/// comparisons, a few less with few blocks: the formula is that of the t-test.
#[test]
fn what_is_detectable_is_detected() {
    for n in [10, 15, 30] {
        let mut normals = Normals::new(7 + n as u64);
        let count = n as f64;
        let between = detectable((2.0 / count).sqrt(), 2.0 * count - 2.0, 0.01).unwrap();
        let mut moved =
            |by: f64| -> Vec<f64> { normals.take(n).into_iter().map(|v| v + by).collect() };
        let found = share(TRIALS, || rank_sum(&moved(0.0), &moved(between)) <= 0.01);
        within(found, 0.72, 0.84, &format!("{n} and {n} blocks"));
        let paired = detectable(1.0 / count.sqrt(), count - 1.0, 0.01).unwrap();
        let found = share(TRIALS, || sign_flip(&moved(paired)) <= 0.01);
        within(found, 0.70, 0.84, &format!("{n} pairs"));
    }
}

#[test]
fn trends_are_seldom_seen_where_there_are_none() {
    let mut normals = Normals::new(11);
    for n in [8, 15, 30] {
        let found = share(5_000, || trend(&normals.take(n)).unwrap() <= 0.01);
        within(found, 0.003, 0.012, &format!("{n} blocks"));
    }
}
