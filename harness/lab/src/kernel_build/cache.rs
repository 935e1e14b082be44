// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The cache directory: finished kernels, work in progress, sources, locks.
//!
//! ```text
//! kernel/<key>/   bzImage vmlinux config build.log kernel.json: whole or absent
//! work/<key>/     an unfinished build; removed when it is finished
//! source/         tarballs of Debian's source packages, and which one is used
//! apt/            the private state of apt
//! qemu/           QEMUs for the TLB model, each unpacked under its key, and which one
//!                 is used
//! lock/           one file for each of the above; never removed, because a
//!                 removed lock file is one that two builds can both hold
//! ```

use super::{Error, Kernel};
use serde::{Deserialize, Serialize};
use std::{
    env,
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::ErrorKind,
    path::{self, Path, PathBuf},
};

/// What a finished kernel says of itself, beside its files.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) release: String,
    pub(super) series: String,
    pub(super) source: PathBuf,
}

/// The files of a finished kernel, where they are before they are stored.
pub(super) struct Built<'a> {
    pub(super) bzimage: &'a Path,
    pub(super) vmlinux: &'a Path,
    pub(super) config: &'a Path,
    pub(super) log: &'a Path,
    pub(super) manifest: Manifest,
}

/// Where kernels are built and kept.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The cache of the user who runs this.
    pub(super) fn of_this_user() -> Result<Self, Error> {
        let root = place(|name| env::var_os(name)).ok_or(Error::NoCache)?;
        let root = path::absolute(&root).map_err(Error::io("find", &root))?;
        Ok(Cache::at(&root))
    }

    /// The cache in a directory, which need not exist yet.
    pub(super) fn at(root: &Path) -> Self {
        Cache { root: root.into() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the build of `key` goes on.
    pub(super) fn work(&self, key: &str) -> PathBuf {
        self.root.join("work").join(key)
    }

    /// Where sources are kept.
    pub(super) fn sources(&self) -> PathBuf {
        self.root.join("source")
    }

    /// Waits until no other process holds `name`. The lock lasts as long as the
    /// file is open, here or in a child that has inherited it.
    pub(super) fn lock(&self, name: &str, waiting: impl FnOnce()) -> Result<File, Error> {
        let path = self.root.join("lock").join(name);
        create_parent(&path)?;
        let open = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path);
        let file = open.map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => waiting(),
            Err(TryLockError::Error(e)) => return Err(Error::io("lock", &path)(e)),
        }
        match file.lock() {
            Ok(()) => Ok(file),
            Err(e) if e.kind() == ErrorKind::Interrupted => {
                Err(Error::Interrupted("the wait for another build".into()))
            }
            Err(e) => Err(Error::io("lock", &path)(e)),
        }
    }

    /// The finished kernel of `key`. One with a file missing counts as none.
    pub(super) fn load(&self, key: &str) -> Result<Option<Kernel>, Error> {
        let dir = self.root.join("kernel").join(key);
        let manifest = match fs::read(dir.join("kernel.json")) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("read", &dir)(e)),
        };
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&manifest) else {
            return Ok(None);
        };
        let kernel = Kernel {
            bzimage: dir.join("bzImage"),
            vmlinux: dir.join("vmlinux"),
            config: dir.join("config"),
            release: manifest.release,
            series: manifest.series,
            key: key.into(),
            source: manifest.source,
        };
        let whole = [&kernel.bzimage, &kernel.vmlinux, &kernel.config]
            .iter()
            .all(|p| p.is_file());
        Ok(whole.then_some(kernel))
    }

    /// Makes a finished kernel appear, all at once. The caller holds its lock.
    pub(super) fn store(&self, key: &str, built: &Built<'_>) -> Result<(), Error> {
        let dir = self.root.join("kernel").join(key);
        let partial = self.root.join("kernel").join(format!(".partial-{key}"));
        remove(&partial)?;
        fs::create_dir_all(&partial).map_err(Error::io("create", &partial))?;
        for (from, name) in [
            (built.bzimage, "bzImage"),
            (built.vmlinux, "vmlinux"),
            (built.config, "config"),
            (built.log, "build.log"),
        ] {
            let to = partial.join(name);
            fs::copy(from, &to).map_err(Error::io("copy", from))?;
            // Else a crash of the machine could leave a whole directory of
            // empty files behind.
            let synced = File::open(&to).and_then(|f| f.sync_all());
            synced.map_err(Error::io("write", &to))?;
        }
        write_json(&partial.join("kernel.json"), &built.manifest)?;
        remove(&dir)?;
        fs::rename(&partial, &dir).map_err(Error::io("rename", &partial))
    }
}

