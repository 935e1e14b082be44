// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The root file system of the lab: this program as /init, its errand, what comes
//! along, and empty directories to mount on.

use super::{
    error::{Error, io_error},
    inside::Errand,
};
use crate::cpio::Archive;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// The lab's root: `init` as /init, its errand beside it.
pub(super) fn root(init: &[u8], errand: &Errand) -> Archive {
    let mut archive = Archive::default();
    for directory in ["dev", "proc", "sys", "tmp"] {
        archive.directory(directory);
    }
    // The kernel opens it for /init before devtmpfs is mounted.
    archive.device("dev/console", 5, 1);
    archive.program("init", init);
    let errand = serde_json::to_vec(errand).unwrap_or_default();
    archive.file(Errand::FILE.trim_start_matches('/'), &errand);
    archive
}

/// Adds everything below `dir` as /`name`; links are followed.
///
/// # Errors
/// What cannot be read.
pub(super) fn tree(archive: &mut Archive, name: &str, dir: &Path) -> Result<(), Error> {
    archive.directory(name);
    let listing = fs::read_dir(dir).map_err(io_error("list", dir))?;
    let mut paths = Vec::new();
    for entry in listing {
        paths.push(entry.map_err(io_error("list", dir))?.path());
    }
    paths.sort();
    for path in paths {
        let leaf = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{name}/{leaf}");
        let meta = fs::metadata(&path).map_err(io_error("look at", &path))?;
        if meta.is_dir() {
            tree(archive, &name, &path)?;
            continue;
        }
        let bytes = fs::read(&path).map_err(io_error("read", &path))?;
        match meta.permissions().mode() & 0o111 {
            0 => archive.file(&name, &bytes),
            _ => archive.program(&name, &bytes),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    fn archive(init: &[u8]) -> Vec<u8> {
        let mut archive = root(init, &Errand::Jobs(Vec::new()));
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        fs::write(dir.path().join("b/c"), "x").unwrap();
        fs::write(dir.path().join("a"), "y").unwrap();
        tree(&mut archive, "with", dir.path()).unwrap();
        archive.finish()
    }

    #[test]
    fn the_same_contents_give_the_same_bytes() {
        assert_eq!(archive(b"abc"), archive(b"abc"));
    }

    /// Read back by cpio(1) where there is one, which knows the format from
    /// somebody else.
    #[test]
    fn cpio_lists_what_was_put_in() {
        let child = Command::new("cpio")
            .args(["-tv", "--quiet"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: there is no cpio");
            return;
        };
        child
            .stdin
            .take()
            .unwrap()
            .write_all(&archive(b"abcde"))
            .unwrap();
        let listing = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let line = |name: &str| {
            listing
                .lines()
                .find(|l| l.ends_with(name))
                .unwrap()
                .to_string()
        };
        assert!(
            line(" init").starts_with("-rwxr-xr-x") && line(" init").contains(" 5 "),
            "{listing}"
        );
        assert!(line(" dev/console").starts_with("crw-------"), "{listing}");
        assert!(line(" proc").starts_with("drwxr-xr-x"), "{listing}");
        assert!(line(" with/b").starts_with("drwxr-xr-x"), "{listing}");
        assert!(line(" with/b/c").starts_with("-rw-r--r--"), "{listing}");
    }
}
