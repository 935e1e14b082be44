// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs that others are compared with: found by name, and made out of a run by
//! copying it. A baseline is never changed in place.

use super::{AUDIT, CONSOLES, Error, HOST, PLAN, SAMPLES, io_error};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Component, Path, PathBuf},
};

/// Where runs are kept that a repository holds, below its root.
const RECORDED: &str = "results/recorded";

/// Which of them a name means.
const NAMES: &str = "results/baselines.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    names: BTreeMap<String, Dirs>,
}

/// One run, or one of the same for each compiler or emulator.
#[derive(Deserialize)]
#[serde(untagged, expecting = "not a path, and no list of paths")]
enum Dirs {
    One(PathBuf),
    Several(Vec<PathBuf>),
}

impl From<Dirs> for Vec<PathBuf> {
    fn from(dirs: Dirs) -> Self {
        match dirs {
            Dirs::One(dir) => vec![dir],
            Dirs::Several(dirs) => dirs,
        }
    }
}

/// The directories of the runs that `word` means, one or more: that directory, if it
/// holds a run, or else the baselines of that name, looked up in the repository around `from`
/// (the first directory with a `results/recorded`, from there upwards). Several are the
/// same run, recorded with different compilers or emulators.
///
/// # Errors
/// [`Error::NoBaseline`] if it is neither, [`Error::Malformed`] if the file of names
/// leads out of its own directory or is not in order, [`Error::Io`] else.
pub fn find(word: &Path, from: &Path) -> Result<Vec<PathBuf>, Error> {
    let itself = || Ok(vec![word.to_path_buf()]);
    if word.join(SAMPLES).exists() {
        return itself();
    }
    let mut known = "no results/recorded was found from here upwards".to_string();
    if let Some(root) = root(from) {
        let names = names(&root)?;
        if let Some(name) = plain(word) {
            if let Some(dirs) = names.get(name) {
                let whole = dirs.iter().map(|dir| root.join("results").join(dir));
                return Ok(whole.collect());
            }
            let dir = root.join(RECORDED).join(name);
            if dir.is_dir() {
                return Ok(vec![dir]);
            }
        }
        let names: Vec<String> = names.into_keys().collect();
        known = format!("there are {}", names.join(", "));
    }
    // Of a directory without a run its reader says what it lacks.
    match word.is_dir() {
        true => itself(),
        false => Err(Error::NoBaseline {
            word: word.to_path_buf(),
            known,
        }),
    }
}

/// Where a new baseline called `word` belongs: that path, or with a plain name a
/// directory of that name beside the others in the repository around `from`.
pub fn place(word: &Path, from: &Path) -> PathBuf {
    match (plain(word), root(from)) {
        (Some(name), Some(root)) => root.join(RECORDED).join(name),
        _ => word.to_path_buf(),
    }
}

/// Copies the record in the run directory `from`, without what was rendered from it,
/// to `to`, which must not exist.
///
/// # Errors
/// [`Error::Exists`], [`Error::Io`]. What was copied until then stays.
pub fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    super::writer::create(to)?;
    let one = |name: &Path| {
        let target = to.join(name);
        fs::copy(from.join(name), &target)
            .map(drop)
            .map_err(io_error("write", target))
    };
    for file in [PLAN, HOST, SAMPLES] {
        one(Path::new(file))?;
    }
    if from.join(AUDIT).is_file() {
        one(Path::new(AUDIT))?;
    }
    let consoles = from.join(CONSOLES);
    if consoles.is_dir() {
        super::writer::create(&to.join(CONSOLES))?;
        let entries = fs::read_dir(&consoles).map_err(io_error("read", &consoles))?;
        for entry in entries {
            let entry = entry.map_err(io_error("read", &consoles))?;
            let kind = entry.file_type().map_err(io_error("read", entry.path()))?;
            if kind.is_file() {
                one(&Path::new(CONSOLES).join(entry.file_name()))?;
            }
        }
    }
    Ok(())
}

/// `word` as a name: one component that leads nowhere.
fn plain(word: &Path) -> Option<&str> {
    let mut components = word.components();
    let name = match (components.next(), components.next()) {
        (Some(Component::Normal(name)), None) => name.to_str()?,
        _ => return None,
    };
    (!name.contains(['/', '\0'])).then_some(name)
}