/// Writes `value` so that a reader finds it whole or not at all.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    create_parent(path)?;
    let partial = path.with_extension("json.partial");
    let written = File::create(&partial).and_then(|file| {
        serde_json::to_writer_pretty(&file, value)?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&partial, path))
        .map_err(Error::io("write", path))
}

/// Removes a directory and what is in it, if it is there.
pub(super) fn remove(dir: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("remove", dir)(e)),
        _ => Ok(()),
    }
}

/// Creates the directory that `path` is to be in.
pub(super) fn create_parent(path: &Path) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io("create", parent))
}

/// Where the cache is, by these environment variables; an empty one is none.
fn place(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("UNMAPBENCH_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("unmapbench")))
        .or_else(|| Some(set("HOME")?.join(".cache/unmapbench")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_place_follows_the_environment() {
        #[track_caller]
        fn check(environment: &[(&str, &str)], expected: Option<&str>) {
            let found = place(|name| {
                let pair = environment.iter().find(|(n, _)| *n == name);
                pair.map(|(_, value)| value.into())
            });
            assert_eq!(found, expected.map(PathBuf::from));
        }
        let all = [
            ("UNMAPBENCH_CACHE", "/c"),
            ("XDG_CACHE_HOME", "/x"),
            ("HOME", "/h"),
        ];
        check(&all, Some("/c"));
        check(&all[1..], Some("/x/unmapbench"));
        check(&all[2..], Some("/h/.cache/unmapbench"));
        check(
            &[("UNMAPBENCH_CACHE", ""), ("HOME", "/h")],
            Some("/h/.cache/unmapbench"),
        );
        check(&[], None);
    }

    #[test]
    fn an_entry_is_whole_or_absent() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path());
        let file = dir.path().join("file");
        fs::write(&file, "bytes").unwrap();
        let built = |bzimage| Built {
            bzimage,
            vmlinux: &file,
            config: &file,
            log: &file,
            manifest: Manifest {
                release: "7.3.4-lab".into(),
                series: "none".into(),
                source: "/src".into(),
            },
        };

        assert_eq!(cache.load("k").unwrap(), None);
        let absent = dir.path().join("absent");
        assert!(cache.store("k", &built(&absent)).is_err());
        assert_eq!(
            cache.load("k").unwrap(),
            None,
            "a failed store leaves nothing"
        );

        cache.store("k", &built(&file)).unwrap();
        let kernel = cache.load("k").unwrap().unwrap();
        assert_eq!(
            (kernel.release.as_str(), kernel.key.as_str()),
            ("7.3.4-lab", "k")
        );
        assert_eq!(fs::read(&kernel.bzimage).unwrap(), b"bytes");

        // Storing again replaces it, and a damaged entry counts as none.
        cache.store("k", &built(&file)).unwrap();
        fs::remove_file(&kernel.vmlinux).unwrap();
        assert_eq!(cache.load("k").unwrap(), None);
    }

    #[test]
    fn the_second_of_two_waits_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path());
        let first = cache.lock("k", || panic!("nobody else is there")).unwrap();
        cache.lock("other", || panic!("another key")).unwrap();

        let (said, hears) = mpsc::channel();
        let second = std::thread::spawn({
            let cache = cache.clone();
            move || cache.lock("k", || said.send(()).unwrap()).map(drop)
        });
        hears.recv().unwrap();
        drop(first);
        second.join().unwrap().unwrap();
    }
}
