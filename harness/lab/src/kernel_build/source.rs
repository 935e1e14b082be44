// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Kernel sources: a tarball or a directory, never changed; patches go onto a
//! copy.

use super::{Error, compile, key, runner::Runner};
use crate::sha256;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A source and what identifies its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The tarball or directory.
    pub(super) path: PathBuf,
    /// The same for the same content.
    pub(super) identity: String,
}

/// What `--kernel-src` names.
pub(super) fn given(path: &Path) -> Result<Source, Error> {
    let wrong = |cause: String| Error::Source {
        path: path.into(),
        cause,
    };
    let path = &path.canonicalize().map_err(|e| wrong(e.to_string()))?;
    let identity = if path.is_dir() {
        version(path).map_err(|_| wrong("has no Makefile of a kernel".into()))?;
        format!("directory {}", key::tree(path)?)
    } else {
        format!(
            "tarball {}",
            sha256::file(path).map_err(Error::io("read", path))?
        )
    };
    Ok(Source {
        path: path.clone(),
        identity,
    })
}

/// Puts a copy of the source at `tree`, clean enough to build in, and answers
/// with the kernel's own version.
pub(super) fn unpack(
    source: &Path,
    tree: &Path,
    runner: &mut Runner,
    say: &mut dyn FnMut(&str),
) -> Result<String, Error> {
    fs::create_dir_all(tree).map_err(Error::io("create", tree))?;
    let is_dir = source.is_dir();
    let name = source.file_name().unwrap_or(source.as_os_str());
    let name = name.to_string_lossy();
    if is_dir {
        say(&format!("copying {name}"));
        copy(source, tree)?;
    } else {
        say(&format!("unpacking {name}"));
        let mut tar = Command::new("tar");
        tar.args(["--extract", "--strip-components=1", "--no-same-owner"])
            .arg("--file")
            .arg(source)
            .arg("--directory")
            .arg(tree)
            .env("LC_ALL", "C");
        let unpacked = runner.run("unpacking", &mut tar, say);
        unpacked.map_err(|e| match e {
            Error::Command { line, .. } => Error::Source {
                path: source.into(),
                cause: format!("tar cannot unpack it ({line})"),
            },
            other => other,
        })?;
    }
    let version = version(tree).map_err(|_| Error::Source {
        path: source.into(),
        cause: "is not a kernel: it has no Makefile of one".into(),
    })?;
    if tree.join(".config").exists() || tree.join("include/config").exists() {
        let mut clean = compile::make(tree, "");
        runner.run("make mrproper", clean.arg("mrproper"), say)?;
    }
    Ok(version)
}

/// The version in a kernel's Makefile, such as `7.3.4` or `7.4.0-rc1`.
pub(super) fn version(tree: &Path) -> Result<String, Error> {
    let path = tree.join("Makefile");
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let value = |name: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(name));
        line.and_then(|l| l.trim_start().strip_prefix('='))
            .map(str::trim)
    };
    match (value("VERSION"), value("PATCHLEVEL")) {
        (Some(major), Some(minor)) => {
            let sub = value("SUBLEVEL").unwrap_or("0");
            let extra = value("EXTRAVERSION").unwrap_or("");
            Ok(format!("{major}.{minor}.{sub}{extra}"))
        }
        _ => Err(Error::Source {
            path,
            cause: "says no VERSION and PATCHLEVEL".into(),
        }),
    }
}

/// Copies a directory without git's data.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    for path in key::children(from)? {
        let Some(name) = path.file_name() else {
            continue;
        };
        let target = to.join(name);
        let kind = fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
        let done = if kind.is_dir() {
            fs::create_dir_all(&target).map_err(Error::io("create", &target))?;
            copy(&path, &target)?;
            Ok(())
        } else if kind.is_symlink() {
            fs::read_link(&path).and_then(|aim| std::os::unix::fs::symlink(aim, &target))
        } else if kind.is_file() {
            fs::copy(&path, &target).map(drop)
        } else {
            // A socket or a pipe is no source.
            Ok(())
        };
        done.map_err(Error::io("copy", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_makefiles() {
        #[track_caller]
        fn check(makefile: &str, expected: Option<&str>) {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("Makefile"), makefile).unwrap();
            assert_eq!(version(dir.path()).ok().as_deref(), expected);
        }
        let kernel = "# SPDX\nVERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\nEXTRAVERSION =\n";
        check(kernel, Some("7.3.4"));
        check(&kernel.replace("ON =\n", "ON = -rc1\n"), Some("7.3.4-rc1"));
        check("VERSION = 7\nPATCHLEVEL = 3\n", Some("7.3.0"));
        check("all:\n\techo VERSION = 1\n", None);
    }

    #[test]
    fn what_is_no_source_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let error = given(&dir.path().join("absent")).unwrap_err().to_string();
        assert!(
            error.starts_with("--kernel-src ") && error.contains("No such file"),
            "{error}"
        );
        let error = given(dir.path()).unwrap_err().to_string();
        assert!(error.contains("no Makefile of a kernel"), "{error}");
    }

    #[test]
    fn a_copy_has_links_and_modes_but_not_git() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("scripts")).unwrap();
        fs::create_dir_all(from.join(".git")).unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(from.join("scripts/x.sh"), "x").unwrap();
        fs::set_permissions(from.join("scripts/x.sh"), PermissionsExt::from_mode(0o755)).unwrap();
        symlink("scripts", from.join("link")).unwrap();
        copy(&from, &to).unwrap();
        let mode = to
            .join("scripts/x.sh")
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o111, 0o111);
        assert_eq!(
            fs::read_link(to.join("link")).unwrap(),
            Path::new("scripts")
        );
        assert!(!to.join(".git").exists());
    }
}
