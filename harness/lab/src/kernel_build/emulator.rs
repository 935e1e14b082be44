// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A QEMU newer than the machine's own, for the TLB model: Debian's package of the
//! backports suite, and what it needs beyond what is installed, unpacked into the cache
//! and run from there. Nothing is installed or upgraded.

use super::{
    Error,
    cache::{Cache, remove, write_json},
    debian::Debian,
    key,
    runner::Runner,
};
use crate::sha256;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The suites of the oldest Debian whose backports have QEMU 10; newer ones have it
/// themselves.
const SUITES: &str = "bookworm bookworm-backports";
const BACKPORTS: &str = "bookworm-backports";
const PACKAGE: &str = "qemu-system-x86";

/// Which of the cached ones is used.
#[derive(Debug, Serialize, Deserialize)]
struct Used {
    key: String,
}

/// Where they are kept, each under its key.
fn place(cache: &Cache) -> PathBuf {
    cache.root().join("qemu")
}

/// The one that is used, if there is one.
pub(super) fn fetched(cache: &Cache) -> Result<Option<PathBuf>, Error> {
    let path = place(cache).join("used.json");
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("read", &path)(e)),
    };
    let used = serde_json::from_slice::<Used>(&text).ok();
    // A key is a name, and no way out of the cache.
    let used = used.filter(|u| !u.key.contains('/') && !u.key.starts_with('.'));
    let home = used.map(|u| place(cache).join(u.key));
    Ok(home.filter(|home| home.is_dir()))
}

/// Gets one that `works`, unless there is one that does.
pub(super) fn fetch(
    cache: &Cache,
    works: &dyn Fn(&Path) -> bool,
    say: &mut dyn FnMut(&str),
) -> Result<PathBuf, Error> {
    let lock = cache.lock("qemu", || say("waiting for another download of QEMU"))?;
    if let Some(home) = fetched(cache)?.filter(|home| works(home)) {
        return Ok(home);
    }
    let place = place(cache);
    let mut runner = Runner::new(place.join("fetch.log"), &lock, cache.root())?;
    let debian = Debian::of_this_machine(place.join("apt"), SUITES);
    let partial = place.join(".partial");
    remove(&partial)?;
    say(&format!("fetching {PACKAGE} of {BACKPORTS}, about 15 MB"));
    let files = debian.unpack(PACKAGE, BACKPORTS, &partial, &mut runner, say);
    let files = files.map_err(unfetched)?;
    let key = key_of(&files)?;
    let home = place.join(&key);
    if !works(&partial) {
        let cause = std::io::Error::other("it does not run here");
        return Err(unfetched(Error::io("use the QEMU in", &partial)(cause)));
    }
    remove(&home)?;
    fs::rename(&partial, &home).map_err(Error::io("rename", &partial))?;
    write_json(&place.join("used.json"), &Used { key })?;
    Ok(home)
}

/// Its version and a hash of all files.
fn key_of(files: &[PathBuf]) -> Result<String, Error> {
    let mut hashes = Vec::new();
    for file in files {
        hashes.push(sha256::file(file).map_err(Error::io("read", file))?);
    }
    let named: Vec<_> = hashes.iter().map(|h| ("deb", h.as_bytes())).collect();
    let names = files.iter().filter_map(|f| f.file_name()?.to_str());
    let version = version(names).unwrap_or("unknown");
    Ok(format!("{version}-{}", key::series(&named)))
}

/// `10.0.2+ds-2` of `qemu-system-x86_1%3a10.0.2+ds-2_amd64.deb`
fn version<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = names.find_map(|n| n.strip_prefix(PACKAGE)?.strip_prefix('_'))?;
    let version = name.split('_').next()?;
    Some(version.rsplit("%3a").next().unwrap_or(version))
}

fn unfetched(error: Error) -> Error {
    match error {
        // Those say what to do about them.
        Error::Interrupted(_) | Error::DiskFull { .. } => error,
        other => Error::Emulator(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_version_and_the_content() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let qemu = make("qemu-system-x86_1%3a10.0.2+ds-2_amd64.deb", "a");
        let data = make("qemu-system-data_1%3a10.0.2+ds-2_all.deb", "b");
        let key = key_of(&[data.clone(), qemu.clone()]).unwrap();
        assert!(key.starts_with("10.0.2+ds-2-"), "{key}");
        make("qemu-system-data_1%3a10.0.2+ds-2_all.deb", "c");
        assert_ne!(key_of(&[data, qemu]).unwrap(), key);
    }

    #[test]
    fn the_one_in_use_is_named_by_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path());
        assert_eq!(fetched(&cache).unwrap(), None);
        let used = |key: &str| {
            let used = Used { key: key.into() };
            write_json(&place(&cache).join("used.json"), &used).unwrap();
            fetched(&cache).unwrap()
        };
        assert_eq!(used("10.0-abc"), None);
        fs::create_dir_all(place(&cache).join("10.0-abc")).unwrap();
        assert_eq!(used("10.0-abc"), Some(place(&cache).join("10.0-abc")));
        assert_eq!(used(".."), None);
        assert_eq!(used("../qemu/10.0-abc"), None);
    }
}