fn root(from: &Path) -> Option<PathBuf> {
    let mut up = from.ancestors();
    up.find(|dir| dir.join(RECORDED).is_dir())
        .map(Path::to_path_buf)
}

/// The names of the repository; none if it has no file of them.
fn names(root: &Path) -> Result<BTreeMap<String, Vec<PathBuf>>, Error> {
    let path = root.join(NAMES);
    if !path.is_file() {
        return Ok(BTreeMap::new());
    }
    let text = fs::read_to_string(&path).map_err(io_error("read", &path))?;
    let malformed = |line, what| Error::Malformed {
        path: path.clone(),
        line,
        what,
    };
    let parsed: Names = toml::from_str(&text).map_err(|e| {
        let before = e.span().map_or("", |at| &text[..at.start]);
        let what = e.message().replace('\n', " ");
        malformed(before.matches('\n').count() + 1, what)
    })?;
    let inside = |dir: &&PathBuf| dir.components().all(|c| matches!(c, Component::Normal(_)));
    let names = parsed.names.into_iter();
    let names: BTreeMap<String, Vec<PathBuf>> = names.map(|(n, dirs)| (n, dirs.into())).collect();
    if let Some(dir) = names.values().flatten().find(|dir| !inside(dir)) {
        let what = format!("{} leads out of this directory", dir.display());
        return Err(malformed(1, what));
    }
    match names.iter().find(|(_, dirs)| dirs.is_empty()) {
        Some((name, _)) => Err(malformed(1, format!("{name} means no run"))),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::slice;

    fn repository() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for run in ["a", "b"] {
            fs::create_dir_all(dir.path().join(RECORDED).join(run)).unwrap();
        }
        let names = "[names]\nlab = \"recorded/b\"\nboth = [\"recorded/a\", \"recorded/b\"]\n";
        fs::write(dir.path().join(NAMES), names).unwrap();
        dir
    }

    #[test]
    fn names_are_looked_up_from_anywhere_below() {
        let repository = repository();
        let root = repository.path();
        let below = root.join("results/recorded/a");
        let find = |word: &str| find(Path::new(word), &below);
        let [a, b] = ["a", "b"].map(|run| root.join("results/recorded").join(run));
        assert_eq!(find("lab").unwrap(), slice::from_ref(&b));
        assert_eq!(find("a").unwrap(), slice::from_ref(&a));
        assert_eq!(find("both").unwrap(), [a, b]);
        let itself = below.to_str().unwrap();
        assert_eq!(find(itself).unwrap(), slice::from_ref(&below));
        for strange in [
            "c",
            "../recorded/a",
            "recorded/a",
            "../x",
            "",
            "/nonexistent",
            "a\0",
        ] {
            let error = find(strange).unwrap_err().to_string();
            assert!(error.contains("there are both, lab"), "{error}");
        }
        assert_eq!(
            place(Path::new("new"), &below),
            root.join("results/recorded/new")
        );
        assert_eq!(
            place(Path::new("./new"), Path::new("/")),
            Path::new("./new")
        );
        assert_eq!(place(Path::new("x/new"), &below), Path::new("x/new"));
    }

    #[test]
    fn a_file_of_names_cannot_lead_elsewhere() {
        let repository = repository();
        for (text, expected) in [
            ("[names]\nx = \"../../etc\"", "leads out"),
            ("[names]\nx = \"/etc\"", "leads out"),
            ("[names]\nx = 3", "line 2"),
            ("[names]\nx = 3", "not a path"),
            ("[names]\nx = [\"a\", \"..\"]", "leads out"),
            ("[names]\nx = []", "means no run"),
            ("[names]\nx = \"a\"\nx = \"b\"", "line 3"),
            ("nonsense", "line 1"),
        ] {
            fs::write(repository.path().join(NAMES), text).unwrap();
            let error = find(Path::new("x"), repository.path())
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_recorded_runs_are_all_named() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for dir in names(&root).unwrap().into_values().flatten() {
            assert!(
                root.join("results").join(&dir).join(SAMPLES).is_file(),
                "{dir:?}"
            );
        }
    }
}
