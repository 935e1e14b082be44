// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Applies a series. Each patch is tried first and applied only if all of it
//! fits, without fuzz: a hunk in the wrong place would be a kernel that builds
//! and measures something else.

use super::{Error, runner::disk_full};
use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Applies `patches` in order to the kernel in `tree`; their text goes through
/// files in `scratch`.
///
/// # Errors
/// The first patch that does not apply, with its first hunk that does not.
pub(super) fn apply(
    patches: &[(&str, &[u8])],
    tree: &Path,
    version: &str,
    scratch: &Path,
) -> Result<(), Error> {
    fs::create_dir_all(scratch).map_err(Error::io("create", scratch))?;
    for (name, text) in patches {
        let file = scratch.join(name);
        fs::write(&file, text).map_err(Error::io("write", &file))?;
        for trial in [true, false] {
            let output = patch(tree, &file, trial)?;
            if output.status.success() {
                continue;
            }
            let said = [&output.stdout[..], &output.stderr[..]].concat();
            let said = String::from_utf8_lossy(&said);
            if let Some(line) = disk_full(&said) {
                return Err(Error::DiskFull {
                    path: tree.into(),
                    detail: line.into(),
                });
            }
            return Err(Error::Patch {
                patch: (*name).into(),
                version: version.into(),
                place: place(&said),
            });
        }
    }
    Ok(())
}

fn patch(tree: &Path, file: &Path, trial: bool) -> Result<Output, Error> {
    let mut command = Command::new("patch");
    command
        .args(["-p1", "--forward", "--batch", "--fuzz=0"])
        .args(["--no-backup-if-mismatch", "--reject-file=-"])
        .arg("--directory")
        .arg(tree)
        .arg("--input")
        .arg(file)
        .args(trial.then_some("--dry-run"))
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
        .output()
        .map_err(Error::io("start", Path::new("patch")))
}

/// Where the patch program says that it failed first.
fn place(said: &str) -> String {
    let mut file = "";
    for line in said.lines() {
        if let Some(name) = after(line, &["checking file ", "patching file "]) {
            file = name.trim_matches('\'');
        } else if line.starts_with("Reversed (or previously applied) patch detected") {
            return format!("{file} has it already");
        } else if line.starts_with("Hunk #") && line.contains(" FAILED") {
            let hunk = line.split(" FAILED").next().unwrap_or(line);
            let at = line
                .split(" at ")
                .nth(1)
                .unwrap_or("?")
                .trim_end_matches('.');
            return format!("{file}: {} fails at line {at}", hunk.to_lowercase());
        } else if let Some(name) = after(line, &["|+++ b/"]) {
            // Said only of a file that is not there.
            let name = name.split('\t').next().unwrap_or(name);
            return format!("there is no file {name}");
        }
    }
    let last = said.lines().rfind(|l| !l.trim().is_empty());
    last.unwrap_or("patch said nothing").trim().into()
}

fn after<'a>(line: &'a str, beginnings: &[&str]) -> Option<&'a str> {
    beginnings.iter().find_map(|b| line.strip_prefix(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const CHANGE: &str = "Subject: x\n\n--- a/mm/gup.c\n+++ b/mm/gup.c\n@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three\n";

    fn tree(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let src = dir.path().join("src");
        fs::create_dir_all(src.join("mm")).unwrap();
        fs::write(src.join("mm/gup.c"), text).unwrap();
        (dir, src)
    }

    #[track_caller]
    fn refusal(text: &str, patch: &str) -> String {
        let (dir, src) = tree(text);
        let patches: [(&str, &[u8]); 1] = [("0001-x.patch", patch.as_bytes())];
        let error = apply(&patches, &src, "7.3.9", &dir.path().join("p")).unwrap_err();
        assert_eq!(fs::read_to_string(src.join("mm/gup.c")).unwrap(), text);
        error.to_string()
    }

    #[test]
    fn a_series_is_applied_in_order() {
        let (dir, src) = tree("zero\none\ntwo\nthree\n");
        let then = CHANGE.replace("-two", "-zwei").replace("+zwei", "+deux");
        let new = "Subject: y\n\n--- /dev/null\n+++ b/mm/new.c\n@@ -0,0 +1 @@\n+new\n";
        let patches: [(&str, &[u8]); 3] = [
            ("0001", CHANGE.as_bytes()),
            ("0002", then.as_bytes()),
            ("0003", new.as_bytes()),
        ];
        apply(&patches, &src, "7.3.4", &dir.path().join("p")).unwrap();
        let text = fs::read_to_string(src.join("mm/gup.c")).unwrap();
        assert_eq!(text, "zero\none\ndeux\nthree\n", "an offset is fine");
        assert_eq!(fs::read_to_string(src.join("mm/new.c")).unwrap(), "new\n");
        let files = fs::read_dir(src.join("mm")).unwrap().count();
        assert_eq!(files, 2, "no .orig beside them");
    }

    #[test]
    fn a_refusal_names_patch_file_hunk_and_version() {
        let error = refusal("one\n2\nthree\n", CHANGE);
        for part in [
            "0001-x.patch",
            "mm/gup.c",
            "hunk #1",
            "line 1",
            "Linux 7.3.9",
        ] {
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }

    #[test]
    fn a_changed_context_is_no_fit() {
        assert!(refusal("one\ntwo\n3\n", CHANGE).contains("hunk #1"));
    }

    #[test]
    fn a_missing_file_and_an_applied_patch_are_told_apart() {
        let elsewhere = CHANGE.replace("gup.c", "absent.c");
        assert!(refusal("one\n", &elsewhere).contains("there is no file mm/absent.c"));
        assert!(refusal("one\nzwei\nthree\n", CHANGE).contains("mm/gup.c has it already"));
    }
}
