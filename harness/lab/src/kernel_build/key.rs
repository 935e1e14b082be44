// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What identifies a kernel: hashes of everything that can change its bytes.

use super::Error;
use crate::sha256;
use hmac_sha256::Hash;
use std::{
    fs, io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
};

/// Raised whenever this program's own way of building changes: the targets,
/// the environment of make, the way in which fragments are merged.
const RECIPE: &str = "1";

/// How much of a hash stands in a key.
const SHORT: usize = 12;

/// Everything that a kernel is made of.
#[derive(Clone, Debug)]
pub(super) struct Inputs<'a> {
    /// The version that names the series; for people, it stands in the key.
    pub(super) version: &'a str,
    /// Which source: a package's version or a hash of the content.
    pub(super) source: &'a str,
    /// The patches' hash, or `none`.
    pub(super) series: &'a str,
    /// The configuration fragments.
    pub(super) config: &'a str,
    /// With the debug options.
    pub(super) debug: bool,
    /// Compiler and linker.
    pub(super) compiler: &'a str,
}

impl Inputs<'_> {
    /// The name of the kernel in the cache.
    pub(super) fn key(&self) -> String {
        let hash = Fields::new()
            .field(RECIPE.as_bytes())
            .field(self.version.as_bytes())
            .field(self.source.as_bytes())
            .field(self.series.as_bytes())
            .field(self.config.as_bytes())
            .field(&[u8::from(self.debug)])
            .field(self.compiler.as_bytes())
            .short();
        let what = match (self.series, self.debug) {
            ("none", false) => "stock",
            ("none", true) => "stock-debug",
            (_, false) => "series",
            (_, true) => "series-debug",
        };
        format!("{}-{what}-{hash}", self.version)
    }
}

/// The hash of a patch series.
pub(super) fn series(patches: &[(&str, &[u8])]) -> String {
    let mut fields = Fields::new();
    for (name, text) in patches {
        fields = fields.field(name.as_bytes()).field(text);
    }
    fields.short()
}

/// A stamp of a source directory: names, sizes and times of change of all its
/// files but git's. Reading 90 000 files would take a minute where this takes
/// a second; a touched file costs a needless build, never a wrong one.
pub(super) fn tree(root: &Path) -> Result<String, Error> {
    let mut fields = Fields::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(dir) = pending.pop() {
        for path in children(&dir)? {
            let meta = fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
            if meta.is_dir() {
                pending.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap_or(&path);
            fields = fields
                .field(name.as_os_str().as_bytes())
                .field(&meta.len().to_le_bytes())
                .field(&meta.mtime().to_le_bytes())
                .field(&meta.mtime_nsec().to_le_bytes());
        }
    }
    Ok(fields.short())
}

/// What is in a source directory, sorted, without git's own data.
pub(super) fn children(dir: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let listed = fs::read_dir(dir).and_then(|entries| {
        entries
            .map(|e| e.map(|e| e.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    let mut paths = listed.map_err(Error::io("read", dir))?;
    paths.retain(|p| p.file_name().is_some_and(|name| name != ".git"));
    paths.sort();
    Ok(paths)
}

/// Hashes fields with their lengths, so that no two lists of fields collide by
/// where one ends and the next begins.
struct Fields(Hash);

impl Fields {
    fn new() -> Self {
        Fields(Hash::new())
    }

    fn field(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    fn short(self) -> String {
        let mut text = sha256::hex(&self.0.finalize());
        text.truncate(SHORT);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const INPUTS: Inputs<'_> = Inputs {
        version: "7.3",
        source: "linux-source-7.3 7.3.4-1",
        series: "abc",
        config: "CONFIG_KVM=y\n",
        debug: false,
        compiler: "gcc 12.2.0",
    };

    #[test]
    fn a_key_is_stable() {
        assert_eq!(INPUTS.key(), INPUTS.clone().key());
        assert!(INPUTS.key().starts_with("7.3-series-"), "{}", INPUTS.key());
    }

    #[test]
    fn a_key_changes_with_every_input() {
        let keys: BTreeSet<_> = [
            INPUTS,
            Inputs {
                version: "7.4",
                ..INPUTS
            },
            Inputs {
                source: "linux-source-7.3 7.3.5-1",
                ..INPUTS
            },
            Inputs {
                series: "none",
                ..INPUTS
            },
            Inputs {
                config: "CONFIG_KVM=n\n",
                ..INPUTS
            },
            Inputs {
                debug: true,
                ..INPUTS
            },
            Inputs {
                compiler: "gcc 12.2.1",
                ..INPUTS
            },
        ]
        .iter()
        .map(Inputs::key)
        .collect();
        assert_eq!(keys.len(), 7);
    }

    #[test]
    fn a_series_is_its_names_contents_and_order() {
        let [a, b]: [(&str, &[u8]); 2] = [("1", b"x"), ("2", b"y")];
        let hashes: BTreeSet<_> = [
            series(&[]),
            series(&[a]),
            series(&[a, b]),
            series(&[b, a]),
            series(&[("1x", b"")]),
        ]
        .into();
        assert_eq!(hashes.len(), 5);
    }

    #[test]
    fn a_tree_is_its_files_but_not_git() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("f"), "abc").unwrap();
        let before = tree(dir.path()).unwrap();
        fs::create_dir(dir.path().join(".git")).unwrap();
        fs::write(dir.path().join(".git/HEAD"), "x").unwrap();
        assert_eq!(tree(dir.path()).unwrap(), before);
        fs::write(path.join("f"), "abcd").unwrap();
        assert_ne!(tree(dir.path()).unwrap(), before);
    }
}
