// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which of Debian's kernel sources is used for a version, and that it stays
//! the same one until it is removed from the cache: a mirror moves on, figures
//! must not move with it.

use super::{
    Error, Series,
    cache::{Cache, remove, write_json},
    debian::{Debian, Offer, PACKAGE, SUITE},
    key, patches,
    runner::Runner,
    source::{self, Source},
};
use serde::{Deserialize, Serialize};
use std::fs;

/// What was chosen for a version.
#[derive(Debug, Serialize, Deserialize)]
struct Choice {
    package: String,
    version: String,
    /// The series that it was chosen for; another series may need another.
    series: String,
}

impl Choice {
    fn source(&self, cache: &Cache) -> Source {
        let name = format!("{}_{}.tar.xz", self.package, self.version);
        Source {
            path: cache.sources().join(name),
            identity: format!("{} {}", self.package, self.version),
        }
    }
}

/// The source chosen earlier for Linux `wanted`, whether its tarball is still
/// there or not.
pub(super) fn made(cache: &Cache, wanted: &str, series: Option<&Series>) -> Option<Source> {
    let bytes = fs::read(cache.sources().join(format!("{wanted}.json"))).ok()?;
    let choice: Choice = serde_json::from_slice(&bytes).ok()?;
    // A source of the very version is right for any series.
    let fits = choice.package == format!("{PACKAGE}{wanted}") || choice.series == hash(series);
    fits.then(|| choice.source(cache))
}

/// The source for Linux `wanted`, fetched if it is not there: Debian's package
/// of that version, else the newest on which the series applies cleanly.
pub(super) fn make(
    cache: &Cache,
    wanted: &str,
    series: Option<&Series>,
    say: &mut dyn FnMut(&str),
) -> Result<Source, Error> {
    let lock = cache.lock("source", || {
        say("waiting for another fetch of kernel sources")
    })?;
    if let Some(source) = made(cache, wanted, series).filter(|s| s.path.is_file()) {
        return Ok(source);
    }
    let dir = cache.root().join("apt");
    let mut runner = Runner::new(dir.join("apt.log"), &lock, cache.root())?;
    let debian = Debian::of_this_machine(dir, SUITE);
    let offers = debian.offers(&mut runner, say).map_err(unfetched)?;

    let trial = cache.root().join("work/.trial");
    let choice_of = |offer: &Offer| Choice {
        package: offer.package.clone(),
        version: offer.version.clone(),
        series: hash(series),
    };
    let chosen = choose(wanted, &offers, series.is_some(), |offer, exact| {
        let source = choice_of(offer).source(cache);
        if !exact {
            say(&format!(
                "{PACKAGE}{wanted} is gone from {SUITE}: trying {}",
                offer.package
            ));
        }
        if !source.path.is_file() {
            let fetched = debian.fetch(offer, &source.path, &mut runner, say);
            fetched.map_err(unfetched)?;
        }
        if let (false, Some(series)) = (exact, series) {
            remove(&trial)?;
            let tree = trial.join("src");
            let version = source::unpack(&source.path, &tree, &mut runner, say)?;
            let applied = patches::apply(series.patches, &tree, &version, &trial.join("patches"));
            remove(&trial)?;
            applied?;
            say(&format!(
                "the series for {} applies to Linux {version}",
                series.version
            ));
        }
        Ok(())
    })?;
    let choice = choice_of(chosen);
    write_json(&cache.sources().join(format!("{wanted}.json")), &choice)?;
    Ok(choice.source(cache))
}

/// A failure of apt, with what to do about it.
fn unfetched(error: Error) -> Error {
    match error {
        Error::Command { .. } => Error::Fetch(error.into()),
        other => other,
    }
}

fn hash(series: Option<&Series>) -> String {
    series.map_or("none".into(), |s| key::series(s.patches))
}

/// The offer of the very version if `usable` says so; else, with `fallback`,
/// the first other that is. `usable` hears whether it is the very version.
fn choose<'a>(
    wanted: &str,
    offers: &'a [Offer],
    fallback: bool,
    mut usable: impl FnMut(&Offer, bool) -> Result<(), Error>,
) -> Result<&'a Offer, Error> {
    let package = format!("{PACKAGE}{wanted}");
    if let Some(offer) = offers.iter().find(|o| o.package == package) {
        usable(offer, true)?;
        return Ok(offer);
    }
    let mut tried = String::new();
    for offer in offers.iter().filter(|_| fallback) {
        match usable(offer, false) {
            Ok(()) => return Ok(offer),
            Err(e @ Error::Patch { .. }) => {
                let text = e.to_string();
                tried += "; ";
                tried += text.split(';').next().unwrap_or(&text);
            }
            Err(e) => return Err(e),
        }
    }
    let there: Vec<_> = offers.iter().map(|o| o.package.as_str()).collect();
    Err(Error::Gone {
        package,
        suite: SUITE,
        there: match there.is_empty() {
            true => "none".into(),
            false => there.join(", "),
        },
        tried,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(versions: &[&str]) -> Vec<Offer> {
        let offer = |v: &&str| Offer {
            package: format!("{PACKAGE}{v}"),
            version: format!("{v}.1-1"),
        };
        versions.iter().map(offer).collect()
    }

    fn misfit(offer: &Offer) -> Error {
        Error::Patch {
            patch: "0001-x.patch".into(),
            version: offer.version.clone(),
            place: "mm/gup.c: hunk #1".into(),
        }
    }

    #[test]
    fn the_very_version_wins_untried() {
        let offers = offers(&["7.5", "7.3"]);
        let chosen = choose("7.3", &offers, true, |_, exact| {
            assert!(exact);
            Ok(())
        });
        assert_eq!(chosen.unwrap().package, "linux-source-7.3");
    }

    #[test]
    fn a_version_that_is_gone_falls_back_to_the_newest_that_fits() {
        let offers = offers(&["7.6", "7.5", "7.4"]);
        let chosen = choose("7.3", &offers, true, |offer, exact| {
            assert!(!exact);
            match offer.package.as_str() {
                "linux-source-7.6" => Err(misfit(offer)),
                _ => Ok(()),
            }
        });
        assert_eq!(chosen.unwrap().package, "linux-source-7.5");
    }

    #[test]
    fn when_none_fits_all_are_named_with_the_reason() {
        let offers = offers(&["7.6", "7.5"]);
        let error = choose("7.3", &offers, true, |o, _| Err(misfit(o))).unwrap_err();
        let error = error.to_string();
        for part in [
            "linux-source-7.3 is not in trixie-backports",
            "linux-source-7.6, linux-source-7.5",
            "0001-x.patch does not apply to Linux 7.5.1-1: mm/gup.c: hunk #1",
            "--kernel-src",
        ] {
            assert!(error.contains(part), "{error} lacks {part}");
        }
        // Without a series there is nothing to say that another would do.
        let error = choose("6.1", &offers, false, |_, _| Ok(())).unwrap_err();
        assert!(matches!(error, Error::Gone { .. }));
    }

    #[test]
    fn a_choice_is_kept_and_belongs_to_its_series() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path());
        let series = Series {
            version: "7.3",
            patches: &[("0001", b"x")],
            config: "",
            debug_config: "",
        };
        let other = Series {
            patches: &[],
            ..series
        };
        let keep = |package: &str| {
            let choice = Choice {
                package: package.into(),
                version: "1".into(),
                series: hash(Some(&series)),
            };
            write_json(&cache.sources().join("7.3.json"), &choice).unwrap();
        };
        assert_eq!(made(&cache, "7.3", Some(&series)), None);
        keep("linux-source-7.5");
        let identity = made(&cache, "7.3", Some(&series)).unwrap().identity;
        assert_eq!(identity, "linux-source-7.5 1");
        assert_eq!(made(&cache, "7.3", Some(&other)), None);
        keep("linux-source-7.3");
        assert!(made(&cache, "7.3", Some(&other)).is_some());
    }
}
